"""What LINE accepts as an action, depending on where the action sits.

Source: Messaging API reference, "Action objects".
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from lineadmin.simulator.shapes import (
    Details,
    action_uri,
    known_only,
    note,
    one_of,
    text,
)

EVERYWHERE = ("postback", "message", "uri", "datetimepicker", "clipboard")
QUICK_ONLY = ("camera", "cameraRoll", "location")

INPUT_OPTIONS = ("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice")

PROPERTIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # required, optional
    "postback": (("data",), ("displayText", "text", "inputOption", "fillInText")),
    "message": (("text",), ()),
    "uri": (("uri",), ("altUri",)),
    "datetimepicker": (("data", "mode"), ("initial", "max", "min")),
    "clipboard": (("clipboardText",), ()),
    "camera": ((), ()),
    "cameraRoll": ((), ()),
    "location": ((), ()),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an action sits: what its label must look like and which types fit there."""

    label_most: int
    label_required: bool
    types: tuple[str, ...] = EVERYWHERE
    alt_uri: bool = False


QUICK_REPLY = Place(20, True, EVERYWHERE + QUICK_ONLY)
TEMPLATE = Place(20, True)
TEMPLATE_DEFAULT = Place(20, False)
IMAGE_CAROUSEL = Place(12, False)
FLEX_BUTTON = Place(40, True, alt_uri=True)
FLEX = Place(40, False, alt_uri=True)
FLEX_VIDEO = Place(40, True, ("uri",), alt_uri=True)


def check_action(value: Any, path: str, place: Place, out: Details) -> None:
    """Note everything LINE refuses in one action object."""
    if not isinstance(value, dict):
        note(out, path, "must be an object")
        return
    kind = value.get("type")
    if kind not in place.types:
        note(out, f"{path}.type", f"Must be one of the following values: {list(place.types)}")
        return
    required, optional = PROPERTIES[kind]
    known_only(value, path, ("type", *required), (*optional, "label"), out)
    _check_label(value, path, place, out)
    if kind == "postback":
        _check_postback(value, path, out)
    elif kind == "message":
        text(value, "text", path, out, most=300, graphemes=True)
    elif kind == "uri":
        action_uri(value, "uri", path, out)
        _check_alt_uri(value, path, place, out)
    elif kind == "datetimepicker":
        _check_picker(value, path, out)
    elif kind == "clipboard":
        text(value, "clipboardText", path, out, most=1000)


def _check_label(value: dict[str, Any], path: str, place: Place, out: Details) -> None:
    if place.label_required and not value.get("label"):
        note(out, f"{path}.label", "May not be empty")
    else:
        text(value, "label", path, out, least=0, most=place.label_most, graphemes=True)


def _check_postback(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "data", path, out, least=0, most=300)
    text(value, "displayText", path, out, most=300, graphemes=True)
    text(value, "text", path, out, most=300, graphemes=True)
    if value.get("displayText") is not None and value.get("text") is not None:
        note(out, f"{path}.text", "can't be used together with displayText")
    one_of(value, "inputOption", path, out, INPUT_OPTIONS)
    text(value, "fillInText", path, out, most=300, graphemes=True)
    if value.get("fillInText") is not None and value.get("inputOption") != "openKeyboard":
        note(out, f"{path}.fillInText", "needs inputOption openKeyboard")


def _check_alt_uri(value: dict[str, Any], path: str, place: Place, out: Details) -> None:
    if value.get("altUri") is None:
        return
    if not place.alt_uri:
        note(out, f"{path}.altUri", "unknown property")
    elif known_only(value["altUri"], f"{path}.altUri", ("desktop",), (), out):
        action_uri(value["altUri"], "desktop", f"{path}.altUri", out)


_PICKER_FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "time": re.compile(r"\d\d:\d\d"),
    "datetime": re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d"),
}


def _check_picker(value: dict[str, Any], path: str, out: Details) -> None:
    text(value, "data", path, out, least=0, most=300)
    mode = value.get("mode")
    if not isinstance(mode, str) or mode not in _PICKER_FORMS:
        one_of(value, "mode", path, out, tuple(_PICKER_FORMS))
        return
    moments = {}
    for name in ("min", "initial", "max"):
        if value.get(name) is None:
            continue
        moment = _picker_moment(value[name], mode)
        if moment is None:
            note(out, f"{path}.{name}", "invalid property")
        else:
            moments[name] = moment
    for low, high in (("min", "initial"), ("initial", "max"), ("min", "max")):
        if low in moments and high in moments and moments[low] > moments[high]:
            note(out, f"{path}.{high}", f"must not be earlier than {low}")


def _picker_moment(value: Any, mode: str) -> str | None:
    if not isinstance(value, str) or not _PICKER_FORMS[mode].fullmatch(value):
        return None
    try:
        if mode == "time":
            time.fromisoformat(value)
        elif mode == "date":
            date.fromisoformat(value)
        else:
            datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    if mode != "time" and not 1900 <= int(value[:4]) <= 2100:
        return None
    return value.upper()
