"""The canvas of the sequence editor: trigger, branches as columns, steps as cards with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineadmin import config, segments
from lineadmin.admin.sequence_forms import step_when
from lineadmin.admin.sequence_stop import stop_sentence
from lineadmin.admin.sequence_trigger import trigger_sentence
from lineadmin.i18n import _
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import as_read
from lineadmin.outbox.models import DeliveryState
from lineadmin.reports import sequence as sequence_report
from lineadmin.sequences import enrolments
from lineadmin.sequences.definition import (
    MOST_BRANCHES,
    MOST_STEPS,
    Definition,
    Step,
    cumulative_days,
)
from lineadmin.sequences.edit import UNCHOSEN
from lineadmin.sequences.models import Sequence
from lineadmin.sequences.problems import Problem, problems


@dataclass(frozen=True)
class StepCard:
    """One step as its card shows it."""

    place: str  # "branch-step", the step counted from 1
    number: int
    step: Step
    when: str
    day: int  # days after the start, at the earliest
    summary: str
    sent: int
    left_out: int
    tapped: str  # "31%"; "" where nothing can be tapped, or nobody got it
    problem: str


@dataclass(frozen=True)
class BranchColumn:
    """One branch: who is in it, and its steps."""

    index: int
    name: str
    condition: str
    chosen: bool  # whom it is for has been said
    rest: bool  # everyone else's
    cards: list[StepCard]
    problem: str

    @property
    def place(self) -> str:
        """How the address names it."""
        return f"branch-{self.index}"

    @property
    def full(self) -> bool:
        """Whether no step can be added."""
        return len(self.cards) >= MOST_STEPS


@dataclass(frozen=True)
class Canvas:
    """Everything the canvas draws."""

    trigger: str
    trigger_problem: str
    groups_problem: str
    branches: list[BranchColumn]
    underway: int
    finished: int
    held: int
    problems: list[Problem]
    changed: bool  # the draft differs from what is live
    stop: str  # whom the sequence stops for, in words

    @property
    def branched(self) -> bool:
        """Whether friends are split at all."""
        return len(self.branches) > 1

    @property
    def full(self) -> bool:
        """Whether no branch can be added."""
        return len(self.branches) > MOST_BRANCHES

    @property
    def movable(self) -> bool:
        """Whether any branch has an order that could be another."""
        return any(len(branch.cards) > 1 for branch in self.branches)

    def step(self, place: str) -> StepCard | None:
        """The card at a place, if there is one."""
        cards = (card for branch in self.branches for card in branch.cards)
        return next((card for card in cards if card.place == place), None)

    def branch(self, place: str) -> BranchColumn | None:
        """The column at a place ("branch-0"), if there is one."""
        return next((one for one in self.branches if self.branched and one.place == place), None)

    def first(self) -> StepCard | None:
        """The first card of all."""
        return next((card for branch in self.branches for card in branch.cards), None)


def draw(
    row: Sequence, definition: Definition, *, now: datetime, with_outcomes: bool = True
) -> Canvas:
    """The canvas of a sequence as it is being edited.

    :param with_outcomes: whether its steps tell what became of them, which counts every delivery
    """
    found = problems(definition, now=now, public_url=config.current().public_url)
    counts = enrolments.counts([row.id])[row.id]
    outcomes = sequence_report.outcomes(row.id) if with_outcomes else {}
    tapped = sequence_report.tapped(row.id) if outcomes else {}
    branches = []
    for index, branch in enumerate(definition.branches):
        days = cumulative_days(branch.steps)
        cards = [
            StepCard(
                place=f"{index}-{number + 1}",
                number=number + 1,
                step=step,
                when=step_when(step, first=number == 0),
                day=days[number],
                summary=as_read(parse_parts(list(step.messages))),
                sent=outcomes.get((index, number + 1), {}).get(DeliveryState.SENT, 0),
                left_out=outcomes.get((index, number + 1), {}).get(DeliveryState.SKIPPED, 0),
                tapped=_share(tapped.get((index, number + 1)), outcomes.get((index, number + 1))),
                problem=_about(found, "branches", index, "steps", number),
            )
            for number, step in enumerate(branch.steps)
        ]
        chosen = branch.where is None or branch.where != UNCHOSEN
        name = branch.name or (_("Everyone else") if branch.otherwise else _("New branch"))
        branches.append(
            BranchColumn(
                index=index,
                name=name if definition.branched else "",
                condition=segments.sentence(branch.where) if branch.where and chosen else "",
                chosen=chosen,
                rest=branch.otherwise,
                cards=cards,
                problem=_about(found, "branches", index, "where")
                or ("" if branch.steps else _about(found, "branches", index, "steps")),
            )
        )
    return Canvas(
        trigger=trigger_sentence(definition.trigger),
        trigger_problem=_about(found, "trigger"),
        groups_problem=_about(found, "stop") or _about(found, "stop_bought"),
        branches=branches,
        underway=counts.get("active", 0),
        finished=counts.get("finished", 0),
        held=counts.get("held", 0),
        problems=found,
        changed=row.draft is not None,
        stop=stop_sentence(definition),
    )


def _share(tapped: int | None, outcome: Mapping[DeliveryState, int] | None) -> str:
    got = 0 if outcome is None else outcome.get(DeliveryState.SENT, 0)
    return f"{round(100 * tapped / got)}%" if tapped is not None and got else ""


def _about(found: list[Problem], *place: Any) -> str:
    """The first problem at a place or inside of it."""
    inside = (one.sentence for one in found if one.path[: len(place)] == place)
    return next(inside, "")
