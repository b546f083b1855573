"""A staff member's own LINE, bound by typing a six-digit code to the account."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from lineadmin.db import atomic
from lineadmin.staff import audit, throttle
from lineadmin.staff.models import LinkCode, Staff

LIFE = timedelta(minutes=15)
CODE = re.compile(r"[0-9]{6}")
# What a phone's keyboard makes of six digits.
_NOT_DIGITS = re.compile(r"[\s\-－‐]+")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


def issue_code(staff: Staff, *, wall: datetime) -> LinkCode:
    """A fresh code for `staff`; an older one of theirs ends."""
    with atomic():
        LinkCode.delete().where((LinkCode.staff == staff) | (LinkCode.expires_at <= wall)).execute()
        taken = {row.code for row in LinkCode.select(LinkCode.code)}
        code = _random_code(taken)
        made: LinkCode = LinkCode.create(staff=staff, code=code, expires_at=wall + LIFE)
    return made


def waiting_code(staff: Staff, *, wall: datetime) -> LinkCode | None:
    """The code that still waits to be typed, to be shown again."""
    found: LinkCode | None = LinkCode.get_or_none(
        LinkCode.staff == staff, LinkCode.expires_at > wall
    )
    return found


def claim_code(text: str, friend_id: int, *, wall: datetime) -> Staff | None:
    """Bind this friend to the person whose code she typed; None where `text` is no live code.

    Six digits can be an order number as well, so a miss is not an event. While codes wait, a friend
    has a few guesses only. Typed twice (LINE redelivers), the second time is a miss.
    """
    code = _NOT_DIGITS.sub("", text.translate(_FULL_WIDTH))
    if not CODE.fullmatch(code) or not _any_waits(wall):
        return None
    who = f"link-{friend_id}"
    if throttle.admit(who, "", wall=wall) is not None:
        return None
    with atomic():
        found = LinkCode.get_or_none(LinkCode.code == code, LinkCode.expires_at > wall)
        if found is None or not LinkCode.delete().where(LinkCode.id == found.id).execute():
            return None
        throttle.forgive(who, "")
        staff: Staff = Staff.get_by_id(found.staff.id)
        before = staff.friend_id
        # One phone is one person: whoever had it before gives it up.
        Staff.update(friend_id=None).where(
            Staff.friend_id == friend_id, Staff.id != staff.id
        ).execute()
        Staff.update(friend_id=friend_id).where(Staff.id == staff.id).execute()
        audit.record(
            staff,
            "profile.link",
            "staff",
            staff.id,
            staff.name,
            {"friend": before},
            {"friend": friend_id},
            wall=wall,
        )
    staff.friend_id = friend_id
    return staff


def unlink(staff: Staff, *, wall: datetime) -> bool:
    """Forget a person's own LINE; False where none was bound."""
    with atomic():
        LinkCode.delete().where(LinkCode.staff == staff).execute()
        gone = (
            Staff.update(friend_id=None)
            .where(Staff.id == staff.id, Staff.friend_id.is_null(False))
            .execute()
        )
        if gone:
            audit.record(staff, "profile.unlink", "staff", staff.id, staff.name, wall=wall)
    return bool(gone)


def _any_waits(wall: datetime) -> bool:
    return bool(LinkCode.select().where(LinkCode.expires_at > wall).exists())


def _random_code(taken: set[str]) -> str:
    while True:
        code = f"{secrets.randbelow(1_000_000):06}"
        if code not in taken:
            return code
