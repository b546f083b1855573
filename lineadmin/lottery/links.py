"""Signed links: whoever has one draws for the friend it was made for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from lineadmin.lottery.models import Lottery

TOKEN = re.compile(r"([0-9]{1,9})-([0-9]{1,9})-([A-Za-z0-9_-]{22})")


def token_for(lottery: Lottery, friend_id: int) -> str:
    """The last part of a friend's address of this lottery; always the same for her."""
    return f"{lottery.id}-{friend_id}-{_signature(lottery, friend_id)}"


def page_path(lottery: Lottery, friend_id: int) -> str:
    """The path of a friend's page; put PUBLIC_URL before it."""
    return f"/c/l/{token_for(lottery, friend_id)}"


def read_token(token: str) -> tuple[Lottery, int] | None:
    """The lottery and the friend's id behind a token; None where it was not made here."""
    found = TOKEN.fullmatch(token)
    if found is None:
        return None
    lottery = Lottery.get_or_none(Lottery.id == int(found[1]))
    if lottery is None:
        return None
    friend_id = int(found[2])
    if not hmac.compare_digest(found[3], _signature(lottery, friend_id)):
        return None
    return lottery, friend_id


def _signature(lottery: Lottery, friend_id: int) -> str:
    entry = f"{lottery.id}:{friend_id}".encode()
    digest = hmac.new(bytes.fromhex(lottery.link_key), entry, hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
