"""Every message for every friend: what became of it, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from flask import g, url_for
from markupsafe import Markup
from peewee import ModelSelect

from lineadmin import clock, config
from lineadmin.admin import listing
from lineadmin.admin.base import StaffModelView
from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Friend
from lineadmin.friends.queries import named, names_of
from lineadmin.i18n import _, _l, locale
from lineadmin.messages.names import substitute
from lineadmin.messages.preview import preview
from lineadmin.outbox import live, reasons
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.reports import why
from lineadmin.sequences.advance import place_of
from lineadmin.sequences.models import Sequence

RECENT_PROGRAMS = 50
IN_TROUBLE = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.HELD)

STATE_LABELS: dict[int, tuple[str, Any]] = {
    DeliveryState.QUEUED: ("info", _l("Waiting")),
    DeliveryState.PACKED: ("info", _l("On the way")),
    DeliveryState.SENT: ("ok", _l("Sent")),
    DeliveryState.SKIPPED: ("quiet", _l("Left out")),
    DeliveryState.FAILED: ("bad", _l("Failed")),
    DeliveryState.UNKNOWN: ("warn", _l("Unclear")),
    DeliveryState.CANCELED: ("quiet", _l("Canceled")),
    DeliveryState.HELD: ("warn", _l("Held")),
}
KIND_LABELS: dict[int, Any] = {
    OriginKind.BROADCAST: _l("Broadcast"),
    OriginKind.STEP: _l("Step messages"),
    OriginKind.GREETING: _l("Greeting"),
    OriginKind.STAFF: _l("Staff's answer"),
    OriginKind.TEST: _l("Test send"),
    OriginKind.REMINDER: _l("Reminder"),
    OriginKind.POINTS: _l("Reminder of points"),
    OriginKind.THANKS: _l("After a redemption"),
    OriginKind.NOTICE: _l("Order notice"),
}


def _programs() -> list[tuple[str, str]]:
    broadcasts = (
        Broadcast.select(Broadcast.id, Broadcast.name)
        .where(Broadcast.state != "draft")
        .order_by(Broadcast.id.desc())
        .limit(RECENT_PROGRAMS)
    )
    sequences = Sequence.select(Sequence.id, Sequence.name).order_by(Sequence.name)
    return [
        *((f"{OriginKind.BROADCAST}-{row.id}", row.name) for row in broadcasts),
        *((f"{OriginKind.STEP}-{row.id}", row.name) for row in sequences),
    ]


def _of_program(query: ModelSelect, value: str) -> ModelSelect:
    kind, _dash, origin_id = value.partition("-")
    return query.where((Delivery.origin_kind == int(kind)) & (Delivery.origin_id == int(origin_id)))


def _in_state(query: ModelSelect, value: str) -> ModelSelect:
    # Written into the query text, so that the partial indexes on live states can answer.
    query = query.where(Delivery.state == live.literal(int(value)))
    if int(value) in IN_TROUBLE:  # SQLite does not see that one state is one of several
        query = query.where(live.one_of(Delivery.state, IN_TROUBLE))
    return query


def _names(context: Any) -> dict[str, dict[int, str]]:
    """Names of the friends and programs on this page, fetched once for all its rows."""
    if "delivery_names" not in g:
        rows: Iterable[Delivery] = context.get("data") or [context["model"]]
        ids: dict[int, set[int]] = defaultdict(set)
        friend_ids = set()
        for row in rows:
            ids[row.origin_kind].add(row.origin_id)
            friend_ids.add(row.friend_id)
        g.delivery_names = {
            "friend": dict(names_of(friend_ids)),
            str(int(OriginKind.BROADCAST)): _names_in(Broadcast, ids[OriginKind.BROADCAST]),
            str(int(OriginKind.STEP)): _names_in(Sequence, ids[OriginKind.STEP]),
            str(int(OriginKind.REMINDER)): _names_in(
                Coupon, ids[OriginKind.REMINDER], Coupon.title
            ),
        }
    found: dict[str, dict[int, str]] = g.delivery_names
    return found


def _names_in(model: Any, ids: set[int], name: Any = None) -> dict[int, str]:
    if not ids:
        return {}
    query = model.select(model.id, name or model.name).where(model.id.in_(list(ids)))
    return dict(live.rows(query))


def _friend(view: Any, context: Any, row: Delivery, name: str) -> Markup | str:
    shown = _names(context)["friend"].get(row.friend_id) or _("No name yet")
    if not view.may("lookup"):
        return shown
    return Markup('<a href="{}">{}</a>').format(
        url_for("friends.page", friend_id=row.friend_id), shown
    )


def _program(view: Any, context: Any, row: Delivery, name: str) -> str:
    kind = str(KIND_LABELS.get(row.origin_kind, ""))
    title = _names(context).get(str(row.origin_kind), {}).get(row.origin_id, "")
    if row.origin_kind == OriginKind.STEP:
        _branch, step = place_of(row.origin_run)
        return _("%(name)s, step %(number)s", name=title or kind, number=step)
    return f"{kind}「{title}」" if title else kind


def _state(view: Any, context: Any, row: Delivery, name: str) -> Markup:
    css, label = STATE_LABELS.get(row.state, ("quiet", str(row.state)))
    badge = Markup('<span class="badge {}">{}</span>').format(css, label)
    if not row.reason:
        return badge
    return badge + Markup(' <span class="hint">{}</span>').format(reasons.label(row.reason))


def _message(view: Any, context: Any, row: Delivery, name: str) -> str:
    if row.content is None:
        return ""
    return substitute(row.content.summary, _names(context)["friend"].get(row.friend_id))


class DeliveryView(StaffModelView):
    """Read only: only the sender says what became of a message."""

    menu_icon = "delivery"
    creatable = editable = deletable = False
    exportable = True
    can_view_details = True
    export_permission = "edit"
    default_sort = ("id", True)
    column_list = ("due_at", "friend_id", "origin_id", "content", "state")
    column_labels = {
        "due_at": _l("Planned for"),
        "friend_id": _l("Friend"),
        "origin_id": _l("From"),
        "content": _l("Message"),
        "state": _l("What became of it"),
    }
    column_formatters = {
        "friend_id": _friend,
        "origin_id": _program,
        "state": _state,
        "content": _message,
    }
    column_export_list = ("due_at", "friend_id", "origin_id", "content", "state", "reason")
    search_columns = (Friend.display_name,)
    toolbar_filters = (
        listing.Filter("program", _l("From"), _programs, _of_program),
        listing.Filter(
            "state",
            _l("What became of it"),
            tuple((int(state), label) for state, (_css, label) in STATE_LABELS.items()),
            _in_state,
        ),
        listing.Filter(
            "reason",
            _l("Reason"),
            tuple(reasons.LABELS.items()),
            lambda query, value: query.where(Delivery.reason == value),
        ),
        listing.DayFilter("from", _l("From day"), Delivery.due_at),
        listing.DayFilter("until", _l("To day"), Delivery.due_at, until=True),
    )
    list_hint = _l(
        "One line per friend and message, those left out included. Each says why it was or was "
        "not sent."
    )
    details_template = "admin/delivery.html"

    def apply_search(self, query: ModelSelect, text: str) -> ModelSelect:
        """By the friend's name."""
        return query.where(Delivery.friend_id.in_(Friend.select(Friend.id).where(named(text))))

    def search_label(self) -> str:
        return _("Friend's name")

    def row_label(self, record: Delivery) -> str:
        friend = Friend.get_or_none(Friend.id == record.friend_id)
        return (friend.display_name if friend else "") or _("No name yet")

    def empty_title(self) -> str:
        return _("No messages yet")

    def empty_text(self) -> str:
        return _("Broadcasts and step messages leave a line here for every friend.")

    def render(self, template: str, **kwargs: Any) -> str:
        """The details page also gets words for what it shows."""
        if template == self.details_template:
            kwargs["story"] = _story(kwargs["model"])
        page: str = super().render(template, **kwargs)
        return page

    def export_row(self, record: Delivery) -> list[Any]:
        context = {"model": record}
        g.pop("delivery_names", None)
        _css, state = STATE_LABELS[record.state]
        return [
            record.due_at,
            _names(context)["friend"].get(record.friend_id, ""),
            _program(self, context, record, "origin_id"),
            _message(self, context, record, "content"),
            state,
            reasons.label(record.reason) if record.reason else "",
        ]


def _story(delivery: Delivery) -> dict[str, Any]:
    """What the details page tells, in the order it happened."""
    context = {"model": delivery}
    shipment = delivery.shipment
    return {
        "why": why.explain(delivery, now=clock.now()),
        "program": _program(None, context, delivery, "origin_id"),
        "state": _state(None, context, delivery, "state"),
        "friend_url": url_for("friends.page", friend_id=delivery.friend_id),
        "messages": _shown(delivery),
        "shipment": shipment,
    }


def _shown(delivery: Delivery) -> list[dict[str, Any]]:
    """The message as her phone shows it."""
    if delivery.content is None:
        return []
    friend = Friend.get_or_none(Friend.id == delivery.friend_id)
    name = friend.display_name if friend else None
    shown = preview(
        delivery.content.parts,
        now=clock.now(),
        public_url=config.current().public_url,
        name=name or None,
        locale=locale(),
    )
    return shown.messages


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(DeliveryView(Delivery, _l("Delivery log"), endpoint="deliveries"), "results", 20)]
