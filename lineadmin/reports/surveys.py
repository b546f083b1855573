"""What the sendings of a survey are called, with names looked up once per kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineadmin.broadcasts.models import Broadcast
from lineadmin.i18n import _
from lineadmin.replies.actions import label as rule_label
from lineadmin.replies.models import ReplyRule
from lineadmin.sequences.models import Sequence as StepSequence
from lineadmin.sequences.models import SequenceVersion
from lineadmin.sequences.places import place_of
from lineadmin.surveys.models import SurveySending
from lineadmin.surveys.sendings import BROADCAST, REPLY, STEP, TEST


def labels(sendings: Sequence[SurveySending]) -> dict[int, str]:
    """Each sending's name by its id, in the reader's language."""
    names = _Names(sendings)
    return {row.id: names.of(row) for row in sendings}


def month_label(month: int) -> str:
    """202611 as 2026/11"""
    return f"{month // 100}/{month % 100:02}"


class _Names:
    def __init__(self, sendings: Sequence[SurveySending]) -> None:
        wanted = {
            origin: sorted({row.origin_id for row in sendings if row.origin == origin})
            for origin in (STEP, BROADCAST, REPLY)
        }
        sequences = list(StepSequence.select().where(StepSequence.id.in_(wanted[STEP])))
        self._sequences = {row.id: row.name for row in sequences}
        self._branches = _branch_names(sequences)
        rows = Broadcast.select(Broadcast.id, Broadcast.name)
        self._broadcasts = {
            row.id: row.name for row in rows.where(Broadcast.id.in_(wanted[BROADCAST]))
        }
        rules = ReplyRule.select().where(ReplyRule.id.in_(wanted[REPLY]))
        self._rules = {row.id: rule_label(row) for row in rules}

    def of(self, row: SurveySending) -> str:
        gone = _("(deleted since)")
        if row.origin == STEP:
            branch, step = place_of(row.place)
            name = self._sequences.get(row.origin_id, gone)
            told = _("“%(name)s”, step %(number)s", name=name, number=step)
            of_branch = self._branches.get((row.origin_id, branch), "")
            return f"{told}（{of_branch}）" if of_branch else told
        if row.origin == BROADCAST:
            return _("broadcast “%(name)s”", name=self._broadcasts.get(row.origin_id, gone))
        told = _("an automatic answer")
        if row.origin == REPLY and row.origin_id:
            told = _("keyword reply “%(name)s”", name=self._rules.get(row.origin_id, gone))
        elif row.origin == "greeting":
            told = _("the greeting")
        elif row.origin == "staff":
            told = _("staff's answer")
        elif row.origin == TEST:
            told = _("a test message")
        return f"{told}・{month_label(row.place)}"


def _branch_names(sequences: Sequence[StepSequence]) -> dict[tuple[int, int], str]:
    """The names of branches by sequence and place, where there are several."""
    live = [row.live_version for row in sequences if row.live_version]
    if not live:
        return {}
    rows = SequenceVersion.select().where(SequenceVersion.id.in_(live))
    definitions: dict[int, Any] = {row.id: row.definition for row in rows}
    names: dict[tuple[int, int], str] = {}
    for sequence in sequences:
        branches = (definitions.get(sequence.live_version or 0) or {}).get("branches") or []
        for number, branch in enumerate(branches if len(branches) > 1 else []):
            names[sequence.id, number] = branch.get("name") or ""
    return names
