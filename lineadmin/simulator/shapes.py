"""The bricks of request checks: each looks at one JSON value and notes what LINE would refuse.

A problem is ``{"message", "property"}``, as in the ``details`` of LINE's error answers.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import regex  # type: ignore[import-untyped]

Details = list[dict[str, str]]
Check = Callable[[dict[str, Any], str, Details], None]

USER_ID = re.compile(r"U[0-9a-f]{32}")
CHAT_ID = re.compile(r"[UCR][0-9a-f]{32}")
_GRAPHEME = regex.compile(r"\X")
_URL_OK = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
MAX_MEDIA_URL = 2000
MAX_ACTION_URI = 1000


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, LINE's default way to count (an apple emoji is 2)."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def grapheme_length(text: str) -> int:
    """Length in grapheme clusters, LINE's way to count labels and template texts."""
    if text.isascii() and "\r" not in text:
        return len(text)
    return len(_GRAPHEME.findall(text))


def note(out: Details, path: str, message: str) -> None:
    """Add one problem."""
    out.append({"message": message, "property": path})


def known_only(
    value: Any, path: str, required: Collection[str], optional: Collection[str], out: Details
) -> bool:
    """Whether ``value`` is an object worth a closer look; missing and unknown properties noted."""
    if not isinstance(value, dict):
        note(out, path, "must be an object")
        return False
    for name in required:
        if value.get(name) is None:
            note(out, f"{path}.{name}", "must be specified")
    for name in value:
        if name not in required and name not in optional:
            note(out, f"{path}.{name}", "unknown property")
    return True


def text(
    holder: Mapping[str, Any],
    name: str,
    path: str,
    out: Details,
    *,
    most: int,
    least: int = 1,
    graphemes: bool = False,
) -> None:
    """A string of bounded length; a missing one is left to ``known_only``."""
    value = holder.get(name)
    if value is None:
        return
    where = f"{path}.{name}"
    if not isinstance(value, str):
        note(out, where, "must be a string")
        return
    if least and not value:
        note(out, where, "May not be empty")
        return
    length = grapheme_length(value) if graphemes else utf16_length(value)
    if not least <= length <= most:
        note(out, where, f"Length must be between {least} and {most}")


def one_of(
    holder: Mapping[str, Any], name: str, path: str, out: Details, choices: Collection[str]
) -> None:
    """A string out of a fixed set."""
    value = holder.get(name)
    if value is not None and (not isinstance(value, str) or value not in choices):
        note(out, f"{path}.{name}", f"Must be one of the following values: {list(choices)}")


def boolean(holder: Mapping[str, Any], name: str, path: str, out: Details) -> None:
    """true or false."""
    if holder.get(name) is not None and not isinstance(holder[name], bool):
        note(out, f"{path}.{name}", "must be a boolean")


def integer(
    holder: Mapping[str, Any],
    name: str,
    path: str,
    out: Details,
    *,
    least: int = 0,
    most: int = 2**31 - 1,
) -> None:
    """A whole number within bounds."""
    value = holder.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        note(out, f"{path}.{name}", "must be an integer")
    elif not least <= value <= most:
        note(out, f"{path}.{name}", f"must be between {least} and {most}")


def number(
    holder: Mapping[str, Any], name: str, path: str, out: Details, *, least: float, most: float
) -> None:
    """A number within bounds."""
    value = holder.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        note(out, f"{path}.{name}", "must be a number")
    elif not least <= value <= most:
        note(out, f"{path}.{name}", f"must be between {least:g} and {most:g}")


def matches(
    holder: Mapping[str, Any], name: str, path: str, out: Details, pattern: re.Pattern[str]
) -> None:
    """A string of a given form."""
    value = holder.get(name)
    if value is not None and (not isinstance(value, str) or not pattern.fullmatch(value)):
        note(out, f"{path}.{name}", "invalid property")


def items(
    holder: Mapping[str, Any], name: str, path: str, out: Details, *, least: int, most: int
) -> list[Any]:
    """A list of bounded size; an empty list where it is missing or wrong."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        note(out, f"{path}.{name}", "must be an array")
        return []
    if not least <= len(value) <= most:
        note(out, f"{path}.{name}", f"Size must be between {least} and {most}")
    return value


def media_url(holder: Mapping[str, Any], name: str, path: str, out: Details) -> None:
    """An https address of at most 2,000 characters, percent-encoded."""
    value = holder.get(name)
    if value is not None:
        _url(value, f"{path}.{name}", out, ("https",), MAX_MEDIA_URL)


def action_uri(holder: Mapping[str, Any], name: str, path: str, out: Details) -> None:
    """An address a tap may open: http, https, line or tel, at most 1,000 characters."""
    value = holder.get(name)
    if value is not None:
        _url(value, f"{path}.{name}", out, ("http", "https", "line", "tel"), MAX_ACTION_URI)


def _url(value: Any, where: str, out: Details, schemes: Collection[str], most: int) -> None:
    if not isinstance(value, str):
        note(out, where, "must be a string")
        return
    if not 1 <= utf16_length(value) <= most:
        note(out, where, f"Length must be between 1 and {most}")
        return
    try:
        parts = urlsplit(value)
    except ValueError:
        note(out, where, "invalid uri")
        return
    if parts.scheme.lower() not in schemes:
        note(out, where, "invalid uri scheme")
    elif not _URL_OK.fullmatch(value) or _BAD_ESCAPE.search(value):
        note(out, where, "invalid uri: must be percent-encoded")
    elif parts.scheme.lower() in ("http", "https") and not parts.hostname:
        note(out, where, "invalid uri: no host")
