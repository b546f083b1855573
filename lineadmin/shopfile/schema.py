"""The keys of a shop file and what they may hold. A key that is absent says nothing at all."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
)

from lineadmin.errors import DomainError
from lineadmin.messages.parts import PartsError, parse_parts
from lineadmin.segments.language import parse as parse_tree
from lineadmin.segments.tree import TreeError
from lineadmin.shopfile.errors import Path, ShopFileError, ShopFileErrors
from lineadmin.shopfile.source import Source

CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _number_as_text(value: object) -> object:
    # YAML reads an unquoted 2027 or 100 as a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _clock(value: str) -> str:
    if not CLOCK.fullmatch(value):
        raise ValueError('expected a time of day such as "09:30"')
    return value


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("expected a day such as 2026-11-23") from None
    return value


def _moment(value: object) -> object:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise ValueError(
                'expected a moment with its offset, such as "2026-11-23T11:30:00+08:00"'
            )
        return moment
    return value


def _day_or_moment(value: object) -> object:
    return _day(value) if isinstance(value, str) and len(value) <= 10 else _moment(value)


def _whom(value: object) -> object:
    if value != "any" and not isinstance(value, list):
        raise ValueError("expected any, or a list of source codes")
    return value


Name = Annotated[str, BeforeValidator(_number_as_text)]
Clock = Annotated[str, AfterValidator(_clock)]
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
DayOrMoment = Annotated[date | datetime, BeforeValidator(_day_or_moment)]
Messages = list[Any]  # checked by the messages room
Condition = dict[str, Any]  # checked by the segments room


class Part(BaseModel):
    """A group of keys. `given(key)` tells an absent key from one that is null."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    def given(self, key: str) -> bool:
        """Whether the file says anything about `key` (its name here)."""
        return key in self.model_fields_set


class Hours(Part):
    """From one time of day until another; over midnight where the second is the smaller."""

    from_: Clock = Field(alias="from")
    until: Clock


class Tier(Part):
    """The price of each extra message up to so many of a month; null = of all the rest."""

    up_to: StrictInt | None = None
    price: float


class Plan(Part):
    """LINE's monthly plan as the shop bought it."""

    name: Name | None = None
    included: StrictInt | None = None
    extra_price: float | None = None
    fee: float | None = None
    tiers: list[Tier] | None = None


class PlanLine(Part):
    """One plan of the table staff choose from."""

    name: Name
    included: StrictInt
    fee: float | None = None
    tiers: list[Tier] = []


class Approval(Part):
    """Above these a broadcast needs a second person."""

    recipients: StrictInt | None = None
    twd: StrictInt | None = None


class Cap(Part):
    """At most so many messages to one friend in so many days."""

    messages: StrictInt
    days: StrictInt


class Shop(Part):
    """The shop's own settings."""

    name: Name | None = None
    timezone: str | None = None
    quiet_hours: Hours | None = None
    plan: Plan | None = None
    cap: Cap | None = None
    undo_minutes: StrictInt | None = None
    plans: list[PlanLine] | None = None
    reserve_messages: StrictInt | None = None
    wake_tries: StrictInt | None = None
    approval: Approval | None = None


class TagPart(Part):
    """A tag, known by its name."""

    name: Name
    color: str | None = None
    kind: Literal["static", "dynamic"] | None = None
    rule: dict[str, Any] | None = None  # checked by the segments room; null: no rule


class FieldPart(Part):
    """One of the shop's own attributes, known by its key."""

    key: str
    name: Name | None = None
    type: Literal["text", "number", "date", "choice"] | None = None
    choices: list[Name] | None = None


class SourcePart(Part):
    """Where friends come from, known by its code."""

    code: Name
    name: Name | None = None
    archived: StrictBool | None = None
    merged_into: Name | None = None  # the code of another source


class SegmentPart(Part):
    """A saved condition, known by its name."""

    name: Name
    where: Condition


class Benefit(Part):
    """What a coupon gives. `text` names a gift, `value` is the number of the others."""

    type: Literal["percent", "amount", "gift", "cashback"]
    value: float | None = None
    text: Name | None = None


class Valid(Part):
    """So many days from the issue, or between two days (both counted in full) or moments."""

    days: StrictInt | None = None
    from_: DayOrMoment | None = Field(default=None, alias="from")
    until: DayOrMoment | None = None


class ReminderPart(Part):
    """So many days before the last (at a time of day), or so many hours before the end."""

    days: StrictInt | None = None
    hours: StrictInt | None = None
    at: Clock | None = None
    text: str | None = None


class AfterPart(Part):
    """What follows a redemption: tags at once, a message when it can't be undone any more."""

    add_tags: list[Name] | None = None
    messages: Messages | None = None


class CouponPart(Part):
    """A coupon, known by its code."""

    code: Name
    title: Name | None = None
    benefit: Benefit | None = None
    minimum_spend: StrictInt | None = None
    valid: Valid | None = None
    stock: StrictInt | None = None
    per_friend: StrictInt | None = None
    per_day: StrictInt | None = None
    who: Condition | None = None
    friends_only: StrictBool | None = None
    codes: Literal["own", "list", "shared"] | None = None
    shared_code: Name | None = None
    code_list: list[Name] | None = None
    picture: str | None = None
    after: AfterPart | None = None
    claim_link: StrictBool | None = None
    archived: StrictBool | None = None
    redeem: Literal["staff", "self", "pin"] | None = None
    pin: Name | None = None
    terms: str | None = None
    state: Literal["active", "paused", "closed"] | None = None
    reminder: ReminderPart | None = None


class PrizePart(Part):
    """A prize of a lottery: a coupon with its odds in percent."""

    name: Name
    coupon: Name
    odds: float | Name
    stock: StrictInt | None = None
    consolation: StrictBool = False


class LotteryPart(Part):
    """A lottery, known by its code."""

    code: Name
    title: Name | None = None
    rule: Literal["once", "daily"] | None = None
    way: Literal["page", "chat"] | None = None
    from_: DayOrMoment | None = Field(default=None, alias="from")
    until: DayOrMoment | None = None
    prizes: list[PrizePart] | None = None
    terms: str | None = None
    state: Literal["active", "paused", "closed"] | None = None


class TemplatePart(Part):
    """A message to start from, known by its name."""

    name: Name
    messages: Messages


class Greeting(Part):
    """What a new friend, and one who comes back, is greeted with."""

    messages: Messages | None = None
    returning: Messages | None = None
    push_when_refused: StrictBool | None = None  # a first greeting whose free reply failed


class ReplyPart(Part):
    """A keyword reply, known by its name or else by its keywords."""

    name: Name | None = None
    keywords: list[Name] = []
    match: Literal["exact", "contains", "any"] | None = None
    priority: StrictInt | None = None
    messages: Messages | None = None
    add_tags: list[Name] | None = None
    hours: Hours | None = None
    enabled: StrictBool | None = None


class Period(Part):
    """Days, both counted."""

    from_: Day | None = Field(default=None, alias="from")
    until: Day | None = None


class Step(Part):
    """One message: so many days after the one before, at a time, maybe moved to a weekday.

    What may stand here the sequences room says, in the words of the editor.
    """

    after_days: Any = None
    at: Any = None
    weekday: Any = None
    messages: Messages = []


class Branch(Part):
    """The steps of some of the friends."""

    name: Name | None = None
    where: Condition | None = None
    otherwise: StrictBool | None = None
    steps: list[Step]


class DateTrigger(Part):
    """A day that belongs to a friend, or some days before or after it."""

    field: Name
    offset_days: Any = 0


class Trigger(Part):
    """What starts a sequence: exactly one of these."""

    follow: Annotated[Literal["any"] | list[Name], BeforeValidator(_whom)] | None = None
    tag_added: Name | None = None
    coupon_redeemed: Name | None = None
    date: DateTrigger | None = None
    manual: StrictBool | None = None
    segment: Name | None = None


class SequencePart(Part):
    """Step messages, known by their name."""

    name: Name
    enabled: StrictBool | None = None
    draft: StrictBool | None = None  # keep it as a draft: nothing is published, it may be half done
    period: Period | None = None
    priority: Any = None
    when_off: Any = None  # for friends underway: pause | finish | stop
    when_over: Any = None  # finish | stop
    trigger: Trigger | None = None
    decide: Any = None  # when branches are chosen: enrolment | first_step
    stop: Condition | None = None  # whom it fits at send time leaves
    branches: list[Branch] | None = None


class BroadcastPart(Part):
    """A broadcast, known by its name."""

    name: Name
    to: Condition | None = None
    at: Moment | None = None
    messages: Messages | None = None
    holdout_percent: StrictInt | None = None
    variants: list[Messages] | None = None  # versions B, C, … beside `messages`
    service: StrictBool | None = None
    wake: StrictBool | None = None
    state: Literal["draft", "scheduled", "late", "held", "sent", "canceled"] | None = None


class ShopFile(Part):
    """The whole file."""

    version: Literal[1]
    shop: Shop | None = None
    tags: list[TagPart] | None = None
    fields: list[FieldPart] | None = None
    sources: list[SourcePart] | None = None
    segments: list[SegmentPart] | None = None
    coupons: list[CouponPart] | None = None
    lotteries: list[LotteryPart] | None = None
    templates: list[TemplatePart] | None = None
    greeting: Greeting | None = None
    replies: list[ReplyPart] | None = None
    sequences: list[SequencePart] | None = None
    broadcasts: list[BroadcastPart] | None = None


def parse(source: Source) -> ShopFile:
    """The file's values, each of the right kind and every key known.

    Whether the tags, coupons and sources it names exist is seen when it is loaded.

    :raises ShopFileErrors: every mistake with its line
    """
    data = source.data
    if not isinstance(data, dict):
        raise ShopFileErrors([ShopFileError(1, (), "expected keys such as version, shop and tags")])
    try:
        file = ShopFile.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ShopFileErrors(_explained(error, source)) from None
    mistakes = [*_duplicates(file, source), *_contents(file, source)]
    if mistakes:
        raise ShopFileErrors(mistakes)
    return file


def _explained(error: ValidationError, source: Source) -> list[ShopFileError]:
    found: dict[Path, ShopFileError] = {}
    for item in error.errors(include_url=False):
        path = _real_path(item["loc"], source.data)
        found.setdefault(path, ShopFileError(source.line(path), path, _sentence(item, path)))
    return list(found.values())


def _real_path(loc: tuple[int | str, ...], data: Any) -> Path:
    """The place in the file: pydantic adds the names of union members to its own."""
    path: list[int | str] = []
    for step in loc:
        if _holds(data, step):
            data = data[step]
            path.append(step)
    last = loc[-1]
    if isinstance(data, dict) and isinstance(last, str) and len(path) < len(loc):
        path.append(last)
    return tuple(path)


def _holds(data: Any, step: int | str) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


def _sentence(item: Any, path: Path) -> str:
    kind, context = item["type"], item.get("ctx") or {}
    if kind == "extra_forbidden":
        known = ", ".join(_keys_beside(path))
        return f"this key is not known here; expected one of: {known}"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context.get("error", item["msg"]))
    if kind == "literal_error":
        return f"expected {context['expected']}; found {_shown(item['input'])}"
    expected = {
        "string_type": "a text (in quotes)",
        "int_type": "a whole number",
        "float_type": "a number",
        "bool_type": "true or false",
        "list_type": "a list",
        "dict_type": "keys with values",
        "model_type": "keys with values",
        "date_type": "a day such as 2026-11-23",
        "datetime_type": 'a moment such as "2026-11-23T11:30:00+08:00"',
    }.get(kind)
    if expected is None:
        return str(item["msg"])
    return f"expected {expected}; found {_shown(item['input'])}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return repr(text[:60]) if isinstance(value, str) else text


def _keys_beside(path: Path) -> list[str]:
    model: type[Part] | None = ShopFile
    for step in path[:-1]:
        if model is None:
            break
        if isinstance(step, str):
            model = _model_in(model, step)
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(model: type[Part], key: str) -> type[Part] | None:
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            return _first_part(field.annotation)
    return None


def _first_part(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _first_part(inner)
        if found is not None:
            return found
    return None


def _duplicates(file: ShopFile, source: Source) -> list[ShopFileError]:
    mistakes = []
    for section, key in (
        ("tags", "name"),
        ("fields", "key"),
        ("sources", "code"),
        ("segments", "name"),
        ("coupons", "code"),
        ("lotteries", "code"),
        ("templates", "name"),
        ("replies", "name"),
        ("sequences", "name"),
        ("broadcasts", "name"),
    ):
        seen: set[str] = set()
        for index, part in enumerate(getattr(file, section) or []):
            value = getattr(part, key)
            if value is None:
                continue
            if value in seen:
                path = (section, index, key)
                mistakes.append(
                    ShopFileError(source.line(path), path, f"{value!r} stands here twice")
                )
            seen.add(value)
    return mistakes


def _contents(file: ShopFile, source: Source) -> list[ShopFileError]:
    """Messages and conditions, which other rooms know how to read."""
    mistakes: list[ShopFileError] = []

    def judge(path: Path, read: Any, value: Any) -> None:
        try:
            read(value)
        except (PartsError, TreeError) as error:
            place = (*path, *error.path)
            mistakes.append(ShopFileError(source.line(place), place, error))
        except DomainError as error:
            mistakes.append(ShopFileError(source.line(path), path, error))

    for path, messages in messages_in(file):
        judge(path, parse_parts, messages)
    for path, tree in conditions_in(file):
        judge(path, parse_tree, tree)
    return mistakes


def messages_in(file: ShopFile) -> list[tuple[Path, Messages]]:
    """Every message list of the file with its place."""
    found: list[tuple[Path, Messages | None]] = []
    for index, template in enumerate(file.templates or []):
        found.append((("templates", index, "messages"), template.messages))
    if file.greeting is not None:
        found.append((("greeting", "messages"), file.greeting.messages))
        found.append((("greeting", "returning"), file.greeting.returning))
    for index, reply in enumerate(file.replies or []):
        found.append((("replies", index, "messages"), reply.messages))
    for index, coupon in enumerate(file.coupons or []):
        if coupon.after is not None:
            found.append((("coupons", index, "after", "messages"), coupon.after.messages))
    for index, sequence in enumerate(file.sequences or []):
        for number, branch in enumerate(sequence.branches or []):
            for step, part in enumerate(branch.steps):
                path: Path = ("sequences", index, "branches", number, "steps", step, "messages")
                found.append((path, part.messages))
    for index, broadcast in enumerate(file.broadcasts or []):
        found.append((("broadcasts", index, "messages"), broadcast.messages))
        for number, variant in enumerate(broadcast.variants or []):
            found.append((("broadcasts", index, "variants", number), variant))
    return [(path, messages) for path, messages in found if messages is not None]


def conditions_in(file: ShopFile) -> list[tuple[Path, Condition]]:
    """Every condition of the file with its place."""
    found: list[tuple[Path, Condition | None]] = []
    for index, segment in enumerate(file.segments or []):
        found.append((("segments", index, "where"), segment.where))
    for index, coupon in enumerate(file.coupons or []):
        found.append((("coupons", index, "who"), coupon.who))
    for index, sequence in enumerate(file.sequences or []):
        found.append((("sequences", index, "stop"), sequence.stop))
        for number, branch in enumerate(sequence.branches or []):
            found.append((("sequences", index, "branches", number, "where"), branch.where))
    for index, broadcast in enumerate(file.broadcasts or []):
        if broadcast.to is not None and not is_shorthand(broadcast.to):
            found.append((("broadcasts", index, "to"), broadcast.to))
    return [(path, tree) for path, tree in found if tree is not None]


def is_shorthand(to: Condition) -> bool:
    """`to: {segment: 年輕人}` or `to: {tag: 愛吃雙拼}` instead of a whole condition."""
    return (
        len(to) == 1
        and next(iter(to)) in ("segment", "tag")
        and isinstance(next(iter(to.values())), str)
    )
