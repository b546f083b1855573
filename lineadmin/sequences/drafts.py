"""Drafts: kept while staff edit, with undo and redo, and going back to an earlier version.

Every state of a draft is a row; `Sequence.draft_number` says which one the editor shows. Nobody
gets anything of it before it is published.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.sequences.actions import (
    change,
    check_editable,
    definition_of,
    get,
    live_definition,
)
from lineadmin.sequences.definition import dump, parse
from lineadmin.sequences.models import DraftState, Sequence, SequenceVersion
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

MOST_STATES = 60  # how far back undo goes
ONE_GO = timedelta(minutes=2)  # what one person writes in one place in this time is undone as one


class Reach(NamedTuple):
    """Where undo and redo can go."""

    undo: bool
    redo: bool


def save_draft(
    sequence_id: int,
    raw: Any,
    *,
    version: int | None,
    about: str = "",
    staff: Staff | None,
    wall: datetime,
) -> int:
    """Keep an edited definition; answers the version the next save has to name.

    :param about: the place that was edited; what is typed there in one go is undone as one
    :raises DefinitionError: it cannot be
    :raises Conflict: somebody else saved since `version`
    """
    definition = parse(raw)
    with atomic():
        row = get(sequence_id)
        check_editable(row)
        before = dump(definition_of(row))
        after = dump(definition)
        if before == after:
            return int(row.version)
        number, new = _keep(row, before, after, about, staff, wall)
        _show(row, version, after, number)
        if new:
            audit.record(
                staff,
                "sequence.edit",
                "sequence",
                row.id,
                row.name,
                {"definition": before},
                {"definition": after},
                wall=wall,
            )
        return int(row.version) + 1


def discard_draft(
    sequence_id: int, *, version: int | None, staff: Staff | None, wall: datetime
) -> None:
    """Go back to what is live; undo brings the draft back.

    :raises DomainError: nothing is live yet
    """
    with atomic():
        row = get(sequence_id)
        if row.live_version is None:
            raise DomainError(_l("Nothing was published yet."))
        if row.draft is None:
            return
        _replace(row, version, dump(live_definition(row)), "sequence.undo", staff, wall)


def restore_version(
    sequence_id: int,
    number: int,
    *,
    version: int | None,
    staff: Staff | None,
    wall: datetime,
) -> None:
    """Make an earlier version the draft; nothing changes for friends before it is published.

    :raises DomainError: there is no such version
    """
    with atomic():
        row = get(sequence_id)
        check_editable(row)
        earlier = SequenceVersion.get_or_none(sequence=row, number=number)
        if earlier is None:
            raise DomainError(_l("There is no version of this number."))
        wanted = dump(parse(earlier.definition))
        if wanted != dump(definition_of(row)):
            _replace(row, version, wanted, "sequence.edit", staff, wall)


def undo(sequence_id: int, *, version: int | None, staff: Staff | None, wall: datetime) -> bool:
    """Go one state back; False where there is none.

    :raises Conflict: somebody else saved since `version`
    """
    return _walk(sequence_id, -1, version, staff, wall)


def redo(sequence_id: int, *, version: int | None, staff: Staff | None, wall: datetime) -> bool:
    """Go forward again; False where nothing was undone.

    :raises Conflict: somebody else saved since `version`
    """
    return _walk(sequence_id, 1, version, staff, wall)


def reach(row: Sequence) -> Reach:
    """Whether undo and redo have anywhere to go."""
    states = DraftState.select().where(DraftState.sequence == row)
    return Reach(
        states.where(DraftState.number < row.draft_number).exists(),
        states.where(DraftState.number > row.draft_number).exists(),
    )


def _walk(
    sequence_id: int, by: int, version: int | None, staff: Staff | None, wall: datetime
) -> bool:
    with atomic():
        row = get(sequence_id)
        check_editable(row)
        there = DraftState.get_or_none(sequence=row, number=row.draft_number + by)
        if there is None:
            return False
        before = dump(definition_of(row))
        _show(row, version, there.definition, there.number)
        audit.record(
            staff,
            "sequence.undo",
            "sequence",
            row.id,
            row.name,
            {"definition": before},
            {"definition": there.definition},
            wall=wall,
        )
    return True


def _replace(
    row: Sequence,
    version: int | None,
    after: dict[str, Any],
    action: str,
    staff: Staff | None,
    wall: datetime,
) -> None:
    before = dump(definition_of(row))
    number, _new = _keep(row, before, after, "", staff, wall)
    _show(row, version, after, number)
    audit.record(
        staff,
        action,
        "sequence",
        row.id,
        row.name,
        {"definition": before},
        {"definition": after},
        wall=wall,
    )


def _keep(
    row: Sequence,
    before: dict[str, Any],
    after: dict[str, Any],
    about: str,
    staff: Staff | None,
    wall: datetime,
) -> tuple[int, bool]:
    """Write `after` behind the state that is shown; its number, and whether it is a new one."""
    mine = DraftState.sequence == row
    who = None if staff is None else staff.id
    DraftState.delete().where(mine & (DraftState.number > row.draft_number)).execute()
    last = DraftState.get_or_none(sequence=row, number=row.draft_number)
    if last is None or last.definition != before:
        # The first edit, or the draft was made another way: what was there can be gone back to.
        _insert(row, row.draft_number + 1, before, "", who, wall)
        row.draft_number += 1
        last = None
    if last is not None and _goes_on(last, about, who, wall):
        DraftState.update(definition=after, at=wall).where(DraftState.id == last.id).execute()
        return row.draft_number, False
    number = row.draft_number + 1
    _insert(row, number, after, about, who, wall)
    DraftState.delete().where(mine & (DraftState.number <= number - MOST_STATES)).execute()
    return number, True


def _goes_on(last: DraftState, about: str, who: int | None, wall: datetime) -> bool:
    return bool(about) and last.about == about and last.staff_id == who and wall - last.at < ONE_GO


def _insert(
    row: Sequence,
    number: int,
    definition: dict[str, Any],
    about: str,
    who: int | None,
    wall: datetime,
) -> None:
    DraftState.create(
        sequence=row, number=number, definition=definition, about=about, staff_id=who, at=wall
    )


def _show(row: Sequence, version: int | None, definition: dict[str, Any], number: int) -> None:
    live = None if row.live_version is None else dump(live_definition(row))
    change(row, version, draft=None if definition == live else definition, draft_number=number)
