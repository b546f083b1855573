"""Lotteries: the list, setting one up, its prizes and draws, the log to recheck, closing it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from markupsafe import Markup
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import export, listing
from lineadmin.admin.base import current_staff, flash_refusals, needs
from lineadmin.admin.coded import CodedView
from lineadmin.admin.lottery_form import LotteryForm
from lineadmin.coupons.benefits import period_text
from lineadmin.coupons.queries import pickable
from lineadmin.friends.queries import names_of
from lineadmin.i18n import _, _l, format_count, locale
from lineadmin.lottery import actions, log
from lineadmin.lottery.card import card_view
from lineadmin.lottery.draw import prizes_of
from lineadmin.lottery.models import Lottery, LotteryDraw
from lineadmin.lottery.plan import percent_text
from lineadmin.lottery.states import (
    ACTIVE,
    CLOSED,
    PAUSED,
    RULE_LABELS,
    STATE_LABELS,
    WAY_LABELS,
)
from lineadmin.messages import lottery_card
from lineadmin.staff import audit
from lineadmin.web import lottery_page

NOWHERE = "https://line.me/"  # where the button of a preview would lead
STATE_KINDS = {ACTIVE: "ok", PAUSED: "warn", CLOSED: "quiet"}


class LotteriesView(CodedView):
    """Every lottery of the shop."""

    form_of = LotteryForm
    room = actions
    menu_icon = "gift"
    audit_kind = "lottery"
    column_list = ("title", "rule", "period", "draws", "state")
    column_labels = {
        "title": _l("Name"),
        "rule": _l("How often"),
        "period": _l("Period"),
        "draws": _l("Draws"),
        "state": _l("State"),
    }
    number_columns = ("draws",)
    column_formatters = {
        "rule": lambda view, context, row, name: RULE_LABELS[row.rule],
        "period": lambda view, context, row, name: _period(row),
        "draws": lambda view, context, row, name: format_count(row.draws),
        "state": lambda view, context, row, name: _state_badge(row),
    }
    search_columns = (Lottery.title, Lottery.code)
    toolbar_filters = (
        listing.choice_filter("state", _l("State"), Lottery.state, tuple(STATE_LABELS.items())),
    )
    create_template = edit_template = "admin/lottery_edit.html"
    details_template = "admin/lottery.html"

    # --- words ----------------------------------------------------------------------------

    def create_label(self) -> str:
        return _("New lottery")

    def edit_heading(self, record: Lottery) -> str:
        return _("Edit")

    def empty_title(self) -> str:
        return _("No lottery yet")

    def empty_text(self) -> str:
        return _("Its prizes are coupons. Put it into a message, and friends draw on their phones.")

    def row_label(self, record: Lottery) -> str:
        return str(record.title)

    # --- making and changing --------------------------------------------------------------

    def create_form(self, obj: Any = None) -> LotteryForm:
        """The empty form, or one with what was typed before it was clear that it is a lottery."""
        if request.method == "GET":
            return LotteryForm(request.args)
        form: LotteryForm = super().create_form(obj)
        return form

    def edit_form(self, obj: Any = None) -> LotteryForm:
        """The filled form; what was drawn from cannot be typed any more."""
        form: LotteryForm = super().edit_form(obj)
        if obj.draws:
            form.keep_drawn(obj)
        return form

    def save_record(self, form: LotteryForm, record: Lottery, version: int) -> None:
        actions.edit(
            record.id, form.plan(), version=version, staff=current_staff(), wall=clock.wall()
        )

    def _form_page(self, template: str, form: Any, **more: Any) -> Any:
        more.setdefault("locked", bool(more.get("model") and more["model"].draws))
        return super()._form_page(template, form, coupons=pickable(clock.now()), **more)

    # --- one lottery ----------------------------------------------------------------------

    @expose("/details/")
    def details_view(self) -> Response | str:
        """Its prizes, its draws, its card and page; `recheck` computes every draw again."""
        lottery = self._lottery()
        prizes, nothing = log.counts(lottery)
        drawn = listing.newest_first(
            LotteryDraw.select().where(LotteryDraw.lottery == lottery.id),
            LotteryDraw.id,
            self.page_size,
            partial(self.get_url, ".details_view", id=lottery.id),
        )
        return self.render(
            self.details_template,
            lottery=lottery,
            prizes=prizes,
            nothing=nothing,
            percent=percent_text,
            prize_names={one.prize.id: one.prize.name for one in prizes},
            friends=names_of({row.friend_id for row in drawn.rows}),
            reason_label=log.reason_label,
            facts=_facts(lottery),
            recheck=log.recheck(lottery) if "recheck" in request.args else None,
            state_mark=(STATE_KINDS[lottery.state], STATE_LABELS[lottery.state]),
            preview=_preview(lottery),
            page=drawn,
        )

    @expose("/log/")
    @needs("edit")
    def draw_log(self) -> Response:
        """Every draw as CSV, with what is needed to compute it again."""
        lottery = self._lottery()
        audit.record(
            current_staff(),
            "lottery.export",
            "lottery",
            lottery.id,
            lottery.title,
            None,
            {"rows": lottery.draws},
            wall=clock.wall(),
        )
        return export.csv_response(lottery.code, _log_rows(lottery))

    # --- pausing, resuming, closing -------------------------------------------------------

    @expose("/state/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def set_state(self) -> Response | str:
        """Pause or resume at once; closing asks first, since it is for good."""
        lottery = self._lottery()
        wanted = request.form.get("state", "")
        staff, now, wall = current_staff(), clock.now(), clock.wall()
        if wanted == CLOSED and not self.confirmed():
            return self.confirm(
                _("Close “%(name)s” for good?", name=lottery.title),
                text=_(
                    "Nobody draws any more, and the secret behind the draws is published. "
                    "Coupons that were won stay valid."
                ),
                label=_("Close for good"),
                hidden={"id": lottery.id, "state": CLOSED},
                action=self.get_url(".set_state"),
                cancel_url=self.row_url(lottery),
            )
        if wanted == PAUSED:
            actions.pause(lottery.id, staff=staff, wall=wall)
            said = _("“%(name)s” is paused: nobody draws.", name=lottery.title)
        elif wanted == ACTIVE:
            actions.resume(lottery.id, staff=staff, wall=wall)
            said = _("“%(name)s” is running again.", name=lottery.title)
        elif wanted == CLOSED:
            actions.close(lottery.id, staff=staff, now=now, wall=wall)
            said = _("“%(name)s” is closed.", name=lottery.title)
        else:
            abort(400)
        flash(said, "success")
        return redirect(self.row_url(lottery))

    def back_url(self) -> str:
        lottery = request.form.get("id", type=int)
        return str(self.get_url(".details_view", id=lottery)) if lottery else super().back_url()

    def _lottery(self) -> Lottery:
        lottery: Lottery = self.get_one(request.values.get("id")) or abort(404)
        return lottery


def _state_badge(lottery: Lottery) -> Markup:
    return Markup('<span class="badge {}">{}</span>').format(
        STATE_KINDS.get(lottery.state, ""), STATE_LABELS.get(lottery.state, lottery.state)
    )


def _period(lottery: Lottery) -> str:
    if lottery.starts_at is None and lottery.ends_at is None:
        return _("no end date")
    return period_text(lottery.starts_at, lottery.ends_at)


def _facts(lottery: Lottery) -> list[tuple[Any, Any]]:
    hash_cell = Markup('<code class="wrap-anywhere">{}</code>')
    rows = [
        (_("How often"), RULE_LABELS[lottery.rule]),
        (_("Where friends draw"), WAY_LABELS[lottery.way]),
        (_("Period"), _period(lottery)),
        (_("Short name"), lottery.code),
        (_("SHA-256 of the secret"), hash_cell.format(lottery.seed_hash)),
    ]
    if lottery.state == CLOSED:
        rows.append((_("The secret"), hash_cell.format(lottery.seed)))
    if lottery.terms:
        rows.append((_("Terms"), Markup('<span class="pre-line">{}</span>').format(lottery.terms)))
    return rows


def _preview(lottery: Lottery) -> dict[str, Any]:
    prizes = prizes_of(lottery)
    view = card_view(lottery, prizes, NOWHERE, locale())
    shown = [(prize.name, percent_text(prize.odds)) for prize in prizes]
    return {
        "messages": [lottery_card.render(view)],
        "page": lottery_page.preview(lottery, shown),
    }


def _log_rows(lottery: Lottery) -> Iterator[list[Any]]:
    yield [
        _("Time"),
        _("Friend"),
        _("Entry"),
        _("Number"),
        _("Prize of the number"),
        _("Prize"),
        _("Why another"),
    ]
    names = {prize.id: prize.name for prize in prizes_of(lottery)}
    for rows in log.batches(lottery):
        friends = names_of({row.friend_id for row in rows})
        for row in rows:
            yield [
                row.at,
                friends.get(row.friend_id, ""),
                f"{lottery.code}:{row.friend_id}:{row.period}",
                row.number,
                names.get(row.picked_id or 0, ""),
                names.get(row.prize_id or 0, ""),
                log.reason_label(row.reason) if row.reason else "",
            ]


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(LotteriesView(Lottery, _l("Lotteries"), endpoint="lotteries"), "offers", 15)]
