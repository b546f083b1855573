"""A whole sequence in sentences, a line for each step: what the audit log keeps of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lineadmin import segments
from lineadmin.admin.sequence_forms import step_when
from lineadmin.admin.sequence_stop import stop_sentence
from lineadmin.admin.sequence_trigger import trigger_sentence
from lineadmin.i18n import _
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import summarise
from lineadmin.sequences.definition import Branch, Definition, parse

KEYS = {"trigger", "branches"}


def definition_words(value: dict[str, Any]) -> str | None:
    """The definition as lines of text; None where `value` is none.

    :raises DefinitionError: it would be one, but cannot be read
    """
    if not set(value) >= KEYS:
        return None
    return "\n".join(_lines(parse(value)))


def only_what_differs(before: str, after: str) -> tuple[str, str]:
    """Of two texts of several lines those lines that the other does not have."""
    was, now = before.splitlines(), after.splitlines()
    if len(was) < 2 or len(now) < 2:
        return before, after
    gone = [line for line in was if line not in now]
    come = [line for line in now if line not in was]
    # The same lines in another order: then the order is what differs.
    return ("\n".join(gone), "\n".join(come)) if gone or come else (before, after)


def _lines(definition: Definition) -> Iterator[str]:
    yield _("Starts: %(trigger)s", trigger=trigger_sentence(definition.trigger))
    if definition.stops:
        yield _("Stops for friends who: %(who)s", who=stop_sentence(definition))
    for branch in definition.branches:
        yield from _branch(branch)


def _branch(branch: Branch) -> Iterator[str]:
    if branch.where is not None:
        yield _("%(branch)s, for: %(who)s", branch=branch.name, who=segments.sentence(branch.where))
    for number, step in enumerate(branch.steps, 1):
        words = {
            "step": number,
            "when": step_when(step, first=number == 1),
            "text": summarise(parse_parts(list(step.messages))) or _("no message"),
        }
        yield (
            _("%(branch)s, step %(step)s: %(when)s: %(text)s", branch=branch.name, **words)
            if branch.name
            else _("Step %(step)s: %(when)s: %(text)s", **words)
        )
