"""The canvas of the sequence editor: trigger, branches as columns, steps as cards with numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineadmin import config, segments
from lineadmin.admin.sequence_forms import step_when, trigger_sentence
from lineadmin.i18n import _
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import summarise
from lineadmin.outbox.models import DeliveryState
from lineadmin.reports import sequence as sequence_report
from lineadmin.sequences import enrolments
from lineadmin.sequences.definition import Definition, Step, cumulative_days
from lineadmin.sequences.models import Sequence
from lineadmin.sequences.problems import problems


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
    problem: str


@dataclass(frozen=True)
class BranchColumn:
    """One branch: who is in it, and its steps."""

    index: int
    name: str
    condition: str
    cards: list[StepCard]


@dataclass(frozen=True)
class Canvas:
    """Everything the canvas draws."""

    trigger: str
    trigger_problem: str
    branches: list[BranchColumn]
    underway: int
    finished: int
    held: int
    publishable: bool
    changed: bool  # the draft differs from what is live

    def step(self, place: str) -> StepCard | None:
        """The card at a place, if there is one."""
        cards = (card for branch in self.branches for card in branch.cards)
        return next((card for card in cards if card.place == place), None)

    def first(self) -> StepCard | None:
        """The first card of all."""
        return next((card for branch in self.branches for card in branch.cards), None)


def draw(row: Sequence, definition: Definition, *, now: datetime) -> Canvas:
    """The canvas of a sequence as it is being edited."""
    found = problems(definition, now=now, public_url=config.current().public_url)
    wrong = {problem.step: problem.sentence for problem in reversed(found) if problem.step}
    outcomes = sequence_report.outcomes(row.id)
    counts = enrolments.counts([row.id])[row.id]
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
                summary=summarise(parse_parts(list(step.messages))),
                sent=outcomes[index, number + 1][DeliveryState.SENT],
                left_out=outcomes[index, number + 1][DeliveryState.SKIPPED],
                problem=wrong.get((index, number), ""),
            )
            for number, step in enumerate(branch.steps)
        ]
        name = branch.name or (_("Everyone else") if definition.branched else "")
        condition = "" if branch.where is None else segments.sentence(branch.where)
        branches.append(BranchColumn(index, name, condition, cards))
    about_trigger = [problem.sentence for problem in found if problem.path[-1] == "trigger"]
    return Canvas(
        trigger=trigger_sentence(definition.trigger),
        trigger_problem=about_trigger[0] if about_trigger else "",
        branches=branches,
        underway=counts.get("active", 0),
        finished=counts.get("finished", 0),
        held=counts.get("held", 0),
        publishable=not found,
        changed=row.draft is not None,
    )


def find_step(raw: dict[str, Any], branch: int, step: int) -> list[dict[str, Any]] | None:
    """The list of steps that has step number `step` (from 1) of a branch; None where it has not."""
    if branch >= len(raw["branches"]):
        return None
    steps: list[dict[str, Any]] = raw["branches"][branch]["steps"]
    return steps if 1 <= step <= len(steps) else None


def move_step(steps: list[dict[str, Any]], step: int, *, up: bool) -> int:
    """Swap the messages of a step and its neighbour; when each is sent stays. Where it landed."""
    other = step - 1 if up else step + 1
    if not 1 <= other <= len(steps):
        return step
    one, two = steps[step - 1], steps[other - 1]
    one["messages"], two["messages"] = two["messages"], one["messages"]
    return other
