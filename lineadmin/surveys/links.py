"""Signed links: whoever has one answers as the friend, and for the sending, it was made for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from lineadmin.surveys.models import Survey, SurveySending

TOKEN = re.compile(r"([0-9]{1,9})-([0-9]{1,9})-([0-9]{1,9})-([A-Za-z0-9_-]{22})")


@dataclass(frozen=True)
class Link:
    """What a link says: which survey, whose answer, and where it came from."""

    survey: Survey
    friend_id: int
    sending: SurveySending


def token_for(survey: Survey, friend_id: int, sending_id: int) -> str:
    """The last part of a friend's address of this survey; always the same for one sending."""
    signature = _signature(survey, friend_id, sending_id)
    return f"{survey.id}-{friend_id}-{sending_id}-{signature}"


def page_path(survey: Survey, friend_id: int, sending_id: int) -> str:
    """The path of a friend's page; put PUBLIC_URL before it."""
    return f"/c/s/{token_for(survey, friend_id, sending_id)}"


def read_token(token: str) -> Link | None:
    """What is behind a token; None where it was not made here."""
    found = TOKEN.fullmatch(token)
    if found is None:
        return None
    survey = Survey.get_or_none(Survey.id == int(found[1]))
    if survey is None:
        return None
    friend_id, sending_id = int(found[2]), int(found[3])
    if not hmac.compare_digest(found[4], _signature(survey, friend_id, sending_id)):
        return None
    sending = SurveySending.get_or_none(
        SurveySending.id == sending_id, SurveySending.survey == survey.id
    )
    return None if sending is None else Link(survey, friend_id, sending)


def _signature(survey: Survey, friend_id: int, sending_id: int) -> str:
    entry = f"{survey.id}:{friend_id}:{sending_id}".encode()
    digest = hmac.new(bytes.fromhex(survey.link_key), entry, hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
