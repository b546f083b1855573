"""What staff do with broadcasts: draft, confirm, take back, pause, stop.

A confirmed broadcast is frozen: its content by hash, its audience, and the number of people that
was shown. Every change of state is one conditional update, so a button pressed at the same moment
as the worker's tick either wins or is told that it came too late.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lineadmin import segments, settings
from lineadmin.broadcasts import states
from lineadmin.broadcasts.ledger import is_everyone, ledger
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.row import get, move, record
from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.messages.check import require_sendable
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.messages.render import is_personal
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content
from lineadmin.staff.models import Staff

LONGEST_NAME = 60
EDITED = ("name", "parts", "audience", "at")


# -- drafts ------------------------------------------------------------------------------------


def draft_broadcast(
    *,
    name: str,
    parts: Any = (),
    audience: Any = None,
    at: datetime | None = None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    from_file: bool = False,
) -> Broadcast:
    """A new draft; it may still lack its audience and its message.

    :param at: the wanted shop time; None = as soon as it is confirmed
    :raises DomainError: the name is empty, too long or taken; message or audience cannot be
    """
    values = _checked(name, parts, audience, at)
    with atomic():
        row = Broadcast.insert(
            **values,
            created_at=now,
            created_by=None if staff is None else staff.id,
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
    version: int,
    staff: Staff | None,
    wall: datetime,
) -> int:
    """Change a draft; answers the version the next save has to name.

    :raises Conflict: somebody else saved since `version`
    :raises DomainError: it is no draft any more, or something in it cannot be
    """
    values = _checked(name, parts, audience, at)
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
            Broadcast.update(version=Broadcast.version + 1, **values)
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
        name=name, parts=row.parts, audience=row.audience, staff=staff, now=now, wall=wall
    )


# -- confirming and taking back ----------------------------------------------------------------


def confirm_broadcast(
    broadcast_id: int,
    *,
    version: int,
    everyone_confirmed: bool = False,
    expected: int | None = None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    public_url: str | None,
    check_quota: bool = True,
    nobody_yet: bool = False,
) -> Broadcast:
    """Freeze a draft and let it go: at its time, and not before the undo window is over.

    To a single friend there is no undo window.

    :param nobody_yet: it may pick nobody at this moment (a shop file comes before its friends)
    :param expected: the number of people the person saw; more than that by now is refused
    :param everyone_confirmed: somebody typed that all friends are meant
    :raises DomainError: message or audience are missing, the time is past, the month's messages do
        not suffice, or everyone is meant without being confirmed
    :raises Conflict: somebody else saved since `version`
    """
    row = get(broadcast_id)
    if row.state != states.DRAFT:
        raise DomainError(_l("It was confirmed already."))
    if row.version != version:
        raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
    parts = parse_parts(row.parts)
    require_sendable(parts, now=now, public_url=public_url)
    if row.audience is None:
        raise DomainError(_l("Choose whom to send it to."), field="audience")
    tree = segments.parse(row.audience)
    segments.check_names(tree)
    if is_everyone(tree) and not everyone_confirmed:
        raise DomainError(_l("Confirm that you mean all friends."), field="typed")
    if row.at is not None and now > row.at + states.LATE_AFTER:
        raise DomainError(_l("This time has passed. Choose another one."), field="at")
    told = ledger(row.audience, now=now, at=row.at)
    if told.will_send == 0 and not nobody_yet:
        raise DomainError(_l("Nobody would get it."), field="audience")
    if expected is not None and told.will_send > expected:
        raise DomainError(
            _(
                "By now %(now)s people would get it, not %(then)s. Check and confirm again.",
                now=format_count(told.will_send),
                then=format_count(expected),
            ),
            field="typed",
        )
    if check_quota and told.short:
        raise DomainError(
            _(
                "%(count)s messages more than this month has left.",
                count=format_count(told.short),
            ),
            field="audience",
        )
    with atomic():
        stored = content.store(
            dump_parts(parts), personal=is_personal(parts), summary=summarise(parts), now=now
        )
        leaves_at = leaving(row.at, told.will_send, now)
        move(
            row,
            (states.DRAFT,),
            states.SCHEDULED,
            version=version,
            confirmed_at=now,
            confirmed_by=None if staff is None else staff.id,
            leaves_at=leaves_at,
            content_id=stored.id,
            expected=told.will_send,
            cursor=0,
            plan_whole_at=None,
            pause_reason="",
            finished_at=None,
        )
        after = {
            "state": states.SCHEDULED,
            "count": told.will_send,
            "at": leaves_at,
            "content": stored.hash,
            "audience": row.audience,
        }
        record(staff, "confirm", row, {"state": states.DRAFT}, after, wall)
    return get(broadcast_id)


def leaving(at: datetime | None, recipients: int, now: datetime) -> datetime:
    """When a broadcast confirmed now leaves: at its time, and not before it can be undone."""
    wanted = now if at is None else max(at, now)
    if recipients <= 1:
        return wanted
    return max(wanted, now + timedelta(minutes=settings.shop().undo_minutes))


def cancel_broadcast(
    broadcast_id: int, *, staff: Staff | None, now: datetime, wall: datetime
) -> Broadcast:
    """Take a confirmed broadcast back while nothing has left: it is a draft again.

    :raises DomainError: it is leaving already
    """
    with atomic():
        row = get(broadcast_id)
        changed = (
            Broadcast.update(
                state=states.DRAFT,
                confirmed_at=None,
                confirmed_by=None,
                leaves_at=None,
                content_id=None,
                expected=None,
                version=Broadcast.version + 1,
            )
            .where(
                Broadcast.id == broadcast_id,
                Broadcast.state == states.SCHEDULED,
                Broadcast.leaves_at > now,
            )
            .execute()
        )
        if not changed:
            raise DomainError(_l("Too late: it is leaving already. You can stop the rest."))
        before = {"state": row.state, "at": row.leaves_at}
        record(staff, "cancel", row, before, {"state": states.DRAFT, "at": row.at}, wall)
    return get(broadcast_id)


def _checked(name: str, parts: Any, audience: Any, at: datetime | None) -> dict[str, Any]:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise DomainError(
            _l("The name needs 1 to %(most)s characters.", most=LONGEST_NAME), field="name"
        )
    if audience is not None:
        audience = segments.dump(segments.parse(audience))
    return {
        "name": name,
        "parts": dump_parts(parse_parts(list(parts))),
        "audience": audience,
        "at": at,
    }


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    """The values as the audit log names them."""
    shown = dict(values)
    shown["messages"] = shown.pop("parts")
    return shown


def _taken() -> Any:
    return _l("There is already a broadcast of this name.")
