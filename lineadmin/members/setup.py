"""What the shop decides about its members: whether there are any, levels, how they bind."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from lineadmin import settings
from lineadmin.errors import DomainError
from lineadmin.i18n import DEFAULT_LOCALE, _, _l, use_locale
from lineadmin.settings.shop import parse_clock
from lineadmin.staff.models import Staff

KEY = "members"
PHONE, BIRTHDAY = "phone", "birthday"
PROOFS: dict[str, Any] = {PHONE: _l("Phone number"), BIRTHDAY: _l("Birthday")}
MOST_LEVELS, LONGEST_LEVEL = 20, 40
LONGEST_LIFE, LONGEST_LEAD, LONGEST_WORDS = 3650, 90, 500


@dataclass(frozen=True)
class MemberSetup:
    """Off until the shop sets it."""

    enabled: bool = False
    levels: tuple[str, ...] = ()
    proof: str = PHONE  # what a friend has to know beside the number
    points_days: int | None = 365  # how long points are good; None = for ever
    remind_days: int | None = None  # so many days before points expire; None = never
    remind_at: str = "11:00"
    remind_words: str = ""  # empty: the usual ones


def setup() -> MemberSetup:
    """The settings as they are now."""
    stored = settings.get(KEY, {})
    known = MemberSetup.__dataclass_fields__
    found = {key: value for key, value in stored.items() if key in known}
    return MemberSetup(**{**found, "levels": tuple(found.get("levels", ()))})


def usual_words() -> str:
    """What a reminder says until somebody writes something better."""
    with use_locale(DEFAULT_LOCALE):  # friends read it, not the member of staff who saves it
        return _("{name}, some of your points expire soon. Come and use them!")


def change(
    changes: dict[str, Any],
    *,
    staff: Staff | None,
    wall: datetime,
    version: int | None = None,
) -> bool:
    """Change some of it; False where it was so already.

    :raises DomainError: a value that cannot be right
    :raises Conflict: somebody else changed it since
    """
    before = setup()
    after = _checked(replace(before, **changes))
    if after == before:
        return False
    value = {**asdict(after), "levels": list(after.levels)}
    return settings.put(
        KEY, value, staff=staff, wall=wall, version=version, label=str(_("Members"))
    )


def _checked(asked: MemberSetup) -> MemberSetup:
    levels = tuple(dict.fromkeys(level.strip() for level in asked.levels if level.strip()))
    if len(levels) > MOST_LEVELS:
        raise DomainError(_("At most %(count)s levels.", count=MOST_LEVELS), field="levels")
    if any(len(level) > LONGEST_LEVEL for level in levels):
        raise DomainError(_("At most %(count)s characters.", count=LONGEST_LEVEL), field="levels")
    if asked.proof not in PROOFS:
        raise DomainError(_l("Choose the phone or the birthday."), field="proof")
    for field, value, low, high in (
        ("points_days", asked.points_days, 1, LONGEST_LIFE),
        ("remind_days", asked.remind_days, 0, LONGEST_LEAD),
    ):
        if value is not None and not (type(value) is int and low <= value <= high):
            sentence = _("A whole number from %(low)s to %(high)s.", low=low, high=high)
            raise DomainError(sentence, field=field)
    if parse_clock(asked.remind_at) is None:
        raise DomainError(_l("A time of day looks like 09:30."), field="remind_at")
    words = asked.remind_words.strip().replace("\r\n", "\n")
    if len(words) > LONGEST_WORDS:
        sentence = _("At most %(count)s characters.", count=LONGEST_WORDS)
        raise DomainError(sentence, field="remind_words")
    return replace(asked, levels=levels, remind_words=words)
