"""Flex containers: structure, sizes, and every value LINE looks at."""

from typing import Any

import pytest

from lineadmin.simulator.checks import check_send
from tests.simulator.damage import damaged

URL = "https://shop.example/a.jpg"
PRESS = {"type": "uri", "label": "看", "uri": URL, "altUri": {"desktop": URL}}


def box(*contents: Any, layout: str = "vertical", **more: Any) -> dict[str, Any]:
    return {"type": "box", "layout": layout, "contents": list(contents), **more}


def bubble(*contents: Any, **more: Any) -> dict[str, Any]:
    return {"type": "bubble", "body": box(*contents), **more}


def words(text: str = "好", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}


def image(**more: Any) -> dict[str, Any]:
    return {"type": "image", "url": URL, **more}


def video(**more: Any) -> dict[str, Any]:
    return {"type": "video", "url": URL, "previewUrl": URL, "altContent": image(), **more}


def carousel(*bubbles: Any) -> dict[str, Any]:
    return {"type": "carousel", "contents": list(bubbles)}


def problems(contents: Any, alt: str = "alt") -> list[str]:
    message = {"type": "flex", "altText": alt, "contents": contents}
    found = check_send("validate", {"messages": [message]})
    return [detail["property"].removeprefix("messages[0].") for detail in found]


GRADIENT = {
    "type": "linearGradient", "angle": "90deg", "startColor": "#ffffff", "endColor": "#00000080",
    "centerColor": "#123456", "centerPosition": "10%",
}  # fmt: skip

ACCEPTED = {
    "one text": bubble(words()),
    "every block": {
        "type": "bubble", "size": "giga", "direction": "ltr",
        "header": box(words()), "hero": image(size="full", aspectRatio="20:13", aspectMode="cover"),
        "body": box(words()), "footer": box({"type": "button", "action": PRESS}),
        "styles": {"header": {"backgroundColor": "#ffffff"}, "footer": {"separator": True}},
        "action": PRESS,
    },
    "an empty box": bubble(box(height="6px", backgroundColor="#ff0000ff")),
    "baseline": bubble(box({"type": "icon", "url": URL, "size": "xs"}, words(), layout="baseline")),
    "spans": bubble({"type": "text", "contents": [
        {"type": "span", "text": "a", "weight": "bold", "decoration": "line-through"}]}),
    "measures": bubble(words(size="13.5px", margin="sm", offsetTop="5%", lineSpacing="4px",
                             flex=0, maxLines=2, wrap=True, color="#06C755")),
    "box measures": bubble(box(words(), paddingAll="10%", borderWidth="semi-bold", width="50%",
                               cornerRadius="12px", background=GRADIENT, position="absolute",
                               justifyContent="space-between", alignItems="center")),
    "button": bubble({"type": "button", "style": "primary", "height": "sm", "color": "#06C755",
                      "action": {"type": "message", "label": "a" * 40, "text": "x"}}),
    "separator and filler": bubble(words(), {"type": "separator", "margin": "md"},
                                   {"type": "filler", "flex": 1}),
    "video hero": bubble(words(), hero=video(), size="mega"),
    "12 bubbles": carousel(*[bubble(words(), size="micro")] * 12),
    "30 KB": bubble(*[words("好" * 900)] * 10),
    "image tap without label": bubble(image(action={"type": "uri", "uri": URL})),
}  # fmt: skip

REFUSED = {
    "no container type": ({"body": box(words())}, "contents.type"),
    "nothing in it": ({"type": "bubble"}, "contents"),
    "unknown bubble property": (bubble(words(), color="#fff"), "contents.color"),
    "unknown size": (bubble(words(), size="huge"), "contents.size"),
    "body not a box": ({"type": "bubble", "body": words()}, "contents.body.type"),
    "hero a text": (bubble(words(), hero=words()), "contents.hero.type"),
    "unknown component": (bubble({"type": "chart"}), "contents.body.contents[0].type"),
    "unknown property": (bubble(words(bold=True)), "contents.body.contents[0].bold"),
    "box without layout": (
        {"type": "bubble", "body": {"type": "box", "contents": []}}, "contents.body.layout"),
    "box without contents": (
        {"type": "bubble", "body": {"type": "box", "layout": "vertical"}},
        "contents.body.contents"),
    "icon outside baseline": (
        bubble({"type": "icon", "url": URL}), "contents.body.contents[0].type"),
    "button in baseline": (
        bubble(box({"type": "button", "action": PRESS}, layout="baseline")),
        "contents.body.contents[0].contents[0].type"),
    "span outside text": (
        bubble({"type": "span", "text": "a"}), "contents.body.contents[0].type"),
    "empty text": (bubble(words("")), "contents.body.contents[0].text"),
    "text without text": (bubble({"type": "text"}), "contents.body.contents[0].text"),
    "colour by name": (bubble(words(color="red")), "contents.body.contents[0].color"),
    "size without unit": (bubble(words(size="13")), "contents.body.contents[0].size"),
    "flex as text": (bubble(words(flex="1")), "contents.body.contents[0].flex"),
    "wrap as text": (bubble(words(wrap="true")), "contents.body.contents[0].wrap"),
    "weight": (bubble(words(weight="heavy")), "contents.body.contents[0].weight"),
    "button without action": (
        bubble({"type": "button"}), "contents.body.contents[0].action"),
    "button without label": (
        bubble({"type": "button", "action": {"type": "uri", "uri": URL}}),
        "contents.body.contents[0].action.label"),
    "button label of 41": (
        bubble({"type": "button", "action": {"type": "message", "label": "a" * 41, "text": "x"}}),
        "contents.body.contents[0].action.label"),
    "image over http": (
        bubble(image(url="http://a.example/")), "contents.body.contents[0].url"),
    "image without url": (bubble({"type": "image"}), "contents.body.contents[0].url"),
    "too tall": (bubble(image(aspectRatio="1:4")), "contents.body.contents[0].aspectRatio"),
    "video in a body": (bubble(video()), "contents.body.contents[0].type"),
    "video in a carousel": (carousel(bubble(words(), hero=video())), "contents.contents[0].hero"),
    "video in a small bubble": (bubble(words(), hero=video(), size="nano"), "contents.size"),
    "gradient without angle": (
        bubble(box(background={"type": "linearGradient", "startColor": "#ffffff",
                               "endColor": "#000000"})),
        "contents.body.contents[0].background.angle"),
    "13 bubbles": (carousel(*[bubble(words())] * 13), "contents.contents"),
    "no bubble": (carousel(), "contents.contents"),
    "carousel in a carousel": (carousel(carousel(bubble(words()))), "contents.contents[0].type"),
    "bubbles of two sizes": (
        carousel(bubble(words(), size="nano"), bubble(words())), "contents.contents"),
    "over 30 KB": (bubble(*[words("好" * 1100)] * 10), "contents"),
    "over 50 KB together": (carousel(*[bubble(words("好" * 3000))] * 6), "contents"),
    "styles of an unknown block": (
        bubble(words(), styles={"side": {}}), "contents.styles.side"),
}  # fmt: skip


@pytest.mark.parametrize("contents", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_line_takes(contents: Any) -> None:
    assert problems(contents) == []


@pytest.mark.parametrize(("contents", "where"), REFUSED.values(), ids=REFUSED.keys())
def test_line_refuses(contents: Any, where: str) -> None:
    assert where in problems(contents)


def test_a_flex_message_needs_words_for_the_chat_list() -> None:
    assert problems(bubble(words()), alt="") == ["altText"]
    assert problems(bubble(words()), alt="a" * 1501) == ["altText"]


@pytest.mark.parametrize("contents", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_no_damage_is_too_odd_to_be_judged(contents: Any) -> None:
    for how, broken in damaged(contents):
        for found in check_send(
            "push", {"to": "x", "messages": [{"type": "flex", "altText": "a", "contents": broken}]}
        ):
            assert found["message"], how
