"""A message in one line, for lists and timelines."""

from __future__ import annotations

from collections.abc import Sequence

from lineadmin.line.text import cut_to_graphemes
from lineadmin.messages.parts import CouponCard, Image, Part, Sticker, Text, bubbles

SUMMARY_GRAPHEMES = 60


def summarise(parts: Sequence[Part]) -> str:
    """The beginning of what is said. It is stored, so what is no text shows as a sign that
    needs no language."""
    words = " ".join(word for word in map(_word, bubbles(parts)) if word)
    short = cut_to_graphemes(words, SUMMARY_GRAPHEMES)
    return short if short == words else f"{short.rstrip()}…"


def _word(part: Part) -> str:
    if isinstance(part, Text):
        return " ".join(part.text.split())
    if isinstance(part, Sticker):
        return "🙂"
    if isinstance(part, Image):
        return "🖼️"
    if isinstance(part, CouponCard):
        return f"🎟️ {part.coupon}"
    return ""
