"""static/js/phone.js draws whatever LINE was told, ours or not, and never runs any of it."""

import json
import threading
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.serving import make_server

from lineadmin.coupons.card import CardView
from lineadmin.messages.parts import CouponCard, QuickReplies, QuickReply, Text
from lineadmin.messages.render import Context, render
from tests import browse

STATIC = Path(__file__).parents[2] / "static"
PAGE = """<!doctype html><html lang="zh-Hant-TW"><title>phone</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/tokens.css">
<link rel="stylesheet" href="/static/css/base.css">
<link rel="stylesheet" href="/static/css/phone.css">
<main><h1>Phone</h1><div class="phone"><div class="screen">
<div class="msgs"></div><div class="qr"></div></div></div></main>
<script type="module" nonce="n">
import { renderMessage, renderQuickReplies } from "/static/js/phone.js";
window.tapped = [];
window.draw = (messages, tappable = true) => {
  const options = tappable ? { onAction: (action) => window.tapped.push(action) } : {};
  const drawn = messages.map((one) => renderMessage(one, options));
  document.querySelector(".msgs").replaceChildren(...drawn);
  document.querySelector(".qr").replaceChildren(...renderQuickReplies(messages.at(-1), options));
};
</script></html>"""

CARD = CardView(
    "8 折", "雙拼便當 8 折", "領取後 7 天內有效", "最低消費 NT$100", "https://x.example/c/t"
)


@pytest.fixture(scope="module")
def address():
    app = Flask("phone", static_folder=str(STATIC), static_url_path="/static")

    app.add_url_rule("/", "phone", lambda: PAGE)

    @app.after_request
    def strict(response):
        response.headers["Content-Security-Policy"] = (
            "default-src 'self'; script-src 'self' 'nonce-n'; img-src 'self' data:;"
            " style-src 'self' 'unsafe-inline'"
        )
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def phone(page, address):
    page.goto(address)
    page.wait_for_function("Boolean(window.draw)")
    return page


def draw(phone, messages, tappable=True):
    return phone.evaluate(
        "([messages, tappable]) => window.draw(messages, tappable)", [messages, tappable]
    )


@pytest.mark.browser
@pytest.mark.looks
def test_our_own_messages_look_as_they_should(phone):
    replies = QuickReplies(replies=(QuickReply(label="看菜單", text="菜單"),))
    parts = [Text(text="{name} 您好\nhttps://x.example/a"), CouponCard(coupon="c"), replies]
    draw(phone, render(parts, Context("https://x.example", name="小明", coupons={"c": CARD})))
    assert phone.locator(".bub").inner_text() == "小明 您好\nhttps://x.example/a"
    hero = phone.locator(".flex .hero .fx-box")
    assert "linear-gradient" in hero.evaluate("(box) => getComputedStyle(box).backgroundImage")
    assert phone.locator(".flex .fx-text").all_inner_texts() == [
        "8 折",
        "雙拼便當 8 折",
        "最低消費 NT$100",
        "領取後 7 天內有效",
    ]
    width = phone.locator(".flex").bounding_box()["width"]
    assert width <= phone.locator(".msgs").bounding_box()["width"]
    assert browse.serious_violations(phone) == []


@pytest.mark.browser
@pytest.mark.looks
def test_taps_tell_the_action_by_mouse_and_by_keyboard(phone):
    replies = QuickReplies(replies=(QuickReply(label="不再通知", postback="opt_out"),))
    parts = [Text(text="https://x.example/a"), CouponCard(coupon="c"), replies]
    draw(phone, render(parts, Context("https://x.example", coupons={"c": CARD})))
    phone.get_by_role("button", name="查看優惠券").click()
    phone.get_by_role("button", name="不再通知").focus()
    phone.keyboard.press("Enter")
    phone.locator(".bub .address").click()
    assert phone.evaluate("window.tapped.map((one) => one.uri ?? one.data)") == [
        "https://x.example/c/t",
        "opt_out",
        "https://x.example/a",
    ]


@pytest.mark.browser
@pytest.mark.looks
def test_areas_of_a_rich_message_and_a_film_are_tapped(phone):
    box = {"x": 0, "y": 0, "width": 520, "height": 1040}
    message = {
        "type": "imagemap",
        "baseUrl": "https://x.example/media/a/map",
        "altText": "菜單",
        "baseSize": {"width": 1040, "height": 1040},
        "actions": [
            {"type": "uri", "linkUri": "https://x.example/1", "area": box},
            {"type": "clipboard", "clipboardText": "BENTO20", "area": {**box, "x": 520}},
        ],
    }
    film = {
        "type": "video",
        "originalContentUrl": "https://x.example/a.mp4",
        "previewImageUrl": "https://x.example/a.jpg",
    }
    draw(phone, [message, film])
    right = phone.get_by_role("button", name="BENTO20")
    whole, half = phone.locator(".map").bounding_box(), right.bounding_box()
    assert abs(half["width"] * 2 - whole["width"]) < 2
    assert abs(half["x"] - whole["x"] - half["width"]) < 2
    phone.get_by_role("button", name="https://x.example/1").click()
    right.focus()
    phone.keyboard.press("Enter")
    phone.locator(".film-still").click()
    # Just as LINE's phones (and the pretend ones) name these actions.
    assert phone.evaluate("window.tapped") == [
        {"type": "uri", "uri": "https://x.example/1"},
        {"type": "clipboard", "clipboardText": "BENTO20"},
        {"type": "uri", "uri": "https://x.example/a.mp4"},
    ]
    assert browse.serious_violations(phone) == []
    phone.console_errors.clear()  # pictures at addresses that lead nowhere


@pytest.mark.browser
@pytest.mark.looks
def test_in_a_preview_nothing_can_be_tapped(phone):
    parts = [CouponCard(coupon="c")]
    draw(phone, render(parts, Context("https://x.example", coupons={"c": CARD})), tappable=False)
    phone.get_by_role("button", name="查看優惠券").click()
    assert phone.evaluate("window.tapped") == []


@pytest.mark.browser
@pytest.mark.looks
def test_data_is_never_markup_nor_script(phone):
    evil = '"><img src=x onerror="window.tapped.push(1)"><script>window.tapped.push(2)</script>'
    box = {"type": "box", "layout": "vertical", "backgroundColor": "red;background:url(/x)"}
    draw(
        phone,
        [
            {"type": "text", "text": evil},
            {"type": evil, "altText": evil},
            {"type": "image", "previewImageUrl": "javascript:window.tapped.push(3)"},
            {"type": "image", "previewImageUrl": "//evil.example/x.png"},
            {
                "type": "flex",
                "altText": evil,
                "contents": {
                    "type": "bubble",
                    "size": evil,
                    "body": {
                        **box,
                        "height": "1px;background:url(/y)",
                        "contents": [
                            {"type": "text", "text": evil, "color": evil, "size": evil},
                            {"type": "image", "url": "data:text/html,x", "aspectRatio": evil},
                            {"type": "button", "action": {"type": "uri", "label": evil}},
                            {"type": evil},
                        ],
                    },
                },
            },
        ],
    )
    assert phone.locator(".msgs img, .msgs script").count() == 0
    assert phone.evaluate("window.tapped") == []
    styles = phone.locator(".msgs *").evaluate_all("(all) => all.map((one) => one.style.cssText)")
    assert "url(" not in "".join(styles)


@pytest.mark.browser
@pytest.mark.looks
def test_nested_boxes_carousels_and_pictures_are_drawn(phone):
    row = {
        "type": "box",
        "layout": "horizontal",
        "spacing": "md",
        "contents": [
            {"type": "text", "text": "左", "flex": 1},
            {"type": "separator"},
            {"type": "text", "text": "右", "flex": 2, "align": "end", "weight": "bold"},
        ],
    }
    bubble = {
        "type": "bubble",
        "size": "micro",
        "hero": {"type": "image", "url": "/static/img/favicon.svg", "size": "full"},
        "body": {"type": "box", "layout": "vertical", "contents": [row, {"type": "filler"}]},
    }
    carousel = {"type": "carousel", "contents": [bubble, bubble, bubble]}
    draw(phone, [{"type": "flex", "altText": "三張", "contents": carousel}])
    assert phone.locator(".flex-row > .flex").count() == 3
    left, right = (phone.get_by_text(word).first.bounding_box() for word in ("左", "右"))
    assert left["y"] == right["y"]
    assert left["x"] < right["x"]
    assert right["width"] > left["width"] * 1.5
    assert browse.sideways_overflow(phone) == 0


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(
                    [
                        *("text", "flex", "bubble", "carousel", "box", "image", "button", "icon"),
                        *("imagemap", "video", "uri", "x"),
                    ]
                ),
                **{
                    name: inner
                    for name in (
                        "contents",
                        "body",
                        "hero",
                        "action",
                        "quickReply",
                        "items",
                        "styles",
                        "actions",
                        "area",
                        "baseSize",
                    )
                },
                **{name: st.text(max_size=4) | inner for name in ("text", "url", "size", "flex")},
            },
        )
    ),
    max_leaves=15,
)


@pytest.mark.browser
@pytest.mark.looks
def test_no_message_is_too_odd_to_be_drawn(phone):
    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(anything, min_size=1, max_size=3))
    def drawn(messages):
        draw(phone, json.loads(json.dumps(messages)))

    drawn()
    phone.console_errors.clear()  # pictures at addresses that lead nowhere
