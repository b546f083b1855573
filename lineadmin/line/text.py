"""Counting as LINE counts: UTF-16 units for texts, grapheme clusters for labels.

Source: https://developers.line.biz/en/docs/messaging-api/text-character-count/ (2026-08-07)
"""

from __future__ import annotations

from functools import cache
from typing import Any


def utf16_length(text: str) -> int:
    """UTF-16 code units: an emoji outside the basic plane counts as two."""
    return len(text) + sum(1 for character in text if character > "\uffff")


def grapheme_length(text: str) -> int:
    """Grapheme clusters: what a reader calls one character, a family emoji included."""
    if text.isascii() and "\r" not in text:
        return len(text)
    return sum(1 for _cluster in _clusters().finditer(text))


def cut_to_units(text: str, units: int) -> str:
    """The longest beginning of `text` within `units` UTF-16 units that splits no character."""
    if utf16_length(text) <= units:
        return text
    kept: list[str] = []
    for cluster in _clusters().finditer(text):
        units -= utf16_length(cluster.group())
        if units < 0:
            break
        kept.append(cluster.group())
    return "".join(kept)


def cut_to_graphemes(text: str, graphemes: int) -> str:
    """The first `graphemes` grapheme clusters of `text`."""
    if len(text) <= graphemes:
        return text
    kept: list[str] = []
    for cluster in _clusters().finditer(text):
        if len(kept) == graphemes:
            break
        kept.append(cluster.group())
    return "".join(kept)


def is_encodable(text: str) -> bool:
    """False for text with half a character in it (a lone surrogate), which is no valid UTF-8."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


@cache
def _clusters() -> Any:
    # 2 MB, wanted only where somebody writes a message.
    import regex  # type: ignore[import-untyped]

    return regex.compile(r"\X")
