"""What only people can decide: messages without an answer from LINE, and ones a restore holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from peewee import fn
from werkzeug.wrappers import Response

from lineadmin import clock, tasks
from lineadmin.admin import shell
from lineadmin.admin.gate import AdminPage, current_staff, flash_refusals, needs
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import DomainError
from lineadmin.friends.queries import names_of
from lineadmin.i18n import _, _l, _n
from lineadmin.outbox import live, queries, resolve
from lineadmin.outbox.models import (
    NARROWCAST,
    Delivery,
    DeliveryState,
    OriginKind,
    Shipment,
    ShipmentState,
)
from lineadmin.outbox.origins import SINGLES
from lineadmin.sequences.models import Sequence

SHOWN = 100
KINDS: dict[int, Any] = {
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


@dataclass(frozen=True)
class Unclear:
    """One sending nobody knows the fate of."""

    id: int
    program: str
    to: str
    first_try_at: datetime | None
    error: str


@dataclass(frozen=True)
class Held:
    """What a restore holds of one kind."""

    kind: int
    program: str
    count: int


class UndecidedView(AdminPage):
    """Anyone may read it; deciding is for those who send, releasing for those who restore."""

    menu_icon = "help"

    @property
    def in_menu(self) -> bool:  # type: ignore[override]
        """Only while there is something to decide."""
        return request.blueprint == self.endpoint or _anything()

    @expose("/")
    def index(self) -> str:
        """Both lists."""
        drawn: str = self.render(
            "admin/undecided.html",
            unclear=_unclear(),
            unclear_count=queries.unknown_count(),
            held=_held(),
            may_decide=self.may("send"),
            may_release=self.may("restore"),
        )
        return drawn

    @expose("/unclear/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def decide(self) -> Response | str:
        """Take the ticked sendings for sent, or send them again; the latter asks first."""
        ids = [int(one) for one in request.form.getlist("shipment") if one.isdecimal()]
        if not ids:
            raise DomainError(_l("Tick at least one row first."))
        again = request.form.get("do") == "again"
        if again and not self.confirmed():
            return self.confirm(
                _("Send these messages again?"),
                text=_(
                    "LINE never answered, so friends may have them already. Whoever does gets "
                    "them twice."
                ),
                label=_("Send again"),
                hidden={"do": "again", "shipment": ids},
                cancel_url=self.get_url(".index"),
            )
        act = resolve.send_again if again else resolve.count_as_sent
        count = act(ids, staff=current_staff(), now=clock.now(), wall=clock.wall())
        if again:
            tasks.ring()
            said = _n(
                "%(count)s message is sent again.", "%(count)s messages are sent again.", count
            )
        else:
            said = _n(
                "%(count)s message counts as sent.", "%(count)s messages count as sent.", count
            )
        flash(said, "success")
        return redirect(self.get_url(".index"))

    @expose("/held/", methods=("POST",))
    @needs("restore")
    @flash_refusals
    def release(self) -> Response | str:
        """Let go, or give up, what a restore holds of one kind; both ask first."""
        kind = _kind(request.form.get("kind", ""))
        drop = request.form.get("do") == "drop"
        if not self.confirmed():
            return self.confirm(
                _("Give these messages up?") if drop else _("Send these messages now?"),
                text=(
                    _("They are cancelled and nobody gets them.")
                    if drop
                    else _(
                        "What was sent after the backup was taken is sent again. Messages whose "
                        "time has passed are left out."
                    )
                ),
                label=_("Give up") if drop else _("Release"),
                kind="danger" if drop else "primary",
                hidden={"kind": int(kind), "do": "drop" if drop else "release"},
                cancel_url=self.get_url(".index"),
            )
        act = resolve.cancel_held if drop else resolve.release_held
        count = act(kind, staff=current_staff(), now=clock.now(), wall=clock.wall())
        tasks.ring()
        flash(
            _n("%(count)s message was given up.", "%(count)s messages were given up.", count)
            if drop
            else _n("%(count)s message is released.", "%(count)s messages are released.", count),
            "success",
        )
        return redirect(self.get_url(".index"))


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    shell.provide("banners", _banners)
    return [(UndecidedView(_l("To be decided"), endpoint="undecided"), "results", 16)]


def _unclear() -> list[Unclear]:
    shipments = [
        shipment
        for shipment in queries.in_trouble(limit=SHOWN)
        if shipment.state == ShipmentState.UNKNOWN
    ]
    names = _program_names((one.origin_kind, one.origin_id) for one in shipments)
    friends = _friends_of([one.id for one in shipments if one.recipients == 1])
    return [
        Unclear(
            id=one.id,
            program=_program(one.origin_kind, one.origin_id, names),
            to=friends.get(one.id) or _many(one),
            first_try_at=one.first_try_at,
            error=one.error[:200],
        )
        for one in shipments
    ]


def _many(shipment: Shipment) -> str:
    friends = _n("%(count)s friend", "%(count)s friends", shipment.recipients)
    return _("at most %(people)s", people=friends) if shipment.kind == NARROWCAST else friends


def _held() -> list[Held]:
    """Broadcasts and step messages are released on their own pages, with everything of theirs."""
    count = fn.COUNT(Delivery.id)
    query = (
        Delivery.select(Delivery.origin_kind, count)
        .where(_on_hold())
        .group_by(Delivery.origin_kind)
        .order_by(Delivery.origin_kind)
    )
    return [
        Held(kind, str(KINDS.get(kind, kind)), held)
        for kind, held in live.rows(query)
        if kind not in (OriginKind.BROADCAST, OriginKind.STEP)
    ]


def _on_hold() -> Any:
    # The whole list of states, as the partial index has it, or it would not be used.
    in_trouble = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.HELD)
    return live.one_of(Delivery.state, in_trouble) & (
        Delivery.state == live.literal(DeliveryState.HELD)
    )


def _anything() -> bool:
    singles = (*SINGLES, OriginKind.REMINDER, OriginKind.POINTS)
    held = Delivery.select(Delivery.id).where(
        _on_hold(), live.one_of(Delivery.origin_kind, singles)
    )
    return queries.unknown_count() > 0 or held.exists()


def _friends_of(shipment_ids: list[int]) -> dict[int, str]:
    query = Delivery.select(Delivery.shipment, Delivery.friend_id).where(
        Delivery.shipment.is_null(False), live.one_of(Delivery.shipment, shipment_ids)
    )
    found: dict[int, int] = dict(live.rows(query))
    names = names_of(set(found.values()))
    return {one: names.get(friend) or _("No name yet") for one, friend in found.items()}


def _program_names(origins: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    wanted: dict[int, set[int]] = {}
    for kind, origin_id in origins:
        wanted.setdefault(kind, set()).add(origin_id)
    names: dict[tuple[int, int], str] = {}
    for kind, model in ((OriginKind.BROADCAST, Broadcast), (OriginKind.STEP, Sequence)):
        rows: Any = model.select(model.id, model.name)
        for row in rows.where(model.id.in_(list(wanted.get(kind, ())))):
            names[int(kind), row.id] = row.name
    return names


def _program(kind: int, origin_id: int, names: dict[tuple[int, int], str]) -> str:
    label, name = str(KINDS.get(kind, kind)), names.get((kind, origin_id), "")
    return _("%(kind)s “%(name)s”", kind=label, name=name) if name else label


def _kind(text: str) -> OriginKind:
    if not text.isdecimal() or int(text) not in set(map(int, OriginKind)):
        raise DomainError(_l("This is not there any more."))
    return OriginKind(int(text))


def _banners() -> list[shell.Banner]:
    unclear = queries.unknown_count()
    if not unclear or request.blueprint == "undecided":
        return []
    return [
        shell.Banner(
            "warn",
            _n(
                "LINE never answered about %(count)s message. Decide what becomes of it.",
                "LINE never answered about %(count)s messages. Decide what becomes of them.",
                unclear,
            ),
            url_for("undecided.index"),
            _("Decide"),
        )
    ]
