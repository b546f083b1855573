"""Broadcasts. A loaded one counts as confirmed and approved by the shop's owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineadmin import segments, settings
from lineadmin.audiences import usable as audiences
from lineadmin.broadcasts import actions, confirm, states
from lineadmin.broadcasts import estimated as language
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.row import get
from lineadmin.broadcasts.topic import is_subscribers, subscribers_of
from lineadmin.broadcasts.variants import versions_of
from lineadmin.db import from_ms, to_ms
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.schema import BroadcastPart, estimated_in, is_shorthand

PLACES: dict[str, Path] = {
    "parts": ("messages",),
    "audience": ("to",),
    "topic": ("to",),
    "typed": ("to",),
    "estimated": ("to", "estimated"),
}
CHANGEABLE = (states.DRAFT, states.APPROVAL, states.SCHEDULED, states.LATE)
_OPEN = (states.DRAFT, states.APPROVAL)  # nobody has agreed to send it
_MAY_LEAVE = (states.SCHEDULED, states.LATE, states.HELD)
GONE = (states.SENT, states.CANCELED)  # a load never sends what a file calls so


@dataclass(frozen=True)
class Wanted:
    """A broadcast as the file has it, with what it leaves open taken from the one there is."""

    name: str
    parts: list[dict[str, Any]]
    audience: dict[str, Any] | None
    at: datetime | None
    holdout_percent: int
    variants: list[Any] | None
    service: bool
    wake: bool
    estimated: dict[str, Any] | None

    def is_like(self, row: Broadcast) -> bool:
        """Whether nothing is different."""
        return bool(
            row.parts == self.parts
            and row.audience == self.audience
            and row.at == self.at
            and row.holdout_percent == self.holdout_percent
            and (row.variants or None) == self.variants
            and row.service == self.service
            and row.wake == self.wake
            and row.estimated == self.estimated
        )


def load_broadcasts(parts: list[BroadcastPart], context: Context) -> None:
    """Make, change and schedule broadcasts; one that left stays as it was."""
    for index, part in enumerate(parts):
        path = ("broadcasts", index)
        name = " ".join(part.name.split())
        row = Broadcast.get_or_none(Broadcast.name == name)
        with context.at(path, PLACES):
            wanted = _wanted(name, part, row, path, context)
            if row is None:
                _make(wanted, part, path, context)
                context.report.note("broadcast", name, created=True, changed=False)
            else:
                changed = _change(row, wanted, part, path, context)
                context.report.note("broadcast", name, created=False, changed=changed)


def dump_broadcasts() -> list[dict[str, Any]]:
    """Every broadcast, in the order in which they were made; whatever has left is `sent`."""
    zone = settings.shop_zone()
    return [
        {
            "name": row.name,
            "to": _written(row),
            "at": None if row.at is None else row.at.astimezone(zone).isoformat(),
            "messages": row.parts,
            "holdout_percent": row.holdout_percent,
            **({"variants": row.variants} if row.variants else {}),
            **({"service": True} if row.service else {}),
            **({"wake": True} if row.wake else {}),
            **(
                {"frequency_override": row.frequency_override}
                if row.frequency_override and row.state in _MAY_LEAVE
                else {}
            ),
            "state": _dumped_state(row),
        }
        for row in Broadcast.select().order_by(Broadcast.id)
    ]


def _wanted(
    name: str, part: BroadcastPart, row: Broadcast | None, path: Path, context: Context
) -> Wanted:
    if part.holdout_percent is not None and not 0 <= part.holdout_percent <= 50:
        raise context.refuse((*path, "holdout_percent"), "expected a whole number from 0 to 50")
    audience = None if row is None else row.audience
    estimated = None if row is None else row.estimated
    if estimated_in(part.to) is not None:
        with context.at((*path, "to", "estimated")):
            audience, estimated = None, language.parse(estimated_in(part.to))
        _check_audiences(estimated, (*path, "to", "estimated"), context)
    elif part.to is not None:
        estimated = None
        with context.at((*path, "to")):
            tree = segments.parse(_longhand(part.to))
            segments.check_names(tree)
            audience = segments.dump(tree)
    at = None if row is None else row.at
    if part.given("at"):
        at = None if part.at is None else from_ms(to_ms(part.at))
    kept: list[dict[str, Any]] = [] if row is None else row.parts
    return Wanted(
        name=name,
        parts=kept if part.messages is None else dump_parts(parse_parts(part.messages)),
        audience=audience,
        at=at,
        holdout_percent=(
            part.holdout_percent
            if part.holdout_percent is not None
            else (0 if row is None else row.holdout_percent)
        ),
        variants=(
            (None if row is None else row.variants or None)
            if part.variants is None
            else [dump_parts(parse_parts(one)) for one in part.variants] or None
        ),
        service=(row is not None and row.service) if part.service is None else part.service,
        wake=(row is not None and row.wake) if part.wake is None else part.wake,
        estimated=estimated,
    )


def _make(wanted: Wanted, part: BroadcastPart, path: Path, context: Context) -> None:
    state = part.state or (states.SCHEDULED if part.at is not None else states.DRAFT)
    if state not in GONE:
        _check_messages(wanted, part, path, context)
    row = actions.draft_broadcast(
        name=wanted.name,
        parts=wanted.parts,
        audience=wanted.audience,
        at=wanted.at,
        variants=wanted.variants or [],
        holdout_percent=wanted.holdout_percent,
        service=wanted.service,
        wake=wanted.wake,
        estimated=wanted.estimated,
        staff=context.staff,
        now=context.now,
        wall=context.wall,
        from_file=True,
    )
    if state == states.SCHEDULED:
        _schedule(row.id, part, path, context)
    elif state in (states.LATE, states.HELD):
        _freeze(row.id, state, path, context)
    elif state in GONE:
        _set(row, state=state, finished_at=wanted.at or context.now)


def _change(
    row: Broadcast, wanted: Wanted, part: BroadcastPart, path: Path, context: Context
) -> bool:
    alike = wanted.is_like(row)
    if alike and row.state == states.SCHEDULED and part.state == states.DRAFT:
        _take_back(row, context)
        return True
    if alike and not (row.state in _OPEN and part.state == states.SCHEDULED):
        return False
    if row.state not in CHANGEABLE:
        raise context.refuse(
            (*path, "name"),
            f"this broadcast is {row.state} here and cannot be changed; "
            "give the new one another name",
        )
    _check_messages(wanted, part, path, context)
    was = row.state
    if was in (states.SCHEDULED, states.APPROVAL):
        _take_back(row, context)
    elif was == states.LATE:
        _set(row, state=states.DRAFT)
    actions.edit_broadcast(
        row.id,
        name=wanted.name,
        parts=wanted.parts,
        audience=wanted.audience,
        at=wanted.at,
        variants=wanted.variants or [],
        holdout_percent=wanted.holdout_percent,
        service=wanted.service,
        wake=wanted.wake,
        estimated=wanted.estimated,
        version=get(row.id).version,
        staff=context.staff,
        wall=context.wall,
    )
    if part.state == states.SCHEDULED or (part.state is None and was not in _OPEN):
        _schedule(row.id, part, path, context)
    return True


def _schedule(broadcast_id: int, part: BroadcastPart, path: Path, context: Context) -> None:
    """Confirm it; what should have left more than two hours ago waits for staff instead."""
    row = get(broadcast_id)
    if row.at is not None and row.at < context.now - states.LATE_AFTER:
        _freeze(broadcast_id, states.LATE, path, context)
        return
    confirm.confirm_broadcast(
        broadcast_id,
        version=row.version,
        everyone_confirmed=True,
        frequency_override=part.frequency_override,
        staff=context.staff,
        now=context.now,
        wall=context.wall,
        public_url=context.public_url,
        check_quota=False,
        nobody_yet=True,
        approved=True,
    )


def _freeze(broadcast_id: int, state: str, path: Path, context: Context) -> None:
    """Ready to go, but not before staff say so."""
    row = get(broadcast_id)
    if row.audience is None and row.estimated is None:
        raise context.refuse(path, "this broadcast needs `to`: whom to send it to")
    first, *others = (confirm.store_parts(one, context.now).id for one in versions_of(row))
    _set(
        row,
        state=state,
        content_id=first,
        variant_contents=others or None,
        confirmed_at=context.now,
        confirmed_by=None if context.staff is None else context.staff.id,
        leaves_at=row.at or context.now,
    )


def _take_back(row: Broadcast, context: Context) -> None:
    confirm.cancel_broadcast(row.id, staff=context.staff, now=context.now, wall=context.wall)


def _set(row: Broadcast, **values: Any) -> None:
    if any(getattr(row, key) != value for key, value in values.items()):
        Broadcast.update(version=Broadcast.version + 1, **values).where(
            Broadcast.id == row.id
        ).execute()


def _check_messages(wanted: Wanted, part: BroadcastPart, path: Path, context: Context) -> None:
    """A draft may still lack its message; what stands there has to be sendable."""
    if wanted.parts:
        place = (*path, "messages") if part.messages is not None else path
        context.check_messages(place, wanted.parts)


def _check_audiences(estimated: dict[str, Any], path: Path, context: Context) -> None:
    """LINE's audiences are no part of the file: they have to be known here."""
    for key in ("audiences", "without"):
        for index, name in enumerate(estimated.get(key, ())):
            if not audiences.exists(name):
                raise context.refuse(
                    (*path, key, index), f"there is no LINE audience of the name {name!r}"
                )


def _written(row: Broadcast) -> dict[str, Any] | None:
    if row.estimated is not None:
        return {"estimated": row.estimated}
    return _shorthand(row.audience)


def _longhand(to: dict[str, Any]) -> dict[str, Any]:
    if not is_shorthand(to):
        return to
    field, value = next(iter(to.items()))
    if field == "topic":
        return subscribers_of(value)
    return {"field": field, "op": "is", "value": value}


def _shorthand(tree: dict[str, Any] | None) -> dict[str, Any] | None:
    code = is_subscribers(tree)
    if code is not None:
        return {"topic": code}
    if tree is None or set(tree) != {"field", "op", "value"}:
        return tree
    if tree["field"] not in ("segment", "tag") or tree["op"] != "is":
        return tree
    return {tree["field"]: tree["value"]}


def _dumped_state(row: Broadcast) -> str:
    if row.state in states.STARTED or (row.state == states.HELD and row.cursor):
        return states.SENT
    if row.state == states.FAILED:
        return states.CANCELED  # nobody got it, and a load never sends it again
    # A load counts as approved, so what still waits for a second person must not come back as sent.
    return str(states.DRAFT if row.state == states.APPROVAL else row.state)
