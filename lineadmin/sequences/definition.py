"""What a sequence says: trigger, branches and steps, in the form of the shop file.

One reading for the editor, the shop file and the actions, so a mistake is told in the same words
everywhere. A draft may still lack messages; problems.py lists what keeps it from being published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lineadmin import segments
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.messages.parts import PartsError, dump_parts, parse_parts
from lineadmin.segments.tree import TreeError
from lineadmin.settings.shop import parse_clock

MOST_STEPS = 10
MOST_BRANCHES = 4  # and the rest
MOST_NAME = 40  # of a branch
FEWEST_DAYS, MOST_DAYS = 1, 30
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ANY = "any"
FOLLOW, TAG_ADDED, COUPON_REDEEMED = "follow", "tag_added", "coupon_redeemed"
PURCHASE, SURVEY_ANSWERED = "purchase", "survey_answered"
DATE, MANUAL, SEGMENT = "date", "manual", "segment"
TRIGGERS = (
    FOLLOW,
    TAG_ADDED,
    COUPON_REDEEMED,
    PURCHASE,
    SURVEY_ANSWERED,
    DATE,
    MANUAL,
    SEGMENT,
)
BIRTHDAY = "birthday"  # beside the shop's own date fields
MOST_OFFSET = 365  # days before or after the date
# When a friend's branch is chosen
AT_ENROLMENT, AT_FIRST_STEP = "enrolment", "first_step"

Path: TypeAlias = tuple[str | int, ...]


class DefinitionError(DomainError):
    """A definition that cannot be. `path` leads to the place: ("branches", 0, "steps", 2, "at")."""

    def __init__(self, message: object, path: Path = ()) -> None:
        super().__init__(message, field=str(path[-1]) if path else None)
        self.path = path


@dataclass(frozen=True)
class Trigger:
    """What starts a friend.

    A follow (of chosen sources; None = any), a tag, a redemption, a purchase (of a category, or
    any), a survey's answer, a day that belongs to her, being in a segment, or staff's own hand
    (`manual`).
    """

    kind: str
    sources: tuple[str, ...] | None = None
    about: str = ""  # name of a tag, segment or category; code of a coupon or survey; key of a date
    offset_days: int = 0  # of a date: she starts so many days after it (before it, where negative)


@dataclass(frozen=True)
class Step:
    """One message some days after the one before."""

    after_days: int
    at: str  # "10:00", the shop's clock
    weekday: str | None = None
    messages: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Branch:
    """The steps of those whom `where` picks; `otherwise` stands for everyone else."""

    name: str
    where: dict[str, Any] | None
    otherwise: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Definition:
    """A sequence as one version has it."""

    trigger: Trigger
    branches: tuple[Branch, ...]
    decide: str = AT_ENROLMENT  # when a friend's branch is chosen
    stop: dict[str, Any] | None = None  # whom it fits when a step is due leaves the sequence
    stop_bought: str | None = None  # so does who bought since she started: any, or a category

    @property
    def branched(self) -> bool:
        """Whether friends are split at all."""
        return len(self.branches) > 1

    @property
    def stops(self) -> bool:
        """Whether anything ends it early for a friend."""
        return self.stop is not None or self.stop_bought is not None


STARTING_STEP = Step(after_days=1, at="10:00")
EMPTY = Definition(Trigger(FOLLOW), (Branch("", None, False, (STARTING_STEP,)),))


def parse(raw: Any, path: Path = ()) -> Definition:
    """The definition that `raw` describes.

    :raises DefinitionError: with the way to the first thing that cannot be
    """
    given = _mapping(raw, {"trigger", "branches", "decide", "stop", "stop_bought"}, path)
    trigger = _trigger(given.get("trigger"), (*path, "trigger"))
    listed = _list(given.get("branches"), (*path, "branches"))
    branches = tuple(_branch(item, (*path, "branches", index)) for index, item in enumerate(listed))
    _check_branches(branches, (*path, "branches"))
    decide = given.get("decide")
    if decide is None:
        decide = AT_ENROLMENT
    bought = given.get("stop_bought")
    return Definition(
        trigger,
        branches,
        check_word(decide, (AT_ENROLMENT, AT_FIRST_STEP), (*path, "decide")),
        _condition(given.get("stop"), (*path, "stop")),
        None if bought is None else _text(bought, (*path, "stop_bought")),
    )


def dump(definition: Definition) -> dict[str, Any]:
    """The shop-file form; `parse(dump(definition)) == definition`."""
    written: dict[str, Any] = {
        "trigger": dump_trigger(definition.trigger),
        "branches": [_dump_branch(branch) for branch in definition.branches],
    }
    if definition.decide != AT_ENROLMENT:
        written["decide"] = definition.decide
    if definition.stop is not None:
        written["stop"] = definition.stop
    if definition.stop_bought is not None:
        written["stop_bought"] = definition.stop_bought
    return written


def dump_trigger(trigger: Trigger) -> dict[str, Any]:
    """The shop-file form of a trigger."""
    if trigger.kind == FOLLOW:
        return {FOLLOW: ANY if trigger.sources is None else list(trigger.sources)}
    if trigger.kind == DATE:
        return {DATE: {"field": trigger.about, "offset_days": trigger.offset_days}}
    if trigger.kind == MANUAL:
        return {MANUAL: True}
    return {trigger.kind: trigger.about}


def cumulative_days(steps: Sequence[Step]) -> list[int]:
    """How many days after the trigger each step falls at the earliest (weekdays may add some)."""
    total, days = 0, []
    for step in steps:
        total += step.after_days
        days.append(total)
    return days


# -- reading -----------------------------------------------------------------------------------


def _trigger(raw: Any, path: Path) -> Trigger:
    given = _mapping(raw, set(TRIGGERS), path)
    if len(given) != 1:
        raise DefinitionError(
            _l("A trigger is one of: %(kinds)s.", kinds=", ".join(TRIGGERS)), path
        )
    kind, value = next(iter(given.items()))
    inside: Path = (*path, kind)
    if kind == FOLLOW:
        return Trigger(FOLLOW, sources=_sources(value, inside))
    if kind == DATE:
        return _date(value, inside)
    if kind == MANUAL:
        if value is not True:
            raise DefinitionError(_l("Here stands true, or another trigger."), inside)
        return Trigger(MANUAL)
    return Trigger(kind, about=_text(value, inside))


def _sources(value: Any, path: Path) -> tuple[str, ...] | None:
    if value == ANY:
        return None
    listed = _list(value, path)
    if not listed:
        raise DefinitionError(_l("Choose at least one source, or any."), path)
    codes = [_text(code, (*path, index)) for index, code in enumerate(listed)]
    return tuple(dict.fromkeys(codes))


def _date(raw: Any, path: Path) -> Trigger:
    given = _mapping(raw, {"field", "offset_days"}, path)
    field = _text(given.get("field"), (*path, "field"))
    offset = check_offset(given.get("offset_days", 0), (*path, "offset_days"))
    return Trigger(DATE, about=field, offset_days=offset)


def _branch(raw: Any, path: Path) -> Branch:
    given = _mapping(raw, {"name", "where", "otherwise", "steps"}, path)
    name = given.get("name") or ""
    if not isinstance(name, str) or len(name) > MOST_NAME:
        raise DefinitionError(
            _l("A name has at most %(most)s characters.", most=MOST_NAME), (*path, "name")
        )
    otherwise = given.get("otherwise", False)
    if not isinstance(otherwise, bool):
        raise DefinitionError(_l("This must be true or false."), (*path, "otherwise"))
    where = _condition(given.get("where"), (*path, "where"))
    listed = _list(given.get("steps"), (*path, "steps"))
    if len(listed) > MOST_STEPS:
        raise DefinitionError(
            _l("A sequence has at most %(most)s steps.", most=MOST_STEPS),
            (*path, "steps", MOST_STEPS),
        )
    steps = tuple(_step(item, (*path, "steps", index)) for index, item in enumerate(listed))
    return Branch(name, where, otherwise, steps)


def _check_branches(branches: tuple[Branch, ...], path: Path) -> None:
    if not branches:
        raise DefinitionError(_l("A sequence has at least one branch."), path)
    if len(branches) == 1:
        if branches[0].where is not None:
            raise DefinitionError(
                _l("A condition needs a branch for everyone else beside it."), (*path, 0, "where")
            )
        return
    if len(branches) > MOST_BRANCHES + 1:
        raise DefinitionError(
            _l("At most %(most)s conditions and everyone else.", most=MOST_BRANCHES),
            (*path, MOST_BRANCHES + 1),
        )
    for index, branch in enumerate(branches):
        last = index == len(branches) - 1
        if branch.otherwise != last or (branch.where is None) != last:
            raise DefinitionError(
                _l("Every branch has a condition, and the last one is for everyone else."),
                (*path, index),
            )


def _step(raw: Any, path: Path) -> Step:
    given = _mapping(raw, {"after_days", "at", "weekday", "messages"}, path)
    try:
        parts = dump_parts(parse_parts(given.get("messages") or []))
    except PartsError as error:
        raise DefinitionError(error.message, (*path, "messages", *error.path)) from None
    return Step(
        after_days=check_days(given.get("after_days"), (*path, "after_days")),
        at=check_at(given.get("at"), (*path, "at")),
        weekday=check_weekday(given.get("weekday"), (*path, "weekday")),
        messages=tuple(parts),
    )


def check_days(value: Any, path: Path = ("after_days",)) -> int:
    """
    :raises DefinitionError: it isn't a whole number of days within the limits
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, int)
        or not FEWEST_DAYS <= value <= MOST_DAYS
    ):
        raise DefinitionError(
            _l(
                "The days between steps are a whole number from %(low)s to %(high)s.",
                low=FEWEST_DAYS,
                high=MOST_DAYS,
            ),
            path,
        )
    return value


def check_offset(value: Any, path: Path = ("offset_days",)) -> int:
    """
    :raises DefinitionError: it isn't a whole number of days before (negative) or after a date
    """
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST_OFFSET:
        raise DefinitionError(
            _l(
                "The days before or after the date are a whole number from %(low)s to %(high)s.",
                low=-MOST_OFFSET,
                high=MOST_OFFSET,
            ),
            path,
        )
    return value


def check_at(value: Any, path: Path = ("at",)) -> str:
    """
    :raises DefinitionError: it isn't a time of day such as 09:30
    """
    if not isinstance(value, str) or parse_clock(value) is None:
        raise DefinitionError(_l("A time of day looks like 09:30."), path)
    return value


def check_weekday(value: Any, path: Path = ("weekday",)) -> str | None:
    """
    :raises DefinitionError: it is neither empty nor one of mon … sun
    """
    return None if value is None else check_word(value, WEEKDAYS, path)


def check_word(value: Any, words: Sequence[str], path: Path) -> str:
    """
    :raises DefinitionError: it is none of these words
    """
    if value in words:
        return str(value)
    raise DefinitionError(_l("This must be one of: %(words)s.", words=", ".join(words)), path)


def _condition(raw: Any, path: Path) -> dict[str, Any] | None:
    if raw is None:
        return None
    try:
        return segments.dump(segments.parse(raw, path))
    except TreeError as error:
        raise DefinitionError(error.message, error.path) from None


def _mapping(raw: Any, known: set[str], path: Path) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise DefinitionError(
            _l("Here stands an object with: %(keys)s.", keys=", ".join(sorted(known))), path
        )
    for key in raw:
        if key not in known:
            raise DefinitionError(
                _l(
                    "There is no key %(key)s here. Keys are: %(keys)s.",
                    key=key,
                    keys=", ".join(sorted(known)),
                ),
                (*path, str(key)),
            )
    return raw


def _list(raw: Any, path: Path) -> list[Any]:
    if not isinstance(raw, list | tuple):
        raise DefinitionError(_l("This must be a list."), path)
    return list(raw)


def _text(raw: Any, path: Path) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise DefinitionError(_l("This must be a text that is not empty."), path)
    return raw


def _dump_branch(branch: Branch) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if branch.name:
        written["name"] = branch.name
    if branch.where is not None:
        written["where"] = branch.where
    if branch.otherwise:
        written["otherwise"] = True
    written["steps"] = [_dump_step(step) for step in branch.steps]
    return written


def _dump_step(step: Step) -> dict[str, Any]:
    written: dict[str, Any] = {"after_days": step.after_days, "at": step.at}
    if step.weekday is not None:
        written["weekday"] = step.weekday
    return {**written, "messages": list(step.messages)}
