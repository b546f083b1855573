"""The keys of a shop file and what they may hold. A key that is absent says nothing at all."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt

from lineadmin.shopfile.values import (
    Clock,
    Condition,
    Day,
    DayOrMoment,
    Messages,
    Moment,
    Name,
    Part,
)


def _whom(value: object) -> object:
    if value != "any" and not isinstance(value, list):
        raise ValueError("expected any, or a list of source codes")
    return value


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
    order_notices: StrictBool | None = None
    branch_reply: StrictBool | None = None
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


class BranchPlacePart(Part):
    """A branch of the shop's, known by its code."""

    code: Name
    name: Name | None = None
    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    active: StrictBool | None = None


class CategoryPart(Part):
    """A category of goods, known by its name."""

    name: Name


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


class LineBenefit(Part):
    """What a LINE coupon gives: percent, amount, or the price before and after, where it is one of
    money."""

    type: Literal["discount", "cashback", "free", "gift", "others"]
    percent: StrictInt | None = None
    amount: StrictInt | None = None
    before: StrictInt | None = None
    after: StrictInt | None = None


class LineDraw(Part):
    """Only some friends win it."""

    percent: StrictInt
    winners: StrictInt | None = None


class LineCouponFilePart(Part):
    """One of LINE's own coupons, known by its title and days. LINE is never asked by a file: what
    it does not have yet becomes a draft for staff."""

    title: Name
    benefit: LineBenefit
    from_: DayOrMoment = Field(alias="from")
    until: DayOrMoment
    draw: LineDraw | None = None
    once: StrictBool = True
    public: StrictBool = False
    code: Name = ""
    description: str = ""
    condition: str = ""
    picture: str = ""


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


class ChoicePart(Part):
    """A choice with the tags whoever takes it gets."""

    text: Name
    tags: list[Name] = []


class QuestionPart(Part):
    """A question of a survey, known by its text; a choice may be written as its text alone."""

    text: Name
    type: Literal[
        "one",
        "several",
        "rating",
        "text",
        "number",
        "date",
        "birth_year",
        "gender",
        "region",
        "field",
    ]
    required: StrictBool = False
    help: str = ""
    choices: list[Name | ChoicePart] = []
    field: Name = ""


class SurveyPart(Part):
    """A survey, known by its code."""

    code: Name
    title: Name | None = None
    intro: str | None = None
    questions: list[QuestionPart] | None = None
    repeat: Literal["once", "sending"] | None = None
    from_: DayOrMoment | None = Field(default=None, alias="from")
    until: DayOrMoment | None = None
    thanks: str | None = None
    coupon: Name | None = None
    gift: Literal["once", "each"] | None = None
    state: Literal["draft", "open", "closed"] | None = None
    archived: StrictBool | None = None


class TopicPart(Part):
    """Something friends can subscribe to, known by its code."""

    code: Name
    name: Name | None = None
    description: Name | None = None
    frequency: Literal["daily", "weekly", "monthly"] | None = None
    wording: str | None = None
    life_months: StrictInt | None = None
    tag: Name | None = None
    archived: StrictBool | None = None


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
    purchase: Name | None = None  # any, or a category of goods
    survey_answered: Name | None = None
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
    stop_bought: Name | None = None  # so does who bought since: any, or a category of goods
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
    frequency_override: str | None = None  # why it may leave sooner than its topic agreed
    state: Literal["draft", "scheduled", "late", "held", "sent", "canceled"] | None = None


class PointsReminder(Part):
    """So many days before points end, at a time of day; without words, the usual ones."""

    days: StrictInt
    at: Clock = "11:00"
    words: str = ""


class MembersPart(Part):
    """What the shop decided about its members."""

    enabled: StrictBool | None = None
    levels: list[Name] | None = None
    proof: Literal["phone", "birthday"] | None = None
    points_days: StrictInt | None = None  # null: points do not end
    reminder: PointsReminder | None = None


class ShopFile(Part):
    """The whole file."""

    version: Literal[1]
    shop: Shop | None = None
    tags: list[TagPart] | None = None
    fields: list[FieldPart] | None = None
    sources: list[SourcePart] | None = None
    branches: list[BranchPlacePart] | None = None
    categories: list[CategoryPart] | None = None
    segments: list[SegmentPart] | None = None
    coupons: list[CouponPart] | None = None
    line_coupons: list[LineCouponFilePart] | None = None
    lotteries: list[LotteryPart] | None = None
    topics: list[TopicPart] | None = None
    surveys: list[SurveyPart] | None = None
    members: MembersPart | None = None
    templates: list[TemplatePart] | None = None
    greeting: Greeting | None = None
    replies: list[ReplyPart] | None = None
    sequences: list[SequencePart] | None = None
    broadcasts: list[BroadcastPart] | None = None


def estimated_in(to: Condition | None) -> Any:
    """What stands in `to: {estimated: …}`: whom LINE is to choose; None where it is a condition."""
    return to["estimated"] if to is not None and set(to) == {"estimated"} else None


def is_shorthand(to: Condition) -> bool:
    """`to: {segment: 年輕人}`, `{tag: 愛吃雙拼}` or `{topic: weekly}` in place of a condition."""
    return (
        len(to) == 1
        and next(iter(to)) in ("segment", "tag", "topic")
        and isinstance(next(iter(to.values())), str)
    )
