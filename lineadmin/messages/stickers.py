"""Stickers an official account may send, as far as the picker offers them.

Source: https://developers.line.biz/en/docs/messaging-api/sticker-list/ (2026-08-10)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pack:
    """A package of stickers; its ids run from `first` to `last`."""

    package_id: str
    name: str  # LINE's own title
    first: int
    last: int

    @property
    def sticker_ids(self) -> list[str]:
        """The stickers in LINE's order."""
        return [str(number) for number in range(self.first, self.last + 1)]


PACKS = (
    Pack("11537", "Brown & Cony & Sally", 52002734, 52002773),
    Pack("11538", "CHOCO & Friends", 51626494, 51626533),
    Pack("11539", "UNIVERSTAR BT21", 52114110, 52114149),
    Pack("8522", "LINE Characters: Pretty Phrases", 16581266, 16581289),
    Pack("6325", "Brown and Cony Fun Size", 10979904, 10979927),
    Pack("446", "Moon", 1988, 2027),
    Pack("789", "Sally", 10855, 10894),
    Pack("1070", "Moon 2", 17839, 17878),
)
