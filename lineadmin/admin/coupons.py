"""Coupons: the list with its numbers, the editor with its preview, and one coupon's history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Response as JSONResponse
from flask import abort, g, jsonify, redirect, request, url_for
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin import clock, config, segments
from lineadmin.admin import coupon_after, coupon_reminder, listing
from lineadmin.admin.base import StaffModelView, current_staff, needs
from lineadmin.admin.coupon_form import AFTER, CARRIED, LOTTERY, CouponForm
from lineadmin.admin.coupon_switches import CouponSwitches
from lineadmin.coupons import actions, numbers, partner_codes
from lineadmin.coupons.benefits import benefit_text, end_moment, validity_text
from lineadmin.coupons.card import card_view
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.numbers import Numbers
from lineadmin.coupons.offer import CODE_LABELS, LIST, REDEEM_LABELS
from lineadmin.coupons.redeem import HOW_LABELS, may_undo
from lineadmin.coupons.states import (
    ACTIVE,
    CLOSED,
    COUPON_STATE_LABELS,
    PAUSED,
    STATE_LABELS,
    State,
    state_of,
)
from lineadmin.db import atomic
from lineadmin.i18n import _, _l, format_count, format_twd, locale
from lineadmin.messages.coupon_card import coupon_card
from lineadmin.segments.tree import TreeError
from lineadmin.staff import audit, audit_words
from lineadmin.web import coupon_page

NOWHERE = "https://line.me/"  # where the button of a preview would lead
LATEST = 8
HISTORY = 12
STATE_KINDS = {ACTIVE: "ok", PAUSED: "warn", CLOSED: "quiet"}
ORIGIN_LABELS: dict[str, Any] = {
    "greeting": _l("Greeting"),
    "step": _l("Step messages"),
    "broadcast": _l("Broadcast"),
    "reply": _l("Auto-response"),
    "staff": _l("By staff"),
    "test": _l("Test send"),
    "survey": _l("Survey"),
    "lottery": _l("Lottery"),
    "claim": _l("Claim link"),
    "thanks": _l("After a redemption"),
    "reminder": _l("Reminder"),
}


def _issue_state(now: Callable[[], datetime]) -> listing.Filter:
    spent = CouponIssue.redeemed_at.is_null(False)
    gone = CouponIssue.voided_at.is_null(False)

    def narrow(query: Any, value: str) -> Any:
        ended = CouponIssue.expires_at <= now()
        if value == "used":
            return query.where(spent)
        if value == "voided":
            return query.where(gone)
        open_ = query.where(CouponIssue.redeemed_at.is_null(), CouponIssue.voided_at.is_null())
        if value == "expired":
            return open_.where(ended)
        return open_.where(CouponIssue.expires_at.is_null() | (CouponIssue.expires_at > now()))

    choices = (
        ("held", _l("Not used yet")),
        ("used", _l("Used")),
        ("expired", _l("Expired")),
        ("voided", _l("Taken back")),
    )
    return listing.Filter("state", _l("State"), choices, narrow)


def _opened_filter() -> listing.Filter:
    choices = (("1", _l("Opened")), ("0", _l("Not opened")))
    return listing.Filter(
        "opened",
        _l("Opened"),
        choices,
        lambda query, value: query.where(CouponIssue.opened_at.is_null(value == "0")),
    )


ISSUE_FILTERS = (_issue_state(clock.now), _opened_filter())


class CouponsView(CouponSwitches, StaffModelView):
    """Every coupon of the shop."""

    menu_icon = "coupon"
    audit_kind = "coupon"
    can_view_details = True
    column_list = ("title", "benefit", "validity", "issued", "opened", "redeemed", "state")
    column_labels = {
        "title": _l("Name"),
        "benefit": _l("Benefit"),
        "validity": _l("Validity"),
        "issued": _l("Handed out"),
        "opened": _l("Opened"),
        "redeemed": _l("Redeemed"),
        "state": _l("State"),
    }
    number_columns = ("issued", "opened", "redeemed")
    column_formatters = {
        "benefit": lambda view, context, row, name: benefit_text(row),
        "validity": lambda view, context, row, name: validity_text(row),
        "issued": lambda view, context, row, name: _of_stock(row),
        "opened": lambda view, context, row, name: _share(context, row, "opened"),
        "redeemed": lambda view, context, row, name: _share(context, row, "redeemed"),
        "state": lambda view, context, row, name: state_badge(row.state),
    }
    search_columns = (Coupon.title, Coupon.code)
    toolbar_filters = (
        listing.choice_filter(
            "state", _l("State"), Coupon.state, tuple(COUPON_STATE_LABELS.items())
        ),
        listing.Filter(
            "archived",
            _l("Archive"),
            (("1", _l("In the archive")),),
            lambda query, value: query.where(Coupon.archived_at.is_null(False)),
            any_label=_l("On the list"),
        ),
    )
    list_template = "admin/coupons.html"
    create_template = edit_template = "admin/coupon_edit.html"
    details_template = "admin/coupon.html"

    def get_query(self) -> Any:
        """Without what was put away, unless that is asked for."""
        query = super().get_query()
        if request.args.get("archived") == "1":
            return query
        return query.where(Coupon.archived_at.is_null())

    # --- words ----------------------------------------------------------------------------

    def create_label(self) -> str:
        return _("New coupon")

    def edit_heading(self, record: Coupon) -> str:
        return _("Edit")

    def empty_title(self) -> str:
        return _("No coupon yet")

    def empty_text(self) -> str:
        return _("Make one, put it into a greeting, a step or a broadcast, and redeem it here.")

    def row_label(self, record: Coupon) -> str:
        return str(record.title)

    def row_url(self, record: Coupon) -> str:
        return str(self.get_url(".details_view", id=record.id))

    # --- making and changing --------------------------------------------------------------

    @expose("/new/", methods=("GET", "POST"))
    @needs("edit")
    def create_view(self) -> Response | str:
        """The empty form. A lottery is set up on a screen of its own, with what was typed here."""
        form = request.form
        if form.get("benefit") == LOTTERY:
            typed: dict[str, Any] = {name: form.get(name, "") for name in CARRIED}
            return redirect(url_for("lotteries.create_view", **typed))
        return super().create_view()

    def get_form(self) -> Any:
        return CouponForm

    def create_form(self, obj: Any = None) -> CouponForm:
        """The empty form, or one filled with the coupon it duplicates."""
        copied = self.get_one(request.args.get("from"))
        form: CouponForm = super().create_form(obj)
        if copied is not None and request.method == "GET":
            form = CouponForm(None, copied, code="", stock=copied.stock)
        form.offer_lottery()
        return form

    def edit_form(self, obj: Any = None) -> CouponForm:
        """The filled form; what friends were promised cannot be typed any more."""
        form: CouponForm = super().edit_form(obj)
        form.code.render_kw = {**(form.code.render_kw or {}), "disabled": True}
        form.code.data = obj.code
        if obj.issued:
            form.keep_promises(obj)
        return form

    def create_record(self, form: CouponForm) -> Coupon:
        offer, copied = form.offer(keep=True), self.get_one(request.args.get("from"))
        if copied is None:
            return actions.create(offer, staff=current_staff(), now=clock.now(), wall=clock.wall())
        offer = replace(offer, **{name: getattr(copied, name) for name in AFTER})
        with atomic():
            made = actions.create(offer, staff=current_staff(), now=clock.now(), wall=clock.wall())
            coupon_reminder.duplicate(copied, made)
        return made

    def save_record(self, form: CouponForm, record: Coupon, version: int) -> None:
        offer = form.offer(record, keep=True)
        actions.edit(record.id, offer, version=version, staff=current_staff(), wall=clock.wall())

    def after_create_url(self, record: Coupon) -> str:
        if record.code_kind == LIST:
            return str(url_for("coupon_codes.index", id=record.id))
        return self.row_url(record)

    def after_save_url(self, record: Coupon) -> str:
        return self.row_url(record)

    def _form_page(self, template: str, form: Any, **more: Any) -> Any:
        more.setdefault("locked", bool(more.get("model") and more["model"].issued))
        return super()._form_page(template, form, preview=_preview(form, more.get("model")), **more)

    @expose("/preview/", methods=("POST",))
    @needs("edit")
    def preview(self) -> JSONResponse:
        """The card and the page of what is in the form right now; nothing is kept."""
        form = CouponForm(request.form)
        known = self.get_one(request.args.get("id"))
        if known is not None and known.issued:
            form.keep_promises(known)
        return jsonify(_preview(form, known))

    # --- one coupon -----------------------------------------------------------------------

    @expose("/details/")
    def details_view(self) -> Response | str:
        """Its numbers, its latest uses, its card and page."""
        coupon = self._coupon()
        now = clock.now()
        return self.render(
            self.details_template,
            coupon=coupon,
            numbers=numbers.numbers_at(coupon, now),
            uses=numbers.latest_uses(limit=LATEST, coupon=coupon),
            may_undo=lambda row: may_undo(row, now),
            how_labels=HOW_LABELS,
            reminder=coupon_reminder.line_for(coupon),
            after=coupon_after.line_for(coupon),
            codes_left=partner_codes.left(coupon) if coupon.code_kind == LIST else None,
            claim_url=_claim_url(coupon),
            history=audit.lines_of("coupon", coupon.id, limit=HISTORY),
            audit_sentence=audit_words.sentence,
            audit_changes=audit_words.changes,
            facts=_facts(coupon),
            state_mark=(STATE_KINDS[coupon.state], COUPON_STATE_LABELS[coupon.state]),
            preview=_preview_of(coupon),
        )

    @expose("/copies/")
    def copies(self) -> str:
        """Every copy with what became of it."""
        coupon = self._coupon()
        now = clock.now()
        chosen = listing.chosen_filters(ISSUE_FILTERS, request.args)
        query: Any = CouponIssue.select().where(CouponIssue.coupon == coupon)
        for one in ISSUE_FILTERS:
            if one.name in chosen:
                query = one.narrow(query, chosen[one.name])
        order = listing.Keyset(CouponIssue.id, CouponIssue.id, descending=True)
        rows, previous, following = order.page(
            query,
            self.page_size,
            after=request.args.get("after"),
            before=request.args.get("before"),
        )

        def address(**cursor: str) -> str:
            return str(self.get_url(".copies", id=coupon.id, **chosen, **cursor))

        for row in rows:
            row.coupon = coupon
        return self.render(
            "admin/coupon_copies.html",
            coupon=coupon,
            rows=[(row, *_state_badge_of(row, coupon, now)) for row in rows],
            names=numbers.friend_names(row.friend_id for row in rows),
            end_moment=end_moment,
            origins=ORIGIN_LABELS,
            how_labels=HOW_LABELS,
            total=listing.count_label(listing.bounded_count(query)),
            filters=listing.drawn_filters(ISSUE_FILTERS, chosen),
            page=listing.Page(
                rows=rows,
                previous=address(before=previous) if previous else None,
                next=address(after=following) if following else None,
                first=address() if request.args.get("after") else None,
            ),
        )

    def back_url(self) -> str:
        coupon = request.form.get("id", type=int)
        return str(self.get_url(".details_view", id=coupon)) if coupon else super().back_url()

    def _coupon(self) -> Coupon:
        coupon: Coupon = self.get_one(request.values.get("id")) or abort(404)
        return coupon


def state_badge(state: str) -> Markup:
    """The state of a coupon in a list."""
    return Markup('<span class="badge {}">{}</span>').format(
        STATE_KINDS.get(state, ""), COUPON_STATE_LABELS.get(state, state)
    )


def _of_stock(coupon: Coupon) -> str:
    issued = format_count(coupon.issued)
    return issued if coupon.stock is None else f"{issued} / {format_count(coupon.stock)}"


def _share(context: Any, coupon: Coupon, part: str) -> str:
    """A number with its share of the copies; one query serves all rows of the page."""
    if "coupon_numbers" not in g:
        g.coupon_numbers = numbers.numbers_of(context["data"])
    known: Numbers = g.coupon_numbers[coupon.id]
    count = getattr(known, part)
    share = known.percent(count)
    return format_count(count) if share is None else f"{format_count(count)}（{share:.0f}%）"


def _facts(coupon: Coupon) -> list[tuple[Any, Any]]:
    rows = [
        (_("Benefit"), benefit_text(coupon)),
        (
            _("Minimum spend"),
            format_twd(coupon.minimum_spend) if coupon.minimum_spend else _("None"),
        ),
        (_("Validity"), validity_text(coupon)),
        (_("How many"), _("Unlimited") if coupon.stock is None else format_count(coupon.stock)),
        (_("Per friend"), format_count(coupon.per_friend)),
        (_("Per day"), _("Unlimited") if coupon.per_day is None else format_count(coupon.per_day)),
        (_("Who may have it"), _whose(coupon)),
        (_("Code friends show"), _code_words(coupon)),
        (_("How it is used"), REDEEM_LABELS[coupon.redeem]),
        (_("Short name"), coupon.code),
    ]
    if coupon.pin:
        rows.append((_("Shop PIN"), coupon.pin))
    if coupon.terms:
        rows.append((_("Terms"), Markup('<span class="pre-line">{}</span>').format(coupon.terms)))
    return rows


def _whose(coupon: Coupon) -> str:
    told = _("everybody")
    if coupon.who is not None:
        try:
            told = segments.sentence(coupon.who)
        except TreeError as error:
            told = str(error)
    return f"{told}・{_('current friends only')}" if coupon.friends_only else told


def _code_words(coupon: Coupon) -> str:
    told = str(CODE_LABELS[coupon.code_kind])
    return f"{told}：{coupon.shared_code}" if coupon.shared_code else told


def _claim_url(coupon: Coupon) -> str:
    base = config.current().public_url or ""
    return f"{base}/c/{coupon.claim_token}" if coupon.claim_token else ""


def _state_badge_of(row: CouponIssue, coupon: Coupon, now: datetime) -> tuple[str, Any]:
    state = state_of(row, coupon, now)
    kind = {State.VALID: "ok", State.USED: "info", State.NOT_YET: "warn", State.PAUSED: "warn"}
    return kind.get(state, "quiet"), _("Not used yet") if state is State.VALID else STATE_LABELS[
        state
    ]


def _preview(form: CouponForm, known: Coupon | None) -> dict[str, Any]:
    return _preview_of(form.sketch(), form.picture_address(known))


def _preview_of(coupon: Coupon, picture: str = "") -> dict[str, Any]:
    if coupon.picture and not picture:
        picture = f"/media/{coupon.picture}/preview"
    card = replace(card_view(coupon, None, NOWHERE, locale()), picture=picture)
    return {
        "messages": [coupon_card(card)],
        "page": coupon_page.preview(coupon, clock.now(), picture=picture),
    }


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(CouponsView(Coupon, _l("Coupons"), endpoint="coupons"), "offers", 10)]
