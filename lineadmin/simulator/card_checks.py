"""What LINE accepts as an imagemap or a template: pictures and cards with places to tap.

Source: Messaging API reference, "Imagemap message" and "Template messages".
"""

import re
from typing import Any

from lineadmin.simulator.action_checks import (
    IMAGE_CAROUSEL,
    TEMPLATE,
    TEMPLATE_DEFAULT,
    check_action,
)
from lineadmin.simulator.shapes import (
    Check,
    Details,
    action_uri,
    integer,
    items,
    known_only,
    matches,
    media_url,
    note,
    one_of,
    text,
)

MAX_ALT_TEXT = 1500
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


def check_imagemap(value: dict[str, Any], path: str, out: Details) -> None:
    media_url(value, "baseUrl", path, out)
    text(value, "altText", path, out, most=MAX_ALT_TEXT)
    if value.get("baseSize") is not None and known_only(
        value["baseSize"], f"{path}.baseSize", ("width", "height"), (), out
    ):
        integer(value["baseSize"], "width", f"{path}.baseSize", out, least=1040, most=1040)
        integer(value["baseSize"], "height", f"{path}.baseSize", out, least=1)
    for index, action in enumerate(items(value, "actions", path, out, least=0, most=50)):
        _check_imagemap_action(action, f"{path}.actions[{index}]", out)
    if value.get("video") is not None:
        _check_imagemap_video(value["video"], f"{path}.video", out)
    elif value.get("actions") == []:
        note(out, f"{path}.actions", "Size must be between 1 and 50")


_IMAGEMAP_ACTIONS = {"uri": "linkUri", "message": "text", "clipboard": "clipboardText"}


def _check_imagemap_action(value: Any, path: str, out: Details) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in _IMAGEMAP_ACTIONS:
        note(out, f"{path}.type", f"Must be one of the following values: {list(_IMAGEMAP_ACTIONS)}")
        return
    known_only(value, path, ("type", _IMAGEMAP_ACTIONS[kind], "area"), ("label",), out)
    text(value, "label", path, out, most=100)
    action_uri(value, "linkUri", path, out)
    text(value, "text", path, out, most=400)
    text(value, "clipboardText", path, out, most=1000)
    if value.get("area") is not None:
        _check_area(value["area"], f"{path}.area", out)


def _check_area(value: Any, path: str, out: Details) -> None:
    if known_only(value, path, ("x", "y", "width", "height"), (), out):
        for name in ("x", "y"):
            integer(value, name, path, out)
        for name in ("width", "height"):
            integer(value, name, path, out, least=1)


def _check_imagemap_video(value: Any, path: str, out: Details) -> None:
    if not known_only(
        value, path, ("originalContentUrl", "previewImageUrl", "area"), ("externalLink",), out
    ):
        return
    media_url(value, "originalContentUrl", path, out)
    media_url(value, "previewImageUrl", path, out)
    if value.get("area") is not None:
        _check_area(value["area"], f"{path}.area", out)
    link = value.get("externalLink")
    if link is not None and known_only(link, f"{path}.externalLink", ("linkUri", "label"), (), out):
        action_uri(link, "linkUri", f"{path}.externalLink", out)
        text(link, "label", f"{path}.externalLink", out, most=30)


def check_template(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "altText", path, out, most=MAX_ALT_TEXT)
    template = value.get("template")
    if template is None:
        return
    where = f"{path}.template"
    kind = template.get("type") if isinstance(template, dict) else None
    if not isinstance(kind, str) or kind not in TEMPLATES:
        note(out, f"{where}.type", f"Must be one of the following values: {list(TEMPLATES)}")
        return
    required, optional, check = TEMPLATES[kind]
    known_only(template, where, ("type", *required), optional, out)
    check(template, where, out)


_IMAGE_LOOK = ("imageAspectRatio", "imageSize")
_CARD = ("thumbnailImageUrl", "imageBackgroundColor", "title", "defaultAction")


def _check_look(value: dict[str, Any], path: str, out: Details) -> None:
    one_of(value, "imageAspectRatio", path, out, ("rectangle", "square"))
    one_of(value, "imageSize", path, out, ("cover", "contain"))


def _check_card(
    value: dict[str, Any], path: str, out: Details, *, plain: int, rich: int, actions: int
) -> None:
    """A buttons template or a carousel column: a card with text, perhaps a title and a picture."""
    media_url(value, "thumbnailImageUrl", path, out)
    matches(value, "imageBackgroundColor", path, out, _COLOR)
    text(value, "title", path, out, most=40, graphemes=True)
    decorated = value.get("thumbnailImageUrl") or value.get("title")
    text(value, "text", path, out, most=rich if decorated else plain, graphemes=True)
    if value.get("defaultAction") is not None:
        check_action(value["defaultAction"], f"{path}.defaultAction", TEMPLATE_DEFAULT, out)
    for index, action in enumerate(items(value, "actions", path, out, least=1, most=actions)):
        check_action(action, f"{path}.actions[{index}]", TEMPLATE, out)


def _check_buttons(value: dict[str, Any], path: str, out: Details) -> None:
    _check_look(value, path, out)
    _check_card(value, path, out, plain=160, rich=60, actions=4)


def _check_confirm(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "text", path, out, most=240, graphemes=True)
    for index, action in enumerate(items(value, "actions", path, out, least=2, most=2)):
        check_action(action, f"{path}.actions[{index}]", TEMPLATE, out)


def _check_carousel(value: dict[str, Any], path: str, out: Details) -> None:
    _check_look(value, path, out)
    columns = items(value, "columns", path, out, least=1, most=10)
    shapes = set()
    for index, column in enumerate(columns):
        where = f"{path}.columns[{index}]"
        if not known_only(column, where, ("text", "actions"), _CARD, out):
            continue
        _check_card(column, where, out, plain=120, rich=60, actions=3)
        actions = column.get("actions")
        shapes.add(
            (
                len(actions) if isinstance(actions, list) else 0,
                bool(column.get("title")),
                bool(column.get("thumbnailImageUrl")),
            )
        )
    if len(shapes) > 1:
        note(out, f"{path}.columns", "all columns need the same parts and number of actions")


def _check_image_carousel(value: dict[str, Any], path: str, out: Details) -> None:
    for index, column in enumerate(items(value, "columns", path, out, least=1, most=10)):
        where = f"{path}.columns[{index}]"
        if known_only(column, where, ("imageUrl", "action"), (), out):
            media_url(column, "imageUrl", where, out)
            if column.get("action") is not None:
                check_action(column["action"], f"{where}.action", IMAGE_CAROUSEL, out)


TEMPLATES: dict[str, tuple[tuple[str, ...], tuple[str, ...], Check]] = {
    "buttons": (("text", "actions"), (*_IMAGE_LOOK, *_CARD), _check_buttons),
    "confirm": (("text", "actions"), (), _check_confirm),
    "carousel": (("columns",), _IMAGE_LOOK, _check_carousel),
    "image_carousel": (("columns",), (), _check_image_carousel),
}
