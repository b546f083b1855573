"""What stands behind `/t/`: the link's code, and for one friend's own link her number, signed.

A code alone leads to the address and says nothing about who came. A signature that does not fit is
as good as none.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache

from lineadmin import config

CODE_LENGTH = 10
ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz"  # neither 0 and o nor 1 and l
MAC_BYTES = 10
LONGEST_PATH = len("/t/") + CODE_LENGTH + 1 + 7 + 1 + 16  # with a friend's number up to 36^7

_TOKEN = re.compile(rf"([{ALPHABET}]{{{CODE_LENGTH}}})(?:-([0-9a-z]{{1,7}})-([a-z2-7]{{16}}))?")
_CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LENGTH}}}(?![{ALPHABET}])")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Token:
    """A token as it was read. `friend_id` only where the signature is ours.

    `plain`: there was nothing but the code, as in a link that is the same for everybody.
    """

    code: str
    friend_id: int | None = None
    plain: bool = False


def new_code() -> str:
    """A code nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def path(code: str, friend_id: int | None = None) -> str:
    """The path of a link, for one friend or for everybody."""
    if friend_id is None:
        return f"/t/{code}"
    number = _base36(friend_id)
    return f"/t/{code}-{number}-{_sign(code, number)}"


def read(token: str) -> Token | None:
    """What a token says; None where it does not even begin with a code."""
    whole = _TOKEN.fullmatch(token)
    if whole is None:
        begun = _CODE.match(token)
        return None if begun is None else Token(begun.group())
    code, number, signature = whole.groups()
    if number is None:
        return Token(code, plain=True)
    genuine = hmac.compare_digest(signature, _sign(code, number))
    return Token(code, int(number, 36) if genuine else None)


def _sign(code: str, number: str) -> str:
    written = f"{code}-{number}".encode()
    digest = hmac.digest(_key(config.current().secret_key), written, "sha256")
    return base64.b32encode(digest[:MAC_BYTES]).decode().lower()


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"tracked links\0" + secret.encode()).digest()


def _base36(number: int) -> str:
    written = ""
    while number:
        number, rest = divmod(number, 36)
        written = _DIGITS[rest] + written
    return written or "0"
