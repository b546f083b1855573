"""Making, moving, closing and deleting branches; what stood on the old list is reckoned again."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from peewee import IntegrityError

from lineadmin.branches import places
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Branch, Friend, FriendPlace
from lineadmin.i18n import _, _l
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
LONGEST_NAME = 40
LONGEST_ADDRESS = 100
MOST_BRANCHES = 200
COUNTED = 10_000  # counts of friends are exact up to here
CHUNK = 5_000
_PARTS = ("name", "address", "latitude", "longitude", "active")


def save_branch(
    code: str,
    changes: dict[str, Any],
    *,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    version: int | None = None,
) -> tuple[bool, bool]:
    """Make the branch of this code or change it; (created, changed).

    :param changes: any of name, address, latitude, longitude and active; the rest stays
    :raises DomainError: a value cannot be right; nothing was saved
    :raises Conflict: somebody else changed it since `version`
    """
    if not CODE.fullmatch(code):
        raise DomainError(
            _l("A branch's code has small letters, digits, - and _ only."), field="code"
        )
    with atomic():
        row = Branch.get_or_none(Branch.code == code)
        before = None if row is None else {key: getattr(row, key) for key in _PARTS}
        start = {"name": code, "address": "", "latitude": None, "longitude": None, "active": True}
        after = _checked({**start, **(before or {}), **changes})
        if before == after:
            return False, False
        if row is None:
            if Branch.select().count() >= MOST_BRANCHES:
                raise DomainError(_l("At most %(most)s branches.", most=MOST_BRANCHES))
            row = Branch.create(code=code, created_at=now, **after)
        elif (
            not Branch.update(**after, version=Branch.version + 1)
            .where(Branch.id == row.id, Branch.version == (version or row.version))
            .execute()
        ):
            raise Conflict(_l("Somebody else saved this in the meantime"))
        action = "branch.create" if before is None else "branch.edit"
        audit.record(staff, action, "branch", row.id, after["name"], before, after, wall=wall)
        if before is None or any(before[key] != after[key] for key in _PARTS[2:]):
            places.map_changed(wall=wall)
    return before is None, before is not None


def delete_branch(
    branch: Branch, *, users: Collection[str], staff: Staff | None, now: datetime, wall: datetime
) -> int:
    """Forget a branch, and that it was anybody's home; how many friends' home it was.

    :param users: what names it in a condition, in words
    :raises DomainError: something does; or the branch is still open
    """
    if users:
        raise DomainError(
            _(
                "“%(name)s” is used by %(what)s. Change that first.",
                name=branch.name,
                what=_(", ").join(users),
            )
        )
    save_branch(branch.code, {"active": False}, staff=staff, now=now, wall=wall)
    places.keep_up(now)
    homeless: int = 0
    while True:
        some = Friend.select(Friend.id).where(Friend.branch == branch.id).limit(CHUNK)
        with atomic():
            gone = Friend.update(branch=None, branch_origin="").where(Friend.id.in_(some))
            left = int(gone.execute())
        homeless += left
        if not left:
            break
    try:
        with atomic():
            if Branch.delete().where(Branch.id == branch.id).execute():
                before = {**{key: getattr(branch, key) for key in _PARTS}, "count": homeless}
                audit.record(
                    staff,
                    "branch.delete",
                    "branch",
                    branch.id,
                    branch.name,
                    before,
                    None,
                    wall=wall,
                )
    except IntegrityError:  # somebody was given it while it was being taken from the others
        raise DomainError(_l("Somebody still uses this branch. Try again.")) from None
    return homeless


def friends_of(branch: Branch) -> tuple[int, int]:
    """How many friends call it home, and to how many it is the nearest; exact up to COUNTED."""
    home = Friend.select(Friend.id).where(Friend.branch == branch.id)
    near = FriendPlace.select(FriendPlace.id).where(FriendPlace.nearest == branch.id)
    return _few(home), _few(near)


def all_branches() -> list[Branch]:
    """Every branch by name, closed ones last."""
    rows = Branch.select()
    return sorted(rows, key=lambda row: (not row.active, row.name, row.code))


def find_branch(written: str) -> Branch | None:
    """The branch with this code, or the only one of this name."""
    written = written.strip()
    rows = list(Branch.select().where((Branch.code == written) | (Branch.name == written)).limit(3))
    by_code = [row for row in rows if row.code == written]
    if by_code:
        return by_code[0]
    return rows[0] if len(rows) == 1 else None


def parse_point(written: str) -> tuple[float, float]:
    """Latitude and longitude as a map gives them: "25.0339, 121.5645".

    :raises DomainError: it is no such pair
    """
    found = re.fullmatch(
        r"\(?\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*\)?", written
    )
    if found is None:
        raise DomainError(
            _l("Write latitude and longitude, such as 25.0339, 121.5645."), field="point"
        )
    return float(found[1]), float(found[2])


def _few(query: Any) -> int:
    return int(query.limit(COUNTED + 1).count(clear_limit=False))


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    values["name"] = " ".join(str(values["name"]).split())
    values["address"] = " ".join(str(values["address"]).split())
    if not 1 <= len(values["name"]) <= LONGEST_NAME:
        raise DomainError(
            _l("The name needs 1 to %(most)s characters.", most=LONGEST_NAME), field="name"
        )
    if len(values["address"]) > LONGEST_ADDRESS:
        raise DomainError(
            _l("The address has at most %(most)s characters.", most=LONGEST_ADDRESS),
            field="address",
        )
    for key, most in (("latitude", 90), ("longitude", 180)):
        number = values[key]
        if number is None:
            raise DomainError(_l("A branch needs its place: latitude and longitude."), field=key)
        if not (math.isfinite(number) and -most <= number <= most):
            raise DomainError(
                _l("Latitude goes from -90 to 90, longitude from -180 to 180."), field=key
            )
        values[key] = round(float(number), 6)
    return values
