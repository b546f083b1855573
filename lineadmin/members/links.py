"""Signed links: whoever has one sees the own pages of the friend it was made for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from lineadmin import clock, settings

KEY = "members.link_key"
HOME = "home"
TOKEN = re.compile(r"([0-9]{1,9})-([A-Za-z0-9_-]{22})")


def token_for(friend_id: int) -> str:
    """The friend's part of the address of her pages; always the same for her."""
    return f"{friend_id}-{_signature(friend_id, _key())}"


def page_path(friend_id: int, page: str = HOME) -> str:
    """The path of one of a friend's own pages; put PUBLIC_URL before it."""
    path = f"/me/{token_for(friend_id)}"
    return path if page == HOME else f"{path}/{page}"


def read_token(token: str) -> int | None:
    """The friend's id behind a token; None where it was not made here."""
    found = TOKEN.fullmatch(token)
    key = settings.get(KEY)
    if found is None or key is None:
        return None
    friend_id = int(found[1])
    return friend_id if hmac.compare_digest(found[2], _signature(friend_id, key)) else None


def _key() -> str:
    """The shop's own key. It lies with its data, so that links outlive a new SECRET_KEY."""
    return str(settings.get(KEY) or settings.keep(KEY, secrets.token_hex(32), wall=clock.wall()))


def _signature(friend_id: int, key: str) -> str:
    digest = hmac.new(bytes.fromhex(key), str(friend_id).encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
