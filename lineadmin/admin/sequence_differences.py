"""What differs between two versions of a sequence, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from lineadmin import segments
from lineadmin.admin.sequence_forms import step_when
from lineadmin.admin.sequence_stop import stop_sentence
from lineadmin.admin.sequence_trigger import trigger_sentence
from lineadmin.i18n import _
from lineadmin.messages.parts import parse_parts
from lineadmin.messages.summary import summarise
from lineadmin.sequences.definition import AT_FIRST_STEP, Branch, Definition, Step


def differences(old: Definition | None, new: Definition) -> list[str]:
    """One sentence for each thing that is not as it was; None: there was nothing before."""
    if old is None:
        return []
    return [*_whole(old, new), *_branches(old, new)]


def _whole(old: Definition, new: Definition) -> Iterator[str]:
    if old.trigger != new.trigger:
        yield _(
            "Starts: %(before)s → %(after)s",
            before=trigger_sentence(old.trigger),
            after=trigger_sentence(new.trigger),
        )
    if old.decide != new.decide:
        yield (
            _("Branches are chosen when the first step is due.")
            if new.decide == AT_FIRST_STEP
            else _("Branches are chosen when a friend starts.")
        )
    if (old.stop, old.stop_bought) != (new.stop, new.stop_bought):
        yield (
            _("Stops for friends who: %(who)s", who=stop_sentence(new))
            if new.stops
            else _("Stops for nobody.")
        )


def _branches(old: Definition, new: Definition) -> Iterator[str]:
    before = {branch.name: branch for branch in old.branches}
    after = {branch.name: branch for branch in new.branches}
    if not old.branched and not new.branched:
        yield from _steps(old.branches[0], new.branches[0], "")
        return
    for name in before:
        if name not in after and old.branched:
            yield _("Branch gone: %(name)s", name=name)
    for name, branch in after.items():
        title = name or _("everyone together")
        if name not in before:
            yield _("New branch: %(name)s, %(count)s steps", name=title, count=len(branch.steps))
            continue
        if before[name].where != branch.where and branch.where is not None:
            yield _("%(name)s is now for: %(who)s", name=title, who=segments.sentence(branch.where))
        yield from _steps(before[name], branch, title)
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield _("The branches are asked in another order.")


def _steps(old: Branch, new: Branch, name: str) -> Iterator[str]:
    def placed(number: int, sentence: str) -> str:
        if not name:
            return _("Step %(step)s: %(sentence)s", step=number, sentence=sentence)
        return _(
            "%(branch)s, step %(step)s: %(sentence)s", branch=name, step=number, sentence=sentence
        )

    for number, (one, two) in enumerate(zip(old.steps, new.steps, strict=False), 1):
        first = number == 1
        was, now = step_when(one, first=first), step_when(two, first=first)
        if was != now:
            yield placed(number, f"{was} → {now}")
        if one.messages != two.messages:
            yield placed(number, _words(one, two))
    for number in range(len(new.steps) + 1, len(old.steps) + 1):
        yield placed(number, _("this step is gone"))
    for number in range(len(old.steps) + 1, len(new.steps) + 1):
        step = new.steps[number - 1]
        yield placed(number, _("new: %(when)s", when=step_when(step, first=number == 1)))


def _words(one: Step, two: Step) -> str:
    was, now = (summarise(parse_parts(list(step.messages))) for step in (one, two))
    if was == now:
        return _("another message")
    return f"{was or _('no message')} → {now or _('no message')}"
