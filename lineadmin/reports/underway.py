"""Where a friend is in her step messages, what comes next, and why: told from what is on record."""

from __future__ import annotations

from dataclasses import dataclass

from lineadmin import segments
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, format_date, format_datetime
from lineadmin.messages.names import substitute
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import summarise
from lineadmin.outbox import reasons
from lineadmin.reports.moments import left_because
from lineadmin.segments.tree import TreeError
from lineadmin.sequences import actions, enrolments, moves
from lineadmin.sequences.definition import AT_FIRST_STEP, Definition
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.sequences.published import definitions
from lineadmin.sequences.starts import UNDECIDED

MOST_RUNS = 20


@dataclass(frozen=True)
class Run:
    """One sequence a friend is, or was, in."""

    sequence_id: int
    name: str
    state: str  # active | finished | stopped | held
    where: str  # "step 2 of 4 is behind her"
    next: str  # when the next step comes, or why none does
    said: str  # what it says, in a line
    why: str  # how she came into this branch
    waits: str  # what it is waiting for

    @property
    def underway(self) -> bool:
        """Whether anything may still come."""
        return self.state in (enrolments.ACTIVE, enrolments.HELD)


def runs_of(friend: Friend) -> list[Run]:
    """Her runs, those underway first."""
    rows = list(
        Enrolment.select(Enrolment, Sequence)
        .join(Sequence)
        .where(Enrolment.friend_id == friend.id)
        .order_by(Enrolment.id.desc())
        .limit(MOST_RUNS)
    )
    known = definitions({row.version_id for row in rows})
    targets = moves.targets({row.sequence_id for row in rows})
    told = [
        _told(row, known.get(row.version_id), targets.get(row.sequence_id), friend.display_name)
        for row in rows
    ]
    return sorted(told, key=lambda run: not run.underway)


def _told(
    row: Enrolment, definition: Definition | None, target: tuple[int, int] | None, name: str
) -> Run:
    sequence = row.sequence
    decided = definition is not None and 0 <= row.branch < len(definition.branches)
    steps = definition.branches[row.branch].steps if definition and decided else ()
    said = ""
    if row.state == enrolments.ACTIVE and row.step < len(steps):
        said = substitute(summarise(parse_parts(list(steps[row.step].messages))), name)
    return Run(
        sequence_id=sequence.id,
        name=sequence.name,
        state=row.state,
        where=_where(row, len(steps)),
        next=_next(row),
        said=said,
        why=_why(row, definition),
        waits=_waits(row, sequence, target),
    )


def _where(row: Enrolment, steps: int) -> str:
    started = format_date(row.entered_at)
    if row.branch == UNDECIDED:
        return _("Started on %(day)s; no step yet.", day=started)
    return _(
        "Started on %(day)s; %(done)s of %(steps)s steps are behind her.",
        day=started,
        done=row.step,
        steps=steps,
    )


def _next(row: Enrolment) -> str:
    if row.state == enrolments.HELD:
        return _("Held after restoring a backup, until staff release it.")
    if row.state != enrolments.ACTIVE:
        ended = "" if row.ended_at is None else format_datetime(row.ended_at)
        return _("Ended %(when)s: %(why)s", when=ended, why=left_because(row.reason))
    return _("Next: %(when)s", when=format_datetime(row.next_at))


def _why(row: Enrolment, definition: Definition | None) -> str:
    if definition is None or not definition.branched:
        return ""
    if row.branch == UNDECIDED:
        return _("Her branch is decided when the first step is due.")
    branch = definition.branches[row.branch]
    kept = row.branch_reason if isinstance(row.branch_reason, dict) else {}
    name = kept.get("branch") or branch.name or _("Everyone else")
    reason = _("no other condition fitted")
    if branch.where is not None:
        try:
            reason = segments.sentence(branch.where)
        except TreeError:
            reason = ""
    if kept.get("decided") == AT_FIRST_STEP:
        return _("Branch “%(name)s”, decided at the first step: %(why)s", name=name, why=reason)
    return _("Branch “%(name)s”, decided when she started: %(why)s", name=name, why=reason)


def _waits(row: Enrolment, sequence: Sequence, target: tuple[int, int] | None) -> str:
    if row.state != enrolments.ACTIVE:
        return ""
    if target is not None and row.version_id < target[0]:
        return _("She is being moved to version %(number)s.", number=target[1])
    if not sequence.enabled and sequence.when_off == actions.PAUSE:
        return _("It stands still: the step messages are switched off.")
    if sequence.pause_reason:
        return _("Waiting: %(reason)s", reason=reasons.label(sequence.pause_reason))
    return ""
