"""The moments of a timeline in words, with the names of what they are about.

Names are looked up once per page and kind of thing, however many moments there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Field, Source, Tag
from lineadmin.friends.regions import GENDERS, REGIONS, SYSTEMS
from lineadmin.friends.words import OPT_IN_DATA, OPT_OUT_DATA
from lineadmin.i18n import _, _l, format_datetime, format_twd
from lineadmin.journal.kinds import KINDS
from lineadmin.lottery.models import Lottery
from lineadmin.members.models import Member
from lineadmin.messages.names import substitute
from lineadmin.outbox import reasons
from lineadmin.outbox.models import DeliveryState, OriginKind, ReplyState
from lineadmin.purchases.states import STATUS_LABELS
from lineadmin.replies.actions import label as rule_label
from lineadmin.replies.models import ReplyRule
from lineadmin.reports.timeline import DELIVERY, FACT, REPLY, Moment
from lineadmin.sequences.advance import place_of
from lineadmin.sequences.models import Sequence
from lineadmin.staff.models import Staff
from lineadmin.surveys.models import Survey
from lineadmin.topics.card import Tap
from lineadmin.topics.models import Topic
from lineadmin.topics.states import PLACE_LABELS
from lineadmin.tracking.names import names_of

LATER_THAN_PLANNED = timedelta(minutes=10)
LONGEST_LISTED = 6
QUIET, BAD, WARN = "quiet", "bad", "warn"

_ABOUT = {
    "tag.added": "tag",
    "tag.removed": "tag",
    "source.set": "source",
    "source.visited": "source",
    "coupon.issued": "coupon",
    "coupon.opened": "coupon",
    "coupon.redeemed": "coupon",
    "coupon.undone": "coupon",
    "coupon.voided": "coupon",
    "lottery.drawn": "lottery",
    "topic.subscribed": "topic",
    "topic.stopped": "topic",
    "survey.answered": "survey",
    "member.bound": "member",
    "member.unbound": "member",
    "member.level": "member",
    "points.given": "member",
    "points.spent": "member",
    "points.expired": "member",
    "sequence.enrolled": "sequence",
    "sequence.ended": "sequence",
    "linked": "staff",
    "link.clicked": "link",
}
_UNPLEASANT = {"blocked": BAD, "opted_out": WARN}
_SET_BY: dict[str, Any] = {
    **PLACE_LABELS,
    "friend": _l("by the friend"),
    "self": _l("by the friend"),
    "staff": _l("by staff"),
    "csv": _l("by an import"),
    "reply": _l("by a keyword reply"),
    "rule": _l("by a rule"),
    "topic": _l("by a topic"),
    "coupon": _l("by a coupon"),
    "link": _l("by a link"),
    "survey": _l("by a survey"),
    "observed": _l("by observation"),
}
_ISSUED_BY: dict[str, Any] = {
    "greeting": _l("with the greeting"),
    "step": _l("with step messages"),
    "broadcast": _l("with a broadcast"),
    "reply": _l("with a keyword reply"),
    "staff": _l("by staff"),
    "claim": _l("claimed by the friend"),
    "thanks": _l("after a redemption"),
    "survey": _l("for answering a survey"),
    "lottery": _l("won in a lottery"),
    "test": _l("with a test send"),
}
_LEFT_BECAUSE: dict[str, Any] = {
    "": _l("reached the end"),
    "blocked": _l("blocked the account"),
    "archived": _l("it was archived"),
    "staff": _l("stopped by staff"),
    "version_gone": _l("its version is gone"),
    "goal": _l("reached what it was for"),
    "date_gone": _l("her date was taken away"),
    "switched_off": _l("it was switched off"),
    "period_over": _l("its period was over"),
}
_EVENTS: dict[str, Any] = {
    "videoPlayComplete": _l("Watched a video to its end"),
    "beacon": _l("Came near a beacon"),
    "accountLink": _l("Linked a member account"),
    "membership": _l("Changed a LINE membership"),
}
_OUTCOMES: dict[int, tuple[Any, str]] = {
    DeliveryState.QUEUED: (_l("Will get"), QUIET),
    DeliveryState.PACKED: (_l("Is being sent"), QUIET),
    DeliveryState.SENT: (_l("Got"), ""),
    DeliveryState.SKIPPED: (_l("Did not get"), QUIET),
    DeliveryState.FAILED: (_l("Did not get"), BAD),
    DeliveryState.UNKNOWN: (_l("May have got"), WARN),
    DeliveryState.CANCELED: (_l("Did not get"), QUIET),
    DeliveryState.HELD: (_l("Held back"), WARN),
}
_REPLY_OUTCOMES: dict[int, tuple[Any, str]] = {
    ReplyState.PENDING: (_l("Is being sent"), QUIET),
    ReplyState.SENT: (_l("Got"), ""),
    ReplyState.UNKNOWN: (_l("May have got"), WARN),
    ReplyState.DROPPED: (_l("Did not get"), BAD),
}


@dataclass(frozen=True)
class Told:
    """A moment as staff read it. `kind` colours it: "" | quiet | warn | bad."""

    at: datetime
    title: str
    text: str = ""
    said: str = ""  # what a message said, in one line
    more: str = ""  # why, how or by whom
    kind: str = ""
    delivery_id: int = 0  # leads to the page that says why


Teller = Callable[[Moment], Told]


def tell(
    moments: Iterable[Moment], *, name: str = "", others: dict[int, Teller] | None = None
) -> list[Told]:
    """Moments in words, for the friend called `name`.

    `others` tells those of ranks that the door handed in.
    """
    listed = list(moments)
    names = _Names(listed, name)
    tellers: dict[int, Teller] = {
        FACT: lambda moment: _fact(moment, names),
        DELIVERY: lambda moment: _delivery(moment, names),
        REPLY: lambda moment: _reply(moment, names),
        **(others or {}),
    }
    return [tellers[moment.rank](moment) for moment in listed]


class _Names:
    """What things are called, by kind and id; and the friend herself."""

    def __init__(self, moments: list[Moment], friend: str) -> None:
        self._friend = friend
        wanted: dict[str, set[int]] = defaultdict(set)
        for moment in moments:
            for kind, number in _mentioned(moment):
                wanted[kind].add(number)
        self._found = {kind: _LOOK_UP[kind](ids) for kind, ids in wanted.items()}
        self._fields: dict[str, str] | None = None

    def of(self, kind: str, number: int) -> str:
        """The name, or that it is gone."""
        return self._found.get(kind, {}).get(number) or _("(deleted since)")

    def said(self, row: Any) -> str:
        """The beginning of the delivery's or reply's message, as it greets this friend."""
        return substitute(row.content.summary, self._friend) if row.content_id else ""

    def field(self, key: str) -> str:
        """What the shop calls a field of its own."""
        if self._fields is None:
            self._fields = {row.key: row.name for row in Field.select()}
        return self._fields.get(key, key)


def _named(model: Any, column: Any) -> Callable[[set[int]], dict[int, str]]:
    def look_up(ids: set[int]) -> dict[int, str]:
        rows = model.select(model.id, column).where(model.id.in_(sorted(ids))).tuples()
        return dict(rows)

    return look_up


def _rules(ids: set[int]) -> dict[int, str]:
    rows = ReplyRule.select().where(ReplyRule.id.in_(sorted(ids)))
    return {row.id: rule_label(row) for row in rows}


_LOOK_UP: dict[str, Callable[[set[int]], dict[int, str]]] = {
    "tag": _named(Tag, Tag.name),
    "coupon": _named(Coupon, Coupon.title),
    "lottery": _named(Lottery, Lottery.title),
    "topic": _named(Topic, Topic.name),
    "survey": _named(Survey, Survey.title),
    "member": _named(Member, Member.number),
    "sequence": _named(Sequence, Sequence.name),
    "broadcast": _named(Broadcast, Broadcast.name),
    "source": _named(Source, Source.name),
    "staff": _named(Staff, Staff.name),
    "rule": _rules,
    "link": names_of,
}


def _mentioned(moment: Moment) -> Iterable[tuple[str, int]]:
    row = moment.row
    if moment.rank == FACT:
        if row.kind in _ABOUT and row.object_id:
            yield _ABOUT[row.kind], row.object_id
        staff = _value(row).get("staff")
        if isinstance(staff, int):
            yield "staff", staff
    elif moment.rank == DELIVERY:
        if row.origin_kind == OriginKind.BROADCAST:
            yield "broadcast", row.origin_id
        elif row.origin_kind == OriginKind.STEP:
            yield "sequence", row.origin_id
        elif row.origin_kind in (OriginKind.REMINDER, OriginKind.THANKS):
            yield "coupon", row.origin_id
    elif moment.rank == REPLY and row.origin_id:
        yield ("staff" if row.origin == "staff" else "rule"), row.origin_id


def _value(fact: Any) -> dict[str, Any]:
    return fact.value if isinstance(fact.value, dict) else {}


def _fact(moment: Moment, names: _Names) -> Told:
    row, value = moment.row, _value(moment.row)
    kind = KINDS.get(row.kind)
    title = str(kind.label) if kind else row.kind
    text, more = "", str(_SET_BY.get(value.get("by", ""), ""))
    about = _ABOUT.get(row.kind)
    if about and row.object_id:
        text = names.of(about, row.object_id)
    elif row.kind == "source.set":
        text = _("taken away")
    if row.kind == "attribute.set":
        text = _attributes(value.get("set"), names)
    elif row.kind == "postback":
        text = _tapped(str(value.get("data", "")))
    elif row.kind == "event":
        title, text = str(_EVENTS.get(value.get("type", ""), title)), ""
        if value.get("type") not in _EVENTS:
            text = str(value.get("type", ""))
    elif row.kind.startswith("coupon."):
        more = _about_coupon(row, value, names)
    elif row.kind.startswith("purchase"):
        text, more = _about_purchase(row, value, names)
    elif row.kind.startswith(("member.", "points.")):
        more = _about_member(row)
    elif row.kind == "survey.answered":
        more = str(value.get("said", ""))
    elif row.kind == "sequence.ended":
        reason = str(value.get("reason", ""))
        more = left_because(reason)
    return Told(moment.at, title, text, more=more, kind=_UNPLEASANT.get(row.kind, ""))


def left_because(reason: str) -> str:
    """Why somebody's step messages ended, in words; an unknown code speaks for itself."""
    return str(_LEFT_BECAUSE.get(reason, reason))


def _about_coupon(row: Any, value: dict[str, Any], names: _Names) -> str:
    if row.kind == "coupon.issued":
        return str(_ISSUED_BY.get(value.get("origin", ""), ""))
    told = []
    if row.amount:
        told.append(format_twd(row.amount))
    if isinstance(value.get("staff"), int):
        told.append(names.of("staff", value["staff"]))
    elif row.kind == "coupon.redeemed":
        told.append(_("by the friend"))
    if value.get("reason"):
        told.append(str(value["reason"]))
    return "・".join(told)


def _about_purchase(row: Any, value: dict[str, Any], names: _Names) -> tuple[str, str]:
    """What it was, and for how much, why or by whom."""
    what = str(value.get("what") or value.get("receipt", ""))
    status = STATUS_LABELS.get(value.get("status", ""), "")
    told = [str(status), str(value.get("words", "")), str(value.get("reason", ""))]
    if row.amount is not None:
        told.insert(0, format_twd(row.amount))
    if isinstance(value.get("staff"), int):
        told.append(names.of("staff", value["staff"]))
    return what, "・".join(one for one in told if one)


def _about_member(row: Any) -> str:
    amount = f"{row.amount:+,}" if row.amount else ""
    return "・".join(told for told in (amount, str(row.value or "")) if told)


def _attributes(values: Any, names: _Names) -> str:
    if not isinstance(values, dict):
        return ""
    told = []
    for key, value in list(values.items())[:LONGEST_LISTED]:
        labels, name = _ATTRIBUTES.get(key, ({}, None))
        shown = str(labels.get(value, value)) if value not in (None, "") else _("empty")
        told.append(_("%(name)s: %(value)s", name=name or names.field(key), value=shown))
    return _(", ").join(told)


_ATTRIBUTES: dict[str, tuple[dict[str, Any], Any]] = {
    "gender": (GENDERS, _l("Gender")),
    "birth_year": ({}, _l("Year of birth")),
    "birthday": ({}, _l("Birthday")),
    "region": (REGIONS, _l("Region")),
    "os": (SYSTEMS, _l("OS")),
    "branch": ({}, _l("Home branch")),
}


def _tapped(data: str) -> str:
    if data == OPT_OUT_DATA:
        return _("No more notifications")
    if data == OPT_IN_DATA:
        return _("Notify me again")
    tap = Tap.read(data)
    if tap is not None:
        return _("Subscribe") if tap.yes else _("No, thanks")
    return data[:80]


def _delivery(moment: Moment, names: _Names) -> Told:
    row = moment.row
    title, kind = _OUTCOMES.get(row.state, (str(row.state), QUIET))
    more = reasons.label(row.reason) if row.reason else ""
    done = row.done_at
    if not more and done is not None and done - row.due_at > LATER_THAN_PLANNED:
        more = _("sent at %(time)s", time=format_datetime(done))
    return Told(
        moment.at,
        str(title),
        _program(row, names),
        said=names.said(row),
        more=more,
        kind=kind,
        delivery_id=row.id,
    )


def _program(row: Any, names: _Names) -> str:
    if row.origin_kind == OriginKind.BROADCAST:
        return _("broadcast “%(name)s”", name=names.of("broadcast", row.origin_id))
    if row.origin_kind == OriginKind.STEP:
        _branch, step = place_of(row.origin_run)
        name = names.of("sequence", row.origin_id)
        return _("“%(name)s”, step %(number)s", name=name, number=step)
    if row.origin_kind == OriginKind.REMINDER:
        return _("reminder of “%(name)s”", name=names.of("coupon", row.origin_id))
    if row.origin_kind == OriginKind.POINTS:
        return _("reminder of points")
    if row.origin_kind == OriginKind.GREETING:
        return _("the greeting")
    if row.origin_kind == OriginKind.TEST:
        return _("a test message")
    if row.origin_kind == OriginKind.THANKS:
        return _("after redeeming “%(name)s”", name=names.of("coupon", row.origin_id))
    if row.origin_kind == OriginKind.NOTICE:
        return _("notice about an order")
    return _("staff's answer")


def _reply(moment: Moment, names: _Names) -> Told:
    row = moment.row
    title, kind = _REPLY_OUTCOMES.get(row.state, (str(row.state), QUIET))
    told = [reasons.label(row.reason)] if row.reason else []
    if row.state == ReplyState.SENT:
        told.append(_("free"))
    return Told(
        moment.at,
        str(title),
        _answer(row, names),
        said=names.said(row),
        more="・".join(told),
        kind=kind,
    )


def _answer(row: Any, names: _Names) -> str:
    if row.origin == "greeting":
        return _("the greeting")
    if row.origin == "keyword":
        return _("keyword reply “%(name)s”", name=names.of("rule", row.origin_id))
    if row.origin == "lottery":
        return _("the draw of a lottery")
    if row.origin == "staff":
        return _("an answer by %(name)s", name=names.of("staff", row.origin_id))
    if row.origin == "topic":
        return _("a confirmation about a topic")
    if row.origin == "opt_out":
        return _("a confirmation about notifications")
    return _("an automatic answer")
