"""What staff do with sequences: create, publish, enable, set a period, archive.

A definition is edited as a draft (drafts.py); publishing makes an immutable version of it. A friend
finishes on the version she started, or is moved on purpose (transfer.py).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _l
from lineadmin.outbox import resolve
from lineadmin.outbox.models import OriginKind
from lineadmin.sequences import enrolments
from lineadmin.sequences.definition import (
    EMPTY,
    Definition,
    DefinitionError,
    check_word,
    dump,
    parse,
)
from lineadmin.sequences.models import Sequence, SequenceVersion
from lineadmin.sequences.problems import problems
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

LONGEST_NAME = 60
# What happens to friends underway when it is switched off, and when its period is over
PAUSE, FINISH, STOP = "pause", "finish", "stop"
WHEN_OFF, WHEN_OVER = (PAUSE, FINISH, STOP), (FINISH, STOP)
FIRST, LAST = 1, 100  # priorities: small goes first
MISSING = _l("This sequence does not exist any more.")


def get(sequence_id: int) -> Sequence:
    """
    :raises DomainError: there is none with this id
    """
    row: Sequence | None = Sequence.get_or_none(Sequence.id == sequence_id)
    if row is None:
        raise DomainError(MISSING)
    return row


def definition_of(sequence: Sequence) -> Definition:
    """What the editor shows: the draft, or what is live."""
    return parse(sequence.draft) if sequence.draft is not None else live_definition(sequence)


def live_definition(sequence: Sequence) -> Definition:
    """What new friends get; an empty one where nothing was published yet."""
    if sequence.live_version is None:
        return EMPTY
    return parse(SequenceVersion.get_by_id(sequence.live_version).definition)


def create_sequence(
    name: str, raw: Any = None, *, staff: Staff | None, now: datetime, wall: datetime
) -> Sequence:
    """A new sequence with a draft and nothing live yet.

    :raises DomainError: the name is empty, too long or taken, or the definition cannot be
    """
    name = check_name(name)
    draft = dump(EMPTY if raw is None else parse(raw))
    with atomic():
        if not insert_ignore(Sequence.insert(name=name, draft=draft, created_at=now)):
            raise DomainError(_taken(), field="name")
        made: Sequence = Sequence.get(Sequence.name == name)
        audit.record(
            staff, "sequence.create", "sequence", made.id, name, None, {"name": name}, wall=wall
        )
    return made


def duplicate(sequence_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> Sequence:
    """A copy with another name, neither published nor enabled."""
    original = get(sequence_id)
    taken = {row.name for row in Sequence.select(Sequence.name)}
    number = 2
    while (name := f"{original.name[: LONGEST_NAME - 5]} {number}") in taken:
        number += 1
    return create_sequence(name, dump(definition_of(original)), staff=staff, now=now, wall=wall)


def publish(
    sequence_id: int,
    *,
    version: int | None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    public_url: str | None,
) -> SequenceVersion | None:
    """Make the draft what new friends get; None where it already was.

    :raises DomainError: the first thing that is missing
    :raises Conflict: somebody else saved since `version`
    """
    with atomic():
        row = get(sequence_id)
        check_editable(row)
        definition = definition_of(row)
        found = problems(definition, now=now, public_url=public_url)
        if found:
            raise DefinitionError(found[0].told(definition))
        if row.draft is None and row.live_version is not None:
            return None
        versions = SequenceVersion.select().where(SequenceVersion.sequence == row)
        last = versions.order_by(SequenceVersion.number.desc()).first()
        made: SequenceVersion = SequenceVersion.create(
            sequence=row,
            number=1 if last is None else last.number + 1,
            definition=dump(definition),
            published_at=now,
            published_by=None if staff is None else staff.id,
        )
        before = None if row.live_version is None else dump(live_definition(row))
        change(row, version, draft=None, live_version=made.id)
        audit.record(
            staff,
            "sequence.publish",
            "sequence",
            row.id,
            row.name,
            {"number": None if last is None else last.number, "definition": before},
            {"number": made.number, "definition": dump(definition)},
            wall=wall,
        )
    return made


def enable(
    sequence_id: int,
    *,
    version: int | None = None,
    staff: Staff | None,
    wall: datetime,
    now: datetime | None = None,
) -> bool:
    """Let friends start, and those underway go on; False where it was so already.

    :param now: shop time: steps that became late before it were left out because of the switch
    :raises DomainError: nothing was published yet
    """
    with atomic():
        row = get(sequence_id)
        check_editable(row)
        if row.live_version is None:
            raise DomainError(_l("Publish the sequence before you enable it."))
        if row.enabled and not row.pause_reason:
            return False
        since = {} if row.enabled or now is None else {"enabled_at": now}
        change(row, version, enabled=True, pause_reason="", **since)
        _switched(staff, "sequence.enable", row, wall)
    return True


def disable(
    sequence_id: int, *, version: int | None = None, staff: Staff | None, wall: datetime
) -> bool:
    """Nobody starts any more, and those underway stand still until it is enabled again."""
    with atomic():
        row = get(sequence_id)
        if not row.enabled:
            return False
        change(row, version, enabled=False)
        _switched(staff, "sequence.disable", row, wall)
    return True


def change_settings(
    sequence_id: int,
    *,
    name: str,
    period_from: date | None,
    period_until: date | None,
    priority: int | None = None,
    when_off: str | None = None,
    when_over: str | None = None,
    version: int | None,
    staff: Staff | None,
    wall: datetime,
) -> bool:
    """What holds at once, without publishing; None leaves the last three as they are.

    :param period_from: first of the days (both included) in which friends may start
    :param priority: from 1 to 100; on a day with too many messages for a friend, small goes first
    :param when_off: what friends underway do when it is switched off: pause, finish or stop
    :param when_over: what they do when the period is over: finish or stop
    :raises DomainError: the name is taken, the period ends before it starts, or a value cannot be
    """
    name = check_name(name)
    check_period(period_from, period_until)
    with atomic():
        row = get(sequence_id)
        before = {
            "name": row.name,
            "period_from": row.period_from,
            "period_until": row.period_until,
            "priority": row.priority,
            "when_off": row.when_off,
            "when_over": row.when_over,
        }
        after = {
            "name": name,
            "period_from": period_from,
            "period_until": period_until,
            "priority": row.priority if priority is None else check_priority(priority),
            "when_off": check_word(when_off or row.when_off, WHEN_OFF, ("when_off",)),
            "when_over": check_word(when_over or row.when_over, WHEN_OVER, ("when_over",)),
        }
        if before == after:
            return False
        if name != row.name and Sequence.select().where(Sequence.name == name).exists():
            raise DomainError(_taken(), field="name")
        change(row, version, **after)
        audit.record(staff, "sequence.edit", "sequence", row.id, name, before, after, wall=wall)
    return True


def archive(sequence_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> None:
    """Put a sequence away for good: nothing more is sent, and the worker ends it for everybody."""
    with atomic():
        row = get(sequence_id)
        if row.archived_at is not None:
            return
        change(row, None, archived_at=now, enabled=False)
        audit.record(staff, "sequence.archive", "sequence", row.id, row.name, wall=wall)


def unarchive(sequence_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Take a sequence out of the archive; it stays disabled."""
    with atomic():
        row = get(sequence_id)
        if row.archived_at is not None:
            change(row, None, archived_at=None)
            audit.record(staff, "sequence.unarchive", "sequence", row.id, row.name, wall=wall)


def delete(sequence_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Delete a sequence nobody ever got.

    :raises DomainError: it was published; archive it instead
    """
    with atomic():
        row = get(sequence_id)
        if SequenceVersion.select().where(SequenceVersion.sequence == row).exists():
            raise DomainError(_l("It was published before, so it can only be archived."))
        audit.record(
            staff,
            "sequence.delete",
            "sequence",
            row.id,
            row.name,
            {"name": row.name, "definition": row.draft},
            None,
            wall=wall,
        )
        Sequence.delete().where(Sequence.id == sequence_id).execute()


def release_held(sequence_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> int:
    """After a restore: let friends underway go on, and what was planned for them leave.

    Steps that are late by now are left out. Answers how many friends go on.
    """
    with atomic():
        row = get(sequence_id)
        released = enrolments.release(sequence_id)
        resolve.release_held(OriginKind.STEP, [sequence_id], staff=staff, now=now, wall=wall)
        after = {"count": released}
        audit.record(
            staff, "sequence.release", "sequence", row.id, row.name, None, after, wall=wall
        )
    return released


def check_name(name: str) -> str:
    """
    :raises DomainError: the name is empty or too long
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise DomainError(
            _l("The name needs 1 to %(most)s characters.", most=LONGEST_NAME), field="name"
        )
    return name


def check_period(period_from: date | None, period_until: date | None) -> None:
    """
    :raises DomainError: the period ends before it starts
    """
    if period_from is not None and period_until is not None and period_until < period_from:
        raise DomainError(_l("The period ends before it starts."), field="period_until")


def check_priority(value: Any) -> int:
    """
    :raises DomainError: it isn't a whole number from 1 to 100
    """
    if isinstance(value, bool) or not isinstance(value, int) or not FIRST <= value <= LAST:
        raise DomainError(
            _l("The priority is a whole number from %(low)s to %(high)s.", low=FIRST, high=LAST),
            field="priority",
        )
    return value


def change(row: Sequence, version: int | None, **fields: Any) -> None:
    """Write columns of a sequence and count its version on.

    :raises Conflict: the row has moved on since `version` (None: since it was read)
    """
    expected = row.version if version is None else version
    changed = (
        Sequence.update(version=Sequence.version + 1, **fields)
        .where(Sequence.id == row.id, Sequence.version == expected)
        .execute()
    )
    if not changed:
        raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))


def _switched(staff: Staff | None, action: str, row: Sequence, wall: datetime) -> None:
    on = action.endswith("enable")
    audit.record(
        staff, action, "sequence", row.id, row.name, {"enabled": not on}, {"enabled": on}, wall=wall
    )


def check_editable(row: Sequence) -> None:
    """:raises DomainError: it is archived"""
    if row.archived_at is not None:
        raise DomainError(_l("This sequence is archived."))


def _taken() -> Any:
    return _l("There is already a sequence of this name.")
