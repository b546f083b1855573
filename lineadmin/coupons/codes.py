"""Tokens and codes of coupon copies: made at random, and read from whatever people type or scan."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

# Crockford's base 32: no I, L, O or U, so nothing is misread and nothing spells a word.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12  # 60 bits
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
LONGEST_INPUT = 400
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_NOT_IN_A_CODE = re.compile(r"[\W_]+")


def new_token() -> str:
    """128 random bits, safe in an address: 22 characters."""
    return secrets.token_urlsafe(16)


def new_code() -> str:
    """60 random bits as 12 characters, without dashes."""
    number = secrets.randbits(5 * CODE_LENGTH)
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(CODE_LENGTH)))


def shown(code: str) -> str:
    """ABCDEF123456 as people read it out: ABCD-EF12-3456."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def parse_code(text: str) -> str | None:
    """The code somebody meant, without dashes; None where it cannot be one.

    Lower case, spaces, any dashes, full-width letters, O for 0 and I or L for 1 are all read.
    """
    plain = unicodedata.normalize("NFKC", text[:LONGEST_INPUT]).upper()
    # The long vowel mark is what a Japanese keyboard gives for a dash; it counts as a letter.
    plain = _NOT_IN_A_CODE.sub("", plain.replace("ー", "")).translate(_MISREAD)
    if len(plain) != CODE_LENGTH or any(letter not in ALPHABET for letter in plain):
        return None
    return plain


@dataclass(frozen=True)
class Entry:
    """What was typed or scanned: a code, a token out of a link, or neither."""

    text: str
    code: str | None = None
    token: str | None = None
    foreign: bool = False  # a link that leads somewhere else


def read_entry(text: str) -> Entry:
    """Tell a code from a coupon link; a link to anything but a coupon is foreign.

    The QR on a friend's page holds the address of the counter screen with the code at its end.
    """
    text = unicodedata.normalize("NFKC", text.strip()[:LONGEST_INPUT])
    if re.match(r"(?i)[a-z][a-z0-9+.-]*://", text):
        try:
            path = urlsplit(text).path
        except ValueError:
            path = ""
        page = re.fullmatch(rf"(?:.*/)?c/({TOKEN.pattern})/?", path)
        if page:
            return Entry(text, token=page[1])
        counter = re.fullmatch(r"(?:.*/)?redeem/([^/]+)/?", path)
        code = parse_code(counter[1]) if counter else None
        return Entry(text, code=code, foreign=code is None)
    code = parse_code(text)
    if code is None and TOKEN.fullmatch(text):
        return Entry(text, token=text)
    return Entry(text, code=code)
