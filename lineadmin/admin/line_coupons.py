"""LINE's own coupons: the list, making one, closing one, and what they cannot tell."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import listing
from lineadmin.admin.at_line import at_line
from lineadmin.admin.base import AdminPage, current_staff, flash_refusals, needs
from lineadmin.admin.line_coupon_form import LineCouponForm, values_of
from lineadmin.coupons.benefits import period_text
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.line_coupons import actions
from lineadmin.line_coupons.actions import STATE_LABELS
from lineadmin.line_coupons.models import LineCoupon
from lineadmin.line_coupons.offer import reward_text

ROWS = 50
STATE_KINDS = {
    "draft": "info",
    "running": "ok",
    "unclear": "warn",
    "asked": "warn",
    "closed": "quiet",
}


class LineCouponsView(AdminPage):
    """Reached from the list of the shop's own coupons."""

    menu_icon = "line"
    in_menu = False

    @expose("/")
    def index(self) -> str:
        """Every LINE coupon we know of, the newest first."""
        wall = clock.wall()
        page = listing.newest_first(
            LineCoupon.select(), LineCoupon.id, ROWS, partial(self.get_url, ".index")
        )
        return self.render(
            "admin/line_coupons.html",
            rows=page.rows,
            state_of=lambda row: _state(row, actions.is_over(row, wall)),
            reward_text=reward_text,
            period_text=period_text,
            page=page,
        )

    @expose("/new/", methods=("GET", "POST"))
    @needs("edit")
    def create(self) -> Response | str | tuple[str, int]:
        """Have LINE make one, of a draft where `draft` names it: staff look it over first."""
        draft = _draft(request.args.get("draft", type=int))
        form = LineCouponForm(request.form) if request.method == "POST" else LineCouponForm()
        if draft is not None and request.method == "GET":
            form = LineCouponForm(data=values_of(draft.definition))
        if request.method == "POST" and form.validate():
            try:
                with at_line() as gateway:
                    made = actions.create(
                        form.offer(),
                        gateway=gateway,
                        staff=current_staff(),
                        wall=clock.wall(),
                        draft_id=None if draft is None else draft.id,
                    )
            except DomainError as error:
                if not form.refuse(error):
                    flash(str(error), "error")
                    return self._form(form), 400
            else:
                flash(_("LINE has made “%(name)s”. Put it into a message.", name=made.title))
                return redirect(self.get_url(".index"))
        page = self._form(form)
        return (page, 400) if form.errors else page

    @expose("/close/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def close(self) -> Response | str:
        """End one for good."""
        row = LineCoupon.get_or_none(LineCoupon.id == request.form.get("id", 0, type=int)) or abort(
            404
        )
        if not self.confirmed():
            return self.confirm(
                _("Close “%(name)s” for good?", name=row.title),
                text=_(
                    "LINE also takes it from the friends who have it, and it cannot be opened "
                    "again."
                ),
                label=_("Close for good"),
                hidden={"id": row.id},
                action=self.get_url(".close"),
                cancel_url=self.get_url(".index"),
            )
        with at_line() as gateway:
            actions.close(row.id, gateway=gateway, staff=current_staff(), wall=clock.wall())
        flash(_("“%(name)s” is closed.", name=row.title), "success")
        return redirect(self.get_url(".index"))

    @expose("/drop/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def drop(self) -> Response | str:
        """Throw a draft away; asks first."""
        row = _draft(request.form.get("id", 0, type=int)) or abort(404)
        if not self.confirmed():
            return self.confirm(
                _("Throw the draft “%(name)s” away?", name=row.title),
                text=_("LINE knows nothing of it."),
                label=_("Throw away"),
                hidden={"id": row.id},
                action=self.get_url(".drop"),
                cancel_url=self.get_url(".index"),
            )
        actions.drop(row.id, staff=current_staff(), wall=clock.wall())
        flash(_("The draft “%(name)s” is gone.", name=row.title), "success")
        return redirect(self.get_url(".index"))

    @expose("/refresh/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def refresh(self) -> Response:
        """Ask LINE for its list."""
        with at_line() as gateway:
            found = actions.refresh(gateway=gateway, wall=clock.wall())
        flash(
            _(
                "LINE has %(running)s running coupons; %(learned)s of them were new here, "
                "%(closed)s are closed now.",
                running=format_count(found.running),
                learned=format_count(found.learned),
                closed=format_count(found.closed),
            ),
            "success",
        )
        return redirect(self.get_url(".index"))

    def _form(self, form: LineCouponForm) -> str:
        return str(self.render("admin/line_coupon_new.html", form=form))


def _draft(coupon_id: int | None) -> LineCoupon | None:
    if not coupon_id:
        return None
    row: LineCoupon | None = LineCoupon.get_or_none(
        LineCoupon.id == coupon_id, LineCoupon.state == actions.DRAFT
    )
    return row or abort(404)


def _state(row: LineCoupon, over: bool) -> tuple[str, Any]:
    if over and row.state == actions.RUNNING:
        return "quiet", _("Ended")
    return STATE_KINDS.get(row.state, ""), STATE_LABELS.get(row.state, row.state)


def views() -> list[tuple[Any, str, int]]:
    """The screen; it has no place in the menu of its own."""
    return [(LineCouponsView(_l("LINE coupons"), endpoint="line_coupons"), "offers", 12)]
