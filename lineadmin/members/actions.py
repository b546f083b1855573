"""Adding and editing members; every change leaves an audit line."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from peewee import IntegrityError

from lineadmin import journal, settings
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l
from lineadmin.members.models import Member
from lineadmin.members.setup import setup
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
LONGEST_NAME = 80
PHONE_DIGITS = range(6, 16)
FIRST_BIRTHDAY = date(1900, 1, 1)


@dataclass(frozen=True)
class Details:
    """What is known of a member beside her points and her LINE."""

    number: str
    name: str = ""
    phone: str = ""
    birthday: str = ""
    level: str = ""

    @classmethod
    def of(cls, member: Member) -> Details:
        """What is stored."""
        return cls(member.number, member.name, member.phone, member.birthday, member.level)


def create(details: Details, *, staff: Staff | None, now: datetime, wall: datetime) -> Member:
    """Add a member.

    :raises DomainError: the number is taken, or a value cannot be right
    """
    details = checked(details, now=now)
    try:
        with atomic():
            member: Member = Member.create(**asdict(details), created_at=now)
            audit.record(
                staff, "member.create", "member", member.id, details.number, None,
                _told(details), wall=wall,
            )  # fmt: skip
    except IntegrityError:
        raise taken(details.number) from None
    return member


def edit(
    member: Member,
    details: Details,
    *,
    version: int | None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
) -> bool:
    """Change a member; False where nothing was different.

    :raises DomainError: the number is taken, or a value cannot be right
    :raises Conflict: somebody else saved meanwhile
    """
    before = Details.of(member)
    details = checked(details, now=now, level_before=before.level)
    expected = member.version if version is None else version
    if details == before and expected == member.version:
        return False
    try:
        with atomic():
            saved = (
                Member.update(**asdict(details), version=Member.version + 1)
                .where(Member.id == member.id, Member.version == expected)
                .execute()
            )
            if not saved:
                raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
            if details.level != before.level and member.friend_id is not None:
                journal.record(
                    member.friend_id, "member.level", object_id=member.id,
                    value=details.level, at=now,
                )  # fmt: skip
            audit.record(
                staff, "member.edit", "member", member.id, details.number,
                _told(before), _told(details), wall=wall,
            )  # fmt: skip
    except IntegrityError:
        raise taken(details.number) from None
    return True


def checked(details: Details, *, now: datetime, level_before: str = "") -> Details:
    """The details as they are stored.

    :raises DomainError: a value that cannot be right; `field` names it
    """
    number, name, level = details.number.strip(), details.name.strip(), details.level.strip()
    if not NUMBER.fullmatch(number):
        raise DomainError(
            _l("A member number has 1 to 40 letters, digits, - and _."), field="number"
        )
    if len(name) > LONGEST_NAME:
        raise DomainError(_("At most %(count)s characters.", count=LONGEST_NAME), field="name")
    phone = digits_of(details.phone)
    if details.phone.strip() and len(phone) not in PHONE_DIGITS:
        raise DomainError(_l("This is no phone number."), field="phone")
    birthday = ""
    if details.birthday.strip():
        born = read_day(details.birthday)
        today = now.astimezone(settings.shop_zone()).date()
        if born is None or not FIRST_BIRTHDAY <= born <= today:
            raise DomainError(_l("Write a day such as 1998-05-20."), field="birthday")
        birthday = born.isoformat()
    if level and level not in (level_before, *setup().levels):
        raise DomainError(
            _("There is no level “%(name)s”. Add it in the settings of members.", name=level[:40]),
            field="level",
        )
    return Details(number, name, phone, birthday, level)


def digits_of(phone: str) -> str:
    """A phone number as it is compared: digits, with the 0 that +886 or +81 stands for."""
    digits = "".join(one for one in phone if one.isdecimal() and one.isascii())
    for country in ("886", "81"):
        if phone.strip().startswith("+") and digits.startswith(country):
            return "0" + digits[len(country) :].removeprefix("0")
    return digits


def read_day(written: str) -> date | None:
    """A day as people write it: 1998-05-20, 1998/5/20 or 19980520."""
    found = re.fullmatch(r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})", written.strip())
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def by_number(number: str) -> Member | None:
    """The member with this number; None also for what can be no number."""
    if not NUMBER.fullmatch(number.strip()):
        return None
    found: Member | None = Member.get_or_none(Member.number == number.strip())
    return found


def of_friend(friend_id: int) -> Member | None:
    """The member a friend is bound to."""
    found: Member | None = Member.get_or_none(Member.friend == friend_id)
    return found


def _told(details: Details) -> dict[str, str]:
    """For the audit log, where `number` is something else."""
    told = asdict(details)
    return {"member_number": told.pop("number"), **told}


def taken(number: str) -> DomainError:
    """What to say where another member has this number."""
    sentence: Any = _("There is a member with the number %(number)s already.", number=number)
    return DomainError(sentence, field="number")
