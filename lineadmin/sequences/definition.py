"""What a sequence says: trigger, branches and steps, in the form of the shop file.

One reading for the editor, the shop file and the actions, so a mistake is told in the same words
everywhere. A draft may still lack messages; `problems` lists what keeps it from being published.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from lineadmin import segments
from lineadmin.coupons.models import Coupon
from lineadmin.errors import DomainError
from lineadmin.friends.models import Source, Tag
from lineadmin.i18n import _, _l
from lineadmin.messages.check import check_parts, located
from lineadmin.messages.parts import PartsError, coupon_codes, dump_parts, parse_parts
from lineadmin.messages.references import look_up
from lineadmin.segments.about_friend import UNKNOWN_SOURCE
from lineadmin.segments.tree import TreeError
from lineadmin.settings.shop import parse_clock

MOST_STEPS = 10
MOST_BRANCHES = 4  # and the rest
FEWEST_DAYS, MOST_DAYS = 1, 30
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ANY = "any"
FOLLOW, TAG_ADDED, COUPON_REDEEMED = "follow", "tag_added", "coupon_redeemed"

Path: TypeAlias = tuple[str | int, ...]


class DefinitionError(DomainError):
    """A definition that cannot be. `path` leads to the place: ("branches", 0, "steps", 2, "at")."""

    def __init__(self, message: object, path: Path = ()) -> None:
        super().__init__(message, field=str(path[-1]) if path else None)
        self.path = path


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


@dataclass(frozen=True)
class Trigger:
    """What starts a friend: a follow (of chosen sources; None = any), a tag, a redemption."""

    kind: str
    sources: tuple[str, ...] | None = None
    about: str = ""  # the tag's name or the coupon's code


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

    @property
    def branched(self) -> bool:
        """Whether friends are split at all."""
        return len(self.branches) > 1


STARTING_STEP = Step(after_days=1, at="10:00")
EMPTY = Definition(Trigger(FOLLOW), (Branch("", None, False, (STARTING_STEP,)),))


def parse(raw: Any, path: Path = ()) -> Definition:
    """The definition that `raw` describes.

    :raises DefinitionError: with the way to the first thing that cannot be
    """
    given = _mapping(raw, {"trigger", "branches"}, path)
    trigger = _trigger(given.get("trigger"), (*path, "trigger"))
    listed = _list(given.get("branches"), (*path, "branches"))
    branches = tuple(_branch(item, (*path, "branches", index)) for index, item in enumerate(listed))
    _check_branches(branches, (*path, "branches"))
    return Definition(trigger, branches)


def dump(definition: Definition) -> dict[str, Any]:
    """The shop-file form; `parse(dump(definition)) == definition`."""
    return {
        "trigger": dump_trigger(definition.trigger),
        "branches": [_dump_branch(branch) for branch in definition.branches],
    }


def dump_trigger(trigger: Trigger) -> dict[str, Any]:
    """The shop-file form of a trigger."""
    if trigger.kind == FOLLOW:
        return {FOLLOW: ANY if trigger.sources is None else list(trigger.sources)}
    return {trigger.kind: trigger.about}


def problems(
    definition: Definition, *, now: datetime, public_url: str | None, path: Path = ()
) -> list[Problem]:
    """Everything that keeps a draft from being published, in reading order."""
    found = [Problem((*path, "trigger"), text) for text in _trigger_problems(definition.trigger)]
    for number, branch in enumerate(definition.branches):
        inside: Path = (*path, "branches", number)
        if branch.where is not None:
            try:
                segments.check_names(segments.parse(branch.where))
            except TreeError as error:
                found.append(Problem((*inside, "where"), str(error)))
        if not branch.steps:
            found.append(Problem((*inside, "steps"), _("Add at least one step.")))
        day = 0
        for index, step in enumerate(branch.steps):
            day += step.after_days
            place: Path = (*inside, "steps", index, "messages")
            for sentence in _message_problems(step, now, day, public_url):
                found.append(Problem(place, sentence))
    return found


def cumulative_days(steps: Sequence[Step]) -> list[int]:
    """How many days after the trigger each step falls at the earliest (weekdays may add some)."""
    total, days = 0, []
    for step in steps:
        total += step.after_days
        days.append(total)
    return days


# -- reading -----------------------------------------------------------------------------------


def _trigger(raw: Any, path: Path) -> Trigger:
    given = _mapping(raw, {FOLLOW, TAG_ADDED, COUPON_REDEEMED}, path)
    if len(given) != 1:
        raise DefinitionError(
            _l(
                "A trigger is one of: %(kinds)s.", kinds=f"{FOLLOW}, {TAG_ADDED}, {COUPON_REDEEMED}"
            ),
            path,
        )
    kind, value = next(iter(given.items()))
    if kind != FOLLOW:
        return Trigger(kind, about=_text(value, (*path, kind)))
    if value == ANY:
        return Trigger(FOLLOW)
    listed = _list(value, (*path, kind))
    if not listed:
        raise DefinitionError(_l("Choose at least one source, or any."), (*path, kind))
    codes = [_text(code, (*path, kind, index)) for index, code in enumerate(listed)]
    return Trigger(FOLLOW, sources=tuple(dict.fromkeys(codes)))


def _branch(raw: Any, path: Path) -> Branch:
    given = _mapping(raw, {"name", "where", "otherwise", "steps"}, path)
    name = given.get("name") or ""
    if not isinstance(name, str) or len(name) > 40:
        raise DefinitionError(
            _l("A name has at most %(most)s characters.", most=40), (*path, "name")
        )
    otherwise = given.get("otherwise", False)
    if not isinstance(otherwise, bool):
        raise DefinitionError(_l("This must be true or false."), (*path, "otherwise"))
    where = given.get("where")
    if where is not None:
        try:
            where = segments.dump(segments.parse(where, (*path, "where")))
        except TreeError as error:
            raise DefinitionError(error.message, error.path) from None
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
    if value is None or value in WEEKDAYS:
        return value  # type: ignore[no-any-return]
    raise DefinitionError(_l("This must be one of: %(words)s.", words=", ".join(WEEKDAYS)), path)


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


# -- publishing --------------------------------------------------------------------------------


def _trigger_problems(trigger: Trigger) -> Iterator[str]:
    if trigger.kind == FOLLOW:
        for code in trigger.sources or ():
            if code != UNKNOWN_SOURCE and not Source.select().where(Source.code == code).exists():
                yield _("There is no source with the code %(code)s.", code=code)
    elif trigger.kind == TAG_ADDED:
        if not Tag.select().where(Tag.name == trigger.about).exists():
            yield _("There is no tag “%(name)s”.", name=trigger.about)
    elif not Coupon.select().where(Coupon.code == trigger.about).exists():
        yield _("There is no coupon with the code %(code)s.", code=trigger.about)


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
