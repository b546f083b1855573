"""What keeps a draft from being published, in the same words on screen, in files and in actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lineadmin import segments
from lineadmin.coupons.models import Coupon
from lineadmin.friends.fields import DATE as DATE_FIELD
from lineadmin.friends.models import Field, Source, Tag
from lineadmin.i18n import _
from lineadmin.messages.check import check_parts, located
from lineadmin.messages.parts import coupon_codes, parse_parts
from lineadmin.messages.references import look_up
from lineadmin.purchases.models import PurchaseCategory
from lineadmin.segments.about_friend import UNKNOWN_SOURCE
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import TreeError
from lineadmin.sequences.bands import overlaps
from lineadmin.sequences.definition import (
    ANY,
    BIRTHDAY,
    COUPON_REDEEMED,
    DATE,
    FOLLOW,
    PURCHASE,
    SEGMENT,
    SURVEY_ANSWERED,
    TAG_ADDED,
    Branch,
    Definition,
    Path,
    Step,
    Trigger,
)
from lineadmin.surveys.models import Survey


@dataclass(frozen=True)
class Problem:
    """What keeps a draft from being published."""

    path: Path
    sentence: str

    @property
    def step(self) -> tuple[int, int] | None:
        """Branch and step it is about, where it is about one."""
        if len(self.path) >= 4 and self.path[2] == "steps":
            return int(self.path[1]), int(self.path[3])
        return None

    def told(self, definition: Definition) -> str:
        """The sentence with the branch and step it is about."""
        if self.path[0] != "branches" or not (definition.branched or self.step):
            return self.sentence
        branch = called(definition, int(self.path[1]))
        if self.step is None:
            return _("%(branch)s: %(sentence)s", branch=branch, sentence=self.sentence)
        step = self.step[1] + 1
        if not definition.branched:
            return _("Step %(step)s: %(sentence)s", step=step, sentence=self.sentence)
        return _(
            "%(branch)s, step %(step)s: %(sentence)s",
            branch=branch,
            step=step,
            sentence=self.sentence,
        )


def called(definition: Definition, number: int) -> str:
    """What a branch is called where it may have no name yet."""
    branch = definition.branches[number]
    if branch.otherwise:
        return branch.name or _("Everyone else")
    return branch.name or _("Branch %(number)s", number=number + 1)


def problems(
    definition: Definition, *, now: datetime, public_url: str | None, path: Path = ()
) -> list[Problem]:
    """Everything that keeps a draft from being published, in reading order."""
    found = [Problem((*path, "trigger"), text) for text in _trigger_problems(definition.trigger)]
    shared = list(overlaps(definition.branches))
    for number, branch in enumerate(definition.branches):
        inside: Path = (*path, "branches", number)
        if branch.where is not None:
            found += [Problem((*inside, "where"), text) for text in _condition_problems(branch)]
            found += [
                Problem((*inside, "where"), _overlap(definition, earlier, number, ages))
                for earlier, later, ages in shared
                if later == number
            ]
        if not branch.steps:
            found.append(Problem((*inside, "steps"), _("Add at least one step.")))
        day = 0
        for index, step in enumerate(branch.steps):
            day += step.after_days
            place: Path = (*inside, "steps", index, "messages")
            for sentence in _message_problems(step, now, day, public_url):
                found.append(Problem(place, sentence))
    if definition.stop_bought not in (None, ANY) and not _category(definition.stop_bought):
        name = definition.stop_bought
        sentence = _("There is no category of goods “%(name)s”.", name=name)
        found.append(Problem((*path, "stop_bought"), sentence))
    if definition.stop is not None:
        try:
            segments.check_names(segments.parse(definition.stop))
        except TreeError as error:
            found.append(Problem((*path, "stop"), str(error)))
    return found


def _trigger_problems(trigger: Trigger) -> Iterator[str]:
    name = trigger.about
    if trigger.kind == FOLLOW:
        for code in trigger.sources or ():
            if code != UNKNOWN_SOURCE and not _exists(Source, Source.code == code):
                yield _("There is no source with the code %(code)s.", code=code)
    elif trigger.kind == TAG_ADDED and not _exists(Tag, Tag.name == name):
        yield _("There is no tag “%(name)s”.", name=name)
    elif trigger.kind == COUPON_REDEEMED and not _exists(Coupon, Coupon.code == name):
        yield _("There is no coupon with the code %(code)s.", code=name)
    elif trigger.kind == PURCHASE and name != ANY and not _category(name):
        yield _("There is no category of goods “%(name)s”.", name=name)
    elif trigger.kind == SURVEY_ANSWERED and not _exists(Survey, Survey.code == name):
        yield _("There is no survey with the code %(code)s.", code=name)
    elif trigger.kind == SEGMENT and not _exists(Segment, Segment.name == name):
        yield _("There is no segment “%(name)s”.", name=name)
    elif trigger.kind == DATE and not _is_date(name):
        yield _("There is no date field with the key %(key)s.", key=name)


def _category(name: str | None) -> bool:
    return _exists(PurchaseCategory, PurchaseCategory.name == name)


def _is_date(key: str) -> bool:
    return key == BIRTHDAY or _exists(Field, (Field.key == key) & (Field.type == DATE_FIELD))


def _exists(model: Any, condition: Any) -> bool:
    return bool(model.select().where(condition).exists())


def _condition_problems(branch: Branch) -> Iterator[str]:
    tree = segments.parse(branch.where)
    if tree == segments.EVERYONE:
        yield _("Choose whom this branch is for.")
    try:
        segments.check_names(tree)
    except TreeError as error:
        yield str(error)


def _overlap(definition: Definition, earlier: int, later: int, ages: str) -> str:
    return _(
        "The ages of “%(one)s” and “%(two)s” overlap: %(ages)s. "
        "Let one end where the other begins (25 or more begins at 25, below 25 ends at 24).",
        one=called(definition, earlier),
        two=called(definition, later),
        ages=ages,
    )


def _message_problems(
    step: Step, now: datetime, earliest_day: int, public_url: str | None
) -> Iterator[str]:
    parts = parse_parts(list(step.messages))
    references = look_up(parts)
    found = check_parts(parts, references=references, now=now, public_url=public_url)
    if found:
        yield located(found[0])
        return
    for code in coupon_codes(parts):
        coupon = references.coupons[code]
        until = coupon.valid_until
        if until is not None and until <= now + timedelta(days=earliest_day):
            yield _("The coupon “%(title)s” ends before this step.", title=coupon.title)
