"""`{name}` in texts: the friend's name, or `{name|貴賓}` where we know none. `{{` is a brace.

In templates of notices to one friend, any other word in braces is a variable that staff fill in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lineadmin.line.text import cut_to_units, utf16_length

FALLBACK = "朋友"
NAME_UNITS = 40  # LINE shows 20 characters of a name; an emoji takes two units
PLACEHOLDERS = ("name",)

_VARIABLE = re.compile(r"\w{1,30}")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}")


@dataclass(frozen=True)
class Placeholder:
    """A place for the friend's name; `fallback` is said where there is none."""

    fallback: str


@dataclass(frozen=True)
class Unknown:
    """Something in braces that means nothing to us."""

    written: str


Piece = str | Placeholder | Unknown


def parse(text: str) -> list[Piece]:
    """The text as literal pieces and placeholders. A brace without its partner is a literal."""
    pieces: list[Piece] = []
    literal = ""
    place = 0
    for token in _TOKEN.finditer(text):
        literal += text[place : token.start()]
        place = token.end()
        if token.group(1) is None:
            literal += token.group()[0]
            continue
        if literal:
            pieces.append(literal)
            literal = ""
        pieces.append(_placeholder(token.group(1), token.group()))
    literal += text[place:]
    return [*pieces, literal] if literal else pieces


def substitute(text: str, name: str | None) -> str:
    """`text` for the friend called `name`; her own braces in it mean nothing.

    What is unknown stays as written: check.py keeps such texts from being saved.
    """
    return "".join(_say(piece, tidy(name)) for piece in parse(text))


def has_name(text: str) -> bool:
    """True when the text differs from friend to friend."""
    return any(isinstance(piece, Placeholder) for piece in parse(text))


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and is no placeholder, as written."""
    return [piece.written for piece in parse(text) if isinstance(piece, Unknown)]


def is_variable(written: str) -> bool:
    """Whether what stands in braces, as written, can be filled in: {order_no}."""
    inside = written[1:-1].strip()
    return _VARIABLE.fullmatch(inside) is not None and inside not in PLACEHOLDERS


def variables(text: str) -> list[str]:
    """The variables of a template's text, each once, in order."""
    written = (one for one in unknown_placeholders(text) if is_variable(one))
    return list(dict.fromkeys(one[1:-1].strip() for one in written))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in, ready to be sent: braces in a value mean nothing."""

    def say(token: re.Match[str]) -> str:
        value = values.get((token.group(1) or "").strip())
        if value is None:
            return token.group()
        return value.replace("{", "{{").replace("}", "}}")

    return _TOKEN.sub(say, text)


def longest(text: str) -> str:
    """`text` as long as any friend's name can make it, for counting."""
    name = "名" * NAME_UNITS
    return "".join(
        max(name, piece.fallback, key=utf16_length)
        if isinstance(piece, Placeholder)
        else _say(piece, "")
        for piece in parse(text)
    )


def tidy(name: str | None) -> str:
    """A display name as it can stand in a sentence: one line, of sensible length."""
    return cut_to_units(" ".join((name or "").split()), NAME_UNITS)


def _placeholder(inside: str, written: str) -> Piece:
    key, bar, fallback = inside.partition("|")
    if key.strip() not in PLACEHOLDERS:
        return Unknown(written)
    return Placeholder(fallback if bar else FALLBACK)


def _say(piece: Piece, name: str) -> str:
    if isinstance(piece, Placeholder):
        return name or piece.fallback
    return piece.written if isinstance(piece, Unknown) else piece
