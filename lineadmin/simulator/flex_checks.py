"""What LINE accepts as a flex container: sizes, structure and every property of every component.

Source: Messaging API reference, "Flex Message".
"""

import json
import re
from typing import Any

from lineadmin.simulator.action_checks import FLEX, FLEX_BUTTON, FLEX_VIDEO, check_action
from lineadmin.simulator.shapes import (
    Details,
    boolean,
    integer,
    items,
    known_only,
    media_url,
    note,
    one_of,
    text,
)

MAX_BUBBLE_BYTES = 30 * 1024
MAX_CAROUSEL_BYTES = 50 * 1024
MAX_BUBBLES = 12
BUBBLE_SIZES = ("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")
VIDEO_SIZES = ("kilo", "mega", "giga")
BLOCKS = ("header", "hero", "body", "footer")

SPACINGS = ("none", "xs", "sm", "md", "lg", "xl", "xxl")
SIZES = ("xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl")
BORDERS = ("none", "light", "normal", "medium", "semi-bold", "bold")

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?")
_RATIO = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")
_DEGREES = re.compile(r"(\d+(?:\.\d+)?)deg")
_PIXELS = r"\d+(?:\.\d+)?px"
_PERCENT = r"\d+(?:\.\d+)?%"


def _measure(keywords: tuple[str, ...] = (), *, percent: bool = False) -> re.Pattern[str]:
    kinds = [_PIXELS, *map(re.escape, keywords)] + ([_PERCENT] if percent else [])
    return re.compile("|".join(kinds))


COLOR = _COLOR
SPACING = _measure(SPACINGS)
OFFSET = _measure(SPACINGS, percent=True)
LENGTH = _measure(percent=True)

MEASURES: dict[str, re.Pattern[str]] = {
    "spacing": SPACING,
    "margin": SPACING,
    "offsetTop": OFFSET,
    "offsetBottom": OFFSET,
    "offsetStart": OFFSET,
    "offsetEnd": OFFSET,
    "paddingAll": OFFSET,
    "paddingTop": OFFSET,
    "paddingBottom": OFFSET,
    "paddingStart": OFFSET,
    "paddingEnd": OFFSET,
    "borderWidth": _measure(BORDERS),
    "cornerRadius": SPACING,
    "width": LENGTH,
    "maxWidth": LENGTH,
    "maxHeight": LENGTH,
    "lineSpacing": re.compile(_PIXELS),
    "color": _COLOR,
    "backgroundColor": _COLOR,
    "borderColor": _COLOR,
}
CHOICES: dict[str, tuple[str, ...]] = {
    "position": ("relative", "absolute"),
    "gravity": ("top", "bottom", "center"),
    "align": ("start", "end", "center"),
    "justifyContent": (
        "center",
        "flex-start",
        "flex-end",
        "space-between",
        "space-around",
        "space-evenly",
    ),
    "alignItems": ("center", "flex-start", "flex-end"),
    "weight": ("regular", "bold"),
    "decoration": ("none", "underline", "line-through"),
    "adjustMode": ("shrink-to-fit",),
    "aspectMode": ("fit", "cover"),
    "layout": ("horizontal", "vertical", "baseline"),
}
BOOLEANS = ("wrap", "scaling", "animated")

_PLACED = ("margin", "position", "offsetTop", "offsetBottom", "offsetStart", "offsetEnd")
PROPERTIES: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {  # required, optional
    "box": (
        ("layout", "contents"),
        frozenset(
            (
                *_PLACED,
                "flex",
                "spacing",
                "backgroundColor",
                "borderColor",
                "borderWidth",
                "cornerRadius",
                "width",
                "maxWidth",
                "height",
                "maxHeight",
                "paddingAll",
                "paddingTop",
                "paddingBottom",
                "paddingStart",
                "paddingEnd",
                "action",
                "justifyContent",
                "alignItems",
                "background",
            )
        ),
    ),
    "button": (
        ("action",),
        frozenset(
            (*_PLACED, "flex", "color", "style", "gravity", "height", "adjustMode", "scaling")
        ),
    ),
    "image": (
        ("url",),
        frozenset(
            (
                *_PLACED,
                "flex",
                "align",
                "gravity",
                "size",
                "aspectRatio",
                "aspectMode",
                "backgroundColor",
                "action",
                "animated",
            )
        ),
    ),
    "video": (("url", "previewUrl", "altContent"), frozenset(("aspectRatio", "action"))),
    "icon": (("url",), frozenset((*_PLACED, "size", "aspectRatio", "scaling"))),
    "text": (
        (),
        frozenset(
            (
                *_PLACED,
                "text",
                "contents",
                "flex",
                "size",
                "align",
                "gravity",
                "color",
                "weight",
                "style",
                "decoration",
                "wrap",
                "lineSpacing",
                "action",
                "maxLines",
                "adjustMode",
                "scaling",
            )
        ),
    ),
    "span": (("text",), frozenset(("size", "color", "weight", "style", "decoration"))),
    "separator": ((), frozenset(("margin", "color"))),
    "filler": ((), frozenset(("flex",))),
}
IN_BOX = ("box", "button", "image", "text", "separator", "filler")
IN_BASELINE = ("icon", "text", "filler")


def check_container(value: Any, path: str, out: Details) -> None:
    """Note everything LINE refuses in the ``contents`` of a flex message."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "bubble":
        _check_weight(value, path, MAX_BUBBLE_BYTES, out)
        _check_bubble(value, path, out, in_carousel=False)
    elif kind == "carousel":
        _check_weight(value, path, MAX_CAROUSEL_BYTES, out)
        known_only(value, path, ("type", "contents"), (), out)
        bubbles = items(value, "contents", path, out, least=1, most=MAX_BUBBLES)
        for index, bubble in enumerate(bubbles):
            where = f"{path}.contents[{index}]"
            if not isinstance(bubble, dict) or bubble.get("type") != "bubble":
                note(out, f"{where}.type", "must be bubble")
                continue
            _check_weight(bubble, where, MAX_BUBBLE_BYTES, out)
            _check_bubble(bubble, where, out, in_carousel=True)
        sizes = {str(b.get("size") or "mega") for b in bubbles if isinstance(b, dict)}
        if len(sizes) > 1:
            note(out, f"{path}.contents", "all bubbles must have the same size")
    else:
        note(out, f"{path}.type", "Must be one of the following values: ['bubble', 'carousel']")


def _check_weight(value: Any, path: str, most: int, out: Details) -> None:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > most:
        note(out, path, f"must be at most {most // 1024} KB of JSON")


def _check_bubble(value: dict[str, Any], path: str, out: Details, *, in_carousel: bool) -> None:
    known_only(value, path, ("type",), (*BLOCKS, "size", "direction", "styles", "action"), out)
    one_of(value, "size", path, out, BUBBLE_SIZES)
    one_of(value, "direction", path, out, ("ltr", "rtl"))
    if value.get("action") is not None:
        check_action(value["action"], f"{path}.action", FLEX, out)
    if all(value.get(block) is None for block in BLOCKS):
        note(out, path, "At least one block must be specified")
    for block in BLOCKS:
        component = value.get(block)
        if component is None:
            continue
        allowed = ("box", "image", "video") if block == "hero" else ("box",)
        _check_component(component, f"{path}.{block}", allowed, out)
        if block == "hero" and isinstance(component, dict) and component.get("type") == "video":
            if in_carousel:
                note(out, f"{path}.hero", "a video can't be used in a carousel")
            if (value.get("size") or "mega") not in VIDEO_SIZES:
                note(out, f"{path}.size", "a video needs kilo, mega or giga")
    if value.get("styles") is not None:
        _check_styles(value["styles"], f"{path}.styles", out)


def _check_styles(value: Any, path: str, out: Details) -> None:
    if not known_only(value, path, (), BLOCKS, out):
        return
    for block, style in value.items():
        where = f"{path}.{block}"
        if block in BLOCKS and known_only(
            style, where, (), ("backgroundColor", "separator", "separatorColor"), out
        ):
            _pattern(style, "backgroundColor", where, COLOR, out)
            _pattern(style, "separatorColor", where, COLOR, out)
            boolean(style, "separator", where, out)


def _check_component(value: Any, path: str, allowed: tuple[str, ...], out: Details) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in allowed:
        note(out, f"{path}.type", f"Must be one of the following values: {list(allowed)}")
        return
    required, optional = PROPERTIES[kind]
    known_only(value, path, ("type", *required), optional, out)
    for name in value:
        if name in MEASURES and name in optional:
            _pattern(value, name, path, MEASURES[name], out)
        elif name in CHOICES:
            one_of(value, name, path, out, CHOICES[name])
        elif name in BOOLEANS:
            boolean(value, name, path, out)
    integer(value, "flex", path, out)
    if value.get("aspectRatio") is not None:
        _check_ratio(value, path, out)
    if value.get("action") is not None:
        place = {"button": FLEX_BUTTON, "video": FLEX_VIDEO}.get(kind, FLEX)
        check_action(value["action"], f"{path}.action", place, out)
    _SPECIFIC[kind](value, path, out)


def _check_box(value: dict[str, Any], path: str, out: Details) -> None:
    _pattern(value, "height", path, LENGTH, out)
    allowed = IN_BASELINE if value.get("layout") == "baseline" else IN_BOX
    for index, child in enumerate(items(value, "contents", path, out, least=0, most=1000)):
        _check_component(child, f"{path}.contents[{index}]", allowed, out)
    if value.get("background") is not None:
        _check_background(value["background"], f"{path}.background", out)


def _check_background(value: Any, path: str, out: Details) -> None:
    if not known_only(
        value,
        path,
        ("type", "angle", "startColor", "endColor"),
        ("centerColor", "centerPosition"),
        out,
    ):
        return
    one_of(value, "type", path, out, ("linearGradient",))
    for name in ("startColor", "endColor", "centerColor"):
        _pattern(value, name, path, COLOR, out)
    _pattern(value, "centerPosition", path, re.compile(_PERCENT), out)
    angle = value.get("angle")
    if angle is not None:
        found = _DEGREES.fullmatch(angle) if isinstance(angle, str) else None
        if found is None or not 0 <= float(found[1]) < 360:
            note(out, f"{path}.angle", "invalid property")


def _check_button(value: dict[str, Any], path: str, out: Details) -> None:
    one_of(value, "height", path, out, ("sm", "md"))
    one_of(value, "style", path, out, ("primary", "secondary", "link"))


def _check_image(value: dict[str, Any], path: str, out: Details) -> None:
    media_url(value, "url", path, out)
    _pattern(value, "size", path, _IMAGE_SIZE, out)


def _check_video(value: dict[str, Any], path: str, out: Details) -> None:
    media_url(value, "url", path, out)
    media_url(value, "previewUrl", path, out)
    if value.get("altContent") is not None:
        _check_component(value["altContent"], f"{path}.altContent", ("box", "image"), out)


def _check_icon(value: dict[str, Any], path: str, out: Details) -> None:
    media_url(value, "url", path, out)
    _pattern(value, "size", path, _TEXT_SIZE, out)


def _check_text(value: dict[str, Any], path: str, out: Details) -> None:
    _pattern(value, "size", path, _TEXT_SIZE, out)
    one_of(value, "style", path, out, ("normal", "italic"))
    integer(value, "maxLines", path, out)
    spans = items(value, "contents", path, out, least=0, most=1000)
    for index, span in enumerate(spans):
        _check_component(span, f"{path}.contents[{index}]", ("span",), out)
    if not spans:
        if value.get("text") is None:
            note(out, f"{path}.text", "must be specified")
        text(value, "text", path, out, most=2**31)


def _check_span(value: dict[str, Any], path: str, out: Details) -> None:
    _pattern(value, "size", path, _TEXT_SIZE, out)
    one_of(value, "style", path, out, ("normal", "italic"))
    text(value, "text", path, out, most=2**31)


def _nothing_more(_value: dict[str, Any], _path: str, _out: Details) -> None:
    """Separator and filler hold only measures."""


_TEXT_SIZE = _measure(SIZES)
_IMAGE_SIZE = _measure((*SIZES, "full"), percent=True)
_SPECIFIC = {
    "box": _check_box,
    "button": _check_button,
    "image": _check_image,
    "video": _check_video,
    "icon": _check_icon,
    "text": _check_text,
    "span": _check_span,
    "separator": _nothing_more,
    "filler": _nothing_more,
}


def _check_ratio(value: dict[str, Any], path: str, out: Details) -> None:
    found = value["aspectRatio"]
    parts = _RATIO.fullmatch(found) if isinstance(found, str) else None
    if parts is None:
        note(out, f"{path}.aspectRatio", "invalid property")
        return
    width, height = float(parts[1]), float(parts[2])
    if not (1 <= width <= 100_000 and 1 <= height <= 100_000 and height <= width * 3):
        note(out, f"{path}.aspectRatio", "invalid property")


def _pattern(
    value: dict[str, Any], name: str, path: str, pattern: re.Pattern[str], out: Details
) -> None:
    found = value.get(name)
    if found is not None and (not isinstance(found, str) or not pattern.fullmatch(found)):
        note(out, f"{path}.{name}", "invalid property")
