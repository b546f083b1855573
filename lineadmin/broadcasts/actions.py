"""Drafts of broadcasts: written, changed, copied, deleted. Confirming them is confirm.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin import segments
from lineadmin.broadcasts import estimated as language
from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.row import get, record
from lineadmin.broadcasts.variants import MOST_VARIANTS
from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _l
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.staff.models import Staff

LONGEST_NAME = 60
EDITED = (
    "name",
    "parts",
    "audience",
    "at",
    "variants",
    "holdout_percent",
    "service",
    "wake",
    "estimated",
)
MOST_HELD = 50  # percent
KEPT: Any = object()  # what is not given stays as it is


def draft_broadcast(
    *,
    name: str,
    parts: Any = (),
    audience: Any = None,
    at: datetime | None = None,
    variants: Any = (),
    holdout_percent: int = 0,
    service: bool = False,
    wake: bool = False,
    estimated: Any = None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    from_file: bool = False,
) -> Broadcast:
    """A new draft; it may still lack its audience and its message.

    :param at: the wanted shop time; None = as soon as it is confirmed
    :param variants: further versions of the message, each a list of parts; `parts` is version A
    :param holdout_percent: this many of hundred get nothing, for comparison
    :param wake: it is to wake silent friends, and stops for those who never answer (dormant.py)
    :param service: a notice everybody has to have: the frequency cap neither stops nor counts it
    :param estimated: instead of an audience, whom LINE is to choose (estimated.py)
    :raises DomainError: the name is empty, too long or taken; message or audience cannot be
    """
    values = _checked(
        name, parts, audience, at, variants, holdout_percent, service, wake, estimated
    )
    by = None if staff is None else staff.id
    with atomic():
        row = Broadcast.insert(
            **values,
            created_at=now,
            created_by=by,
            edited_by=by,
            from_file=from_file,
        )
        if not insert_ignore(row):
            raise DomainError(_taken(), field="name")
        made: Broadcast = Broadcast.get(Broadcast.name == values["name"])
        record(staff, "create", made, None, _shown(values), wall)
    return made


def edit_broadcast(
    broadcast_id: int,
    *,
    name: str,
    parts: Any,
    audience: Any,
    at: datetime | None,
    variants: Any = None,
    holdout_percent: int | None = None,
    service: bool | None = None,
    wake: bool | None = None,
    estimated: Any = KEPT,
    version: int,
    staff: Staff | None,
    wall: datetime,
) -> int:
    """Change a draft; answers the version the next save has to name. None leaves a thing alone.

    `estimated` is left alone where it is not given.

    :raises Conflict: somebody else saved since `version`
    :raises DomainError: it is no draft any more, or something in it cannot be
    """
    row = get(broadcast_id)
    values = _checked(
        name,
        parts,
        audience,
        at,
        row.variants or [] if variants is None else variants,
        row.holdout_percent if holdout_percent is None else holdout_percent,
        row.service if service is None else service,
        row.wake if wake is None else wake,
        row.estimated if estimated is KEPT else estimated,
    )
    with atomic():
        row = get(broadcast_id)
        if row.state != states.DRAFT:
            raise DomainError(_l("It is confirmed. Take it back before you change it."))
        before = {key: getattr(row, key) for key in EDITED}
        if before == values:
            return int(row.version)
        other = Broadcast.select().where(
            Broadcast.name == values["name"], Broadcast.id != broadcast_id
        )
        if other.exists():
            raise DomainError(_taken(), field="name")
        changed = (
            Broadcast.update(
                version=Broadcast.version + 1,
                edited_by=None if staff is None else staff.id,
                **values,
            )
            .where(
                Broadcast.id == broadcast_id,
                Broadcast.version == version,
                Broadcast.state == states.DRAFT,
            )
            .execute()
        )
        if not changed:
            raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
        record(staff, "edit", row, _shown(before), _shown(values), wall)
    return version + 1


def delete_draft(broadcast_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """
    :raises DomainError: it is no draft; what was sent stays on record
    """
    with atomic():
        row = get(broadcast_id)
        gone = (
            Broadcast.delete()
            .where(Broadcast.id == broadcast_id, Broadcast.state == states.DRAFT)
            .execute()
        )
        if not gone:
            raise DomainError(_l("Only drafts can be deleted."))
        before = _shown({key: getattr(row, key) for key in EDITED})
        record(staff, "delete", row, before, None, wall)


def duplicate(
    broadcast_id: int, *, staff: Staff | None, now: datetime, wall: datetime
) -> Broadcast:
    """A new draft with the same message and audience, without a time."""
    row = get(broadcast_id)
    taken = {other.name for other in Broadcast.select(Broadcast.name)}
    number = 2
    while (name := f"{row.name[: LONGEST_NAME - 6]} {number}") in taken:
        number += 1
    return draft_broadcast(
        name=name,
        parts=row.parts,
        audience=row.audience,
        variants=row.variants or [],
        holdout_percent=row.holdout_percent,
        service=row.service,
        wake=row.wake,
        estimated=row.estimated,
        staff=staff,
        now=now,
        wall=wall,
    )


def _checked(
    name: str,
    parts: Any,
    audience: Any,
    at: datetime | None,
    variants: Any,
    holdout_percent: int,
    service: bool,
    wake: bool,
    estimated: Any,
) -> dict[str, Any]:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise DomainError(
            _l("The name needs 1 to %(most)s characters.", most=LONGEST_NAME), field="name"
        )
    if audience is not None:
        audience = segments.dump(segments.parse(audience))
    if estimated is not None:
        estimated = language.parse(estimated)
        audience = None
    if not 0 <= holdout_percent <= MOST_HELD:
        raise DomainError(
            _l("This must be a whole number from %(low)s to %(high)s.", low=0, high=MOST_HELD),
            field="holdout_percent",
        )
    others = [dump_parts(parse_parts(list(one))) for one in variants or []]
    if len(others) > MOST_VARIANTS - 1:
        raise DomainError(_l("At most %(most)s versions.", most=MOST_VARIANTS), field="variants")
    return {
        "name": name,
        "parts": dump_parts(parse_parts(list(parts))),
        "audience": audience,
        "at": at,
        "variants": others or None,
        "holdout_percent": holdout_percent,
        "service": service,
        "wake": wake,
        "estimated": estimated,
    }


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    """The values as the audit log names them."""
    shown = dict(values)
    shown["messages"] = shown.pop("parts")
    if shown["estimated"] is None:
        del shown["estimated"]
    return shown


def _taken() -> Any:
    return _l("There is already a broadcast of this name.")
