"""What is known about a friend, where it came from, and correcting it by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lineadmin import i18n, journal
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends import fields
from lineadmin.friends.models import Branch, Field, Friend, FriendField, Source
from lineadmin.friends.regions import GENDERS, REGIONS, SYSTEMS
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

OLDEST_BIRTH_YEAR = 1900
LONGEST_NOTE = 2000
_ORIGIN_OF = {
    "gender": "gender_origin",
    "birth_year": "birth_origin",
    "birthday": "birth_origin",
    "region": "region_origin",
    "os": "os_origin",
    "source": "source_origin",
    "branch": "branch_origin",
}


@dataclass(frozen=True)
class Known:
    """One line of what is known: where the value came from stands beside it."""

    key: str
    label: str
    value: str
    origin: str


def parse_gender(written: str) -> str | None:
    """male, female, or None for nothing.

    :raises DomainError: something else
    """
    folded = written.strip().lower()
    if not folded:
        return None
    for code, spellings in (("male", "m 男 男性"), ("female", "f 女 女性")):
        if folded in (code, *spellings.split()):
            return code
    raise DomainError(_("Gender is male or female."), field="gender")


def parse_birth_year(written: str, *, now: datetime) -> int | None:
    """A year of birth, or None for nothing.

    :raises DomainError: no year somebody alive was born in
    """
    written = written.strip()
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) == 4):
        raise DomainError(_("The year of birth has four digits, such as 1998."), field="birth_year")
    year = int(written)
    if not OLDEST_BIRTH_YEAR <= year <= now.year:
        raise DomainError(
            _(
                "The year of birth is from %(low)s to %(high)s.",
                low=OLDEST_BIRTH_YEAR,
                high=now.year,
            ),
            field="birth_year",
        )
    return year


def parse_birthday(written: str) -> str | None:
    """A month and day as MM-DD, or None for nothing. The 29th of February is one.

    :raises DomainError: no such day
    """
    found = re.fullmatch(r"(\d{1,2})[-/](\d{1,2})", written.strip())
    if not written.strip():
        return None
    try:
        if found is None:
            raise ValueError
        day = date(2024, int(found[1]), int(found[2]))  # a leap year
    except ValueError:
        raise DomainError(_("A birthday looks like 05-31."), field="birthday") from None
    return f"{day:%m-%d}"


def edit_friend(
    friend: Friend,
    changes: dict[str, Any],
    own: dict[str, str],
    *,
    version: int,
    staff: Staff,
    now: datetime,
    wall: datetime,
) -> bool:
    """Correct what is known about a friend; False where nothing differs.

    :param changes: gender, birth_year, birthday, region, os, note, source and branch (ids), all
        optional
    :param own: values of the shop's fields by key, as written
    :raises DomainError: a value cannot be right; nothing was saved
    :raises Conflict: somebody else saved this friend since the form was opened
    """
    checked = {key: value for key, value in changes.items() if _now(friend, key) != value}
    _check(checked)
    by_key = {field.key: field for field in fields.all_fields()}
    held = _held(friend.id)
    parsed = {key: fields.parse_value(by_key[key], text) for key, text in own.items()}
    parsed = {key: value for key, value in parsed.items() if held.get(key, ("", None)) != value}
    if not checked and not parsed:
        return False
    before = {key: _now(friend, key) for key in checked}
    if "branch" in checked:
        before["branch"] = _branch_name(before["branch"])
    before |= {key: _words(by_key[key], held.get(key, ("", None))) for key in parsed}
    after = {**checked, **_branch_words(checked)}
    after |= {key: _words(by_key[key], value) for key, value in parsed.items()}
    with atomic():
        origins = {_ORIGIN_OF[key]: "staff" for key in checked if key in _ORIGIN_OF}
        if "branch" in checked and checked["branch"] is None:
            origins["branch_origin"] = ""  # the next place she sends may tell again
        changed = (
            Friend.update(**checked, **origins, version=Friend.version + 1)
            .where((Friend.id == friend.id) & (Friend.version == version))
            .execute()
        )
        if not changed:
            raise Conflict(_l("Somebody else changed this friend meanwhile. Nothing was saved."))
        for key, value in parsed.items():
            fields.save_value(friend.id, by_key[key], value, origin="staff", at=now)
        if "source" in checked:
            source_id = checked["source"] or 0
            by = {"by": "staff"}
            journal.record(friend.id, "source.set", object_id=source_id, value=by, at=now)
        told = {key: value for key, value in after.items() if key not in ("note", "source")}
        if told:
            journal.record(friend.id, "attribute.set", value={"by": "staff", "set": told}, at=now)
        name = friend.display_name
        audit.record(staff, "friend.edit", "friend", friend.id, name, before, after, wall=wall)
    return True


def known_about(friend: Friend, *, now: datetime) -> list[Known]:
    """What is known, in the order staff read it; a value of "" is not known."""
    year = friend.birth_year
    lines = [
        Known("gender", _("Gender"), _label(GENDERS, friend.gender), friend.gender_origin),
        Known(
            "birth_year",
            _("Age"),
            "" if year is None else _("%(age)s (born %(year)s)", age=_age(friend, now), year=year),
            friend.birth_origin,
        ),
        Known("birthday", _("Birthday"), friend.birthday or "", friend.birth_origin),
        Known("region", _("Region"), _label(REGIONS, friend.region), friend.region_origin),
        Known("os", _("OS"), _label(SYSTEMS, friend.os), friend.os_origin),
    ]
    if friend.branch_id is not None or Branch.select().exists():
        home = _branch_name(friend.branch_id)
        lines.append(Known("branch", _("Home branch"), home, friend.branch_origin))
    rows = {row.field_id: row for row in FriendField.select().where(FriendField.friend == friend)}
    for field in fields.all_fields():
        row = rows.get(field.id)
        value = fields.write_value(field, row)
        lines.append(Known(field.key, field.name, value, row.origin if row else ""))
    return lines


def _age(friend: Friend, now: datetime) -> int:
    """As conditions count it: by the shop's year, one less before a birthday that is known."""
    today = i18n.local(now)
    early = friend.birthday is not None and friend.birthday > f"{today:%m-%d}"
    return int(today.year - (friend.birth_year or 0) - early)


def source_choices() -> list[Source]:
    """Every source, those out of use last."""
    return list(Source.select().order_by(Source.archived_at.is_null(False), Source.name))


def _now(friend: Friend, key: str) -> Any:
    return getattr(friend, f"{key}_id" if key in ("source", "branch") else key)


def _branch_name(branch_id: int | None) -> str:
    row = None if branch_id is None else Branch.get_or_none(Branch.id == branch_id)
    return "" if row is None else str(row.name)


def _branch_words(values: dict[str, Any]) -> dict[str, str]:
    return {"branch": _branch_name(values["branch"])} if "branch" in values else {}


def _check(values: dict[str, Any]) -> None:
    if values.get("region") is not None and values["region"] not in REGIONS:
        raise DomainError(_l("Choose one of the cities and counties."), field="region")
    if values.get("os") is not None and values["os"] not in SYSTEMS:
        raise DomainError(_l("Choose one of the systems."), field="os")
    if values.get("gender") is not None and values["gender"] not in GENDERS:
        raise DomainError(_l("Gender is male or female."), field="gender")
    if len(values.get("note", "")) > LONGEST_NOTE:
        raise DomainError(
            _l("A note has at most %(count)s characters.", count=LONGEST_NOTE), field="note"
        )
    branch = values.get("branch")
    if branch is not None and not Branch.select().where(Branch.id == branch).exists():
        raise DomainError(_l("This branch does not exist any more."), field="branch")
    source = values.get("source")
    if source is not None and not Source.select().where(Source.id == source).exists():
        raise DomainError(_l("This source does not exist any more."), field="source")


def _held(friend_id: int) -> dict[str, tuple[str, float | None]]:
    rows = FriendField.select(FriendField, Field).join(Field).where(FriendField.friend == friend_id)
    return {row.field.key: (row.text, row.number) for row in rows}


def _words(field: Field, value: tuple[str, float | None]) -> str:
    return fields.written_value(field.type, value[0], value[1])


def _label(labels: dict[str, Any], code: str | None) -> str:
    return "" if code is None else str(labels.get(code, code))
