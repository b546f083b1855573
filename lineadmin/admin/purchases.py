"""What friends bought: the list, one purchase with its history, and wishes to change an order."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from markupsafe import Markup
from peewee import ModelSelect, fn
from werkzeug.wrappers import Response

from lineadmin import clock, i18n, settings
from lineadmin.admin import friend_cells as cells
from lineadmin.admin import listing, shell
from lineadmin.admin.base import StaffModelView, current_staff, flash_refusals, needs
from lineadmin.admin.purchase_entry import PurchaseEntry
from lineadmin.admin.purchase_import import PurchaseImport
from lineadmin.coupons import follow_up
from lineadmin.db import one_of
from lineadmin.friends import queries as friends
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l
from lineadmin.journal.kinds import KINDS
from lineadmin.journal.models import Fact
from lineadmin.outbox import quota
from lineadmin.purchases import actions, queries, with_coupon
from lineadmin.purchases.models import Purchase, PurchaseCategory, PurchaseLine
from lineadmin.purchases.states import (
    ORIGIN_LABELS,
    STATUS_KINDS,
    STATUS_LABELS,
    STATUSES,
    VOIDED,
)
from lineadmin.settings.cost import cost
from lineadmin.staff.models import Staff

# Redemptions happen in a room that knows no purchases; the door knows both.
follow_up.register("purchases", with_coupon.follow, with_coupon.take_back)

STATUS_CHOICES = (*STATUS_LABELS.items(), (VOIDED, _l("taken back")))


def status_badge(row: Purchase) -> Markup:
    """How far an order is, or that it was taken back."""
    if row.voided_at is not None:
        return Markup('<span class="badge bad">{}</span>').format(_("taken back"))
    return Markup('<span class="badge {}">{}</span>').format(
        STATUS_KINDS.get(row.status, ""), STATUS_LABELS.get(row.status, row.status)
    )


def _friend(view: Any, context: Any, row: Purchase, name: str) -> Markup:
    address = url_for("friends.page", friend_id=row.friend_id)
    return Markup('<a href="{}">{}</a>').format(address, cells.name_of(row.friend))


def _by_status(query: Any, value: str) -> Any:
    if value == VOIDED:
        return query.where(Purchase.voided_at.is_null(False))
    return query.where(Purchase.status == value, Purchase.voided_at.is_null())


def _by_category(query: Any, value: str) -> Any:
    """Of a rare category the purchases by id; frequent ones are soon met along the list."""
    line = PurchaseLine
    of_it = line.uncounted_at.is_null() & (line.category == int(value))
    found = friends.ids(line.select(line.purchase).where(of_it).limit(friends.GATHERED + 1))
    if len(found) <= friends.GATHERED:
        return query.where(one_of(Purchase.id, found))
    return query.where(fn.EXISTS(line.select(line.id).where(of_it, line.purchase == Purchase.id)))


def _categories() -> list[tuple[int, str]]:
    rows = PurchaseCategory.select().order_by(PurchaseCategory.name)
    return [(row.id, row.name) for row in rows]


class PurchaseView(PurchaseEntry, PurchaseImport, StaffModelView):
    """Every purchase; staff enter and move on, managers take back and import."""

    required_permission = "lookup"
    create_permission = "record"
    menu_icon = "receipt"
    creatable = True
    editable = deletable = False
    can_view_details = True
    exportable = True
    list_template = "admin/purchases.html"
    column_list = ("receipt_no", "friend", "at", "amount", "status", "branch")
    column_export_list = (
        *("receipt_no", "friend", "at", "amount", "status", "channel", "branch"),
        *("origin", "note", "void_reason"),
    )
    column_labels = {
        "receipt_no": _l("Receipt number"),
        "friend": _l("Friend"),
        "at": _l("Bought at"),
        "amount": _l("Amount"),
        "status": _l("Status"),
        "channel": _l("Channel"),
        "branch": _l("Store"),
        "origin": _l("How it was recorded"),
        "note": _l("Note"),
        "void_reason": _l("Why it was taken back"),
    }
    column_formatters = {
        "friend": _friend,
        "amount": lambda view, context, row, name: i18n.format_twd(row.amount),
        "status": lambda view, context, row, name: status_badge(row),
    }
    column_formatters_export = {
        "friend": lambda view, context, row, name: cells.name_of(row.friend),
        "status": lambda view, context, row, name: (
            _("taken back") if row.voided_at else str(STATUS_LABELS.get(row.status, row.status))
        ),
        "origin": lambda view, context, row, name: str(ORIGIN_LABELS.get(row.origin, row.origin)),
    }
    number_columns = ("amount",)
    column_sortable_list = ("at", "amount")
    default_sort = ("at", True)
    search_columns = (Purchase.receipt_no,)
    toolbar_filters = (
        listing.DayFilter("from", _l("From day"), Purchase.at),
        listing.DayFilter("until", _l("To day"), Purchase.at, until=True),
        listing.Filter("status", _l("Status"), STATUS_CHOICES, _by_status),
        listing.Filter("category", _l("Category of goods"), _categories, _by_category),
        listing.Filter(
            "branch",
            _l("Store"),
            lambda: [(name, name) for name in queries.places()],
            lambda query, value: query.where(Purchase.branch == value),
        ),
    )

    # --- words ----------------------------------------------------------------------------

    def list_title(self) -> str:
        return _("Purchase records")

    def create_label(self) -> str:
        return _("Record a purchase")

    def search_label(self) -> str:
        return _("Receipt number or friend")

    def empty_title(self) -> str:
        return _("No purchases yet")

    def empty_text(self) -> str:
        return _(
            "Record them at the counter, import your till’s file, or enter amounts when redeeming."
        )

    def row_label(self, record: Purchase) -> str:
        return str(record.receipt_no)

    def open_wishes(self) -> int:
        """How many wishes wait; for the line over the list."""
        return queries.open_count()

    def apply_search(self, query: ModelSelect, text: str) -> ModelSelect:
        """A receipt number or its beginning, or a friend's name."""
        hers = friends.ids(Friend.select(Friend.id).where(friends.named(text)).limit(friends.FEW))
        numbered = (Purchase.receipt_no >= text) & (Purchase.receipt_no < text + "\uffff")
        return query.where(numbered | Purchase.friend.in_(hers) if hers else numbered)

    # --- one purchase ---------------------------------------------------------------------

    @expose("/<int:id>/")
    @needs("lookup")
    def details_view(self, id: int) -> str:
        """What is known of it, and what happened to it."""
        row = _get(id)
        events = queries.history(row.id)
        return str(
            self.render(
                "admin/purchase.html",
                row=row,
                badge=status_badge(row),
                friend_name=cells.name_of(row.friend),
                lines=queries.lines_of([row.id]).get(row.id, []),
                origin=ORIGIN_LABELS.get(row.origin, row.origin),
                history=_told(events),
                wishes=queries.wishes_of([row.id]).get(row.id, []),
                choices=[(code, STATUS_LABELS[code]) for code in STATUSES if code != row.status],
                notice=_notice(row),
                may_edit=self.may("edit") and row.voided_at is None,
                may_move=self.may("record") and row.voided_at is None,
            )
        )

    @expose("/<int:id>/status/", methods=("POST",))
    @needs("record")
    @flash_refusals
    def set_status(self, id: int) -> Response:
        """Move an order on."""
        moved = actions.set_status(
            id,
            request.form.get("status", ""),
            version=request.form.get("version", type=int),
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )
        flash(_("Saved.") if moved else _("Nothing was different."), "success")
        return redirect(self.get_url(".details_view", id=id))

    @expose("/<int:id>/void/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def void(self, id: int) -> Response | str:
        """Take it out of every count; asks first."""
        row = _get(id)
        reason = request.form.get("reason", "").strip()[:200]
        if not self.confirmed() and reason:
            return self.confirm(
                _("Take the purchase %(number)s back?", number=row.receipt_no),
                text=_("It leaves every count for good and stays in the list with its reason."),
                lines=[f"{i18n.format_twd(row.amount)}・{cells.name_of(row.friend)}", reason],
                label=_("Take the purchase back"),
                hidden={"reason": reason},
                cancel_url=self.get_url(".details_view", id=id),
            )
        actions.void(id, reason=reason, staff=current_staff(), now=clock.now(), wall=clock.wall())
        flash(_("Taken back: it counts nowhere any more."), "success")
        return redirect(self.get_url(".details_view", id=id))

    # --- wishes ---------------------------------------------------------------------------

    @expose("/wishes/")
    @needs("lookup")
    def wishes(self) -> str:
        """Wishes to change an order that nobody has answered."""
        found = queries.open_wishes(limit=100)
        return str(
            self.render(
                "admin/order_wishes.html",
                wishes=found,
                names=friends.names_of([wish.purchase.friend_id for wish in found]),
                total=queries.open_count(),
                badge=status_badge,
                price=price_of_one(),
            )
        )

    @expose("/wishes/<int:id>/answer/", methods=("POST",))
    @needs("record")
    @flash_refusals
    def answer_wish(self, id: int) -> Response:
        """Done or not possible, with an answer that can go out as a message."""
        actions.answer_change(
            id,
            granted=request.form.get("do") != "decline",
            words=request.form.get("answer", ""),
            send=request.form.get("send") == "1",
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )
        flash(_("Answered."), "success")
        return redirect(self.back_url())


def _get(purchase_id: int) -> Purchase:
    row: Purchase | None = (
        Purchase.select(Purchase, Friend).join(Friend).where(Purchase.id == purchase_id).first()
    )
    if row is None:
        abort(404)
    return row


def _told(events: list[Fact]) -> list[tuple[str, str, str, str]]:
    """The history as m.timeline draws it."""
    values = [event.value if isinstance(event.value, dict) else {} for event in events]
    ids = {value["staff"] for value in values if isinstance(value.get("staff"), int)}
    names = {row.id: row.name for row in Staff.select().where(Staff.id.in_(list(ids)))}
    told = []
    for event, value in zip(events, values, strict=True):
        words = [
            str(STATUS_LABELS.get(value.get("status", ""), "")),
            str(value.get("words", "")),
            str(value.get("reason", "")),
            names.get(value.get("staff", 0), ""),
        ]
        label = KINDS["purchase" if event.kind == "purchase.void" else event.kind].label
        text = "・".join(word for word in words if word)
        told.append((i18n.format_datetime(event.at), str(label), text, ""))
    return told


def price_of_one() -> str:
    """What one message more costs beyond the plan; "" where it is in it, or no plan is set."""
    told = cost(1, used=quota.meter(clock.now()).taken, shop=settings.shop())
    return i18n.format_twd(told.twd) if told.twd else ""


def _notice(row: Purchase) -> str:
    """Whether she will hear of a new status, and what that costs."""
    if not settings.shop().order_notices:
        return _("She is not told: notices about orders are switched off in the shop settings.")
    if not row.friend.addressable:
        return _("She is not told: she gets no messages of ours.")
    price = price_of_one()
    if price:
        return _("She is told by a message, once for each status; it costs %(twd)s.", twd=price)
    return _("She is told by a message, once for each status; it counts as one of the month.")


def _counts() -> dict[str, int]:
    return {"purchases": queries.open_count()}


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    shell.provide("counts", _counts)
    return [(PurchaseView(Purchase, _l("Purchase records"), endpoint="purchases"), "offers", 22)]
