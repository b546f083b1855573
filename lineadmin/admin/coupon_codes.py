"""The codes a partner gave us for a coupon: pasted or as a CSV, counted, thrown away."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin.base import AdminPage, current_staff, flash_refusals, needs
from lineadmin.coupons import partner_codes
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.offer import LIST
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, _n

FILE_BYTES = 4 * 1024 * 1024


class CouponCodesView(AdminPage):
    """One list per coupon, reached from the coupon's own page."""

    in_menu = False

    @expose("/", methods=("GET", "POST"))
    @needs("view", post="edit")
    def index(self) -> Response | str | tuple[str, int]:
        """How many there are and how many are left; more of them are taken in here."""
        coupon = self._coupon()
        if request.method == "GET":
            return self._page(coupon)
        typed = request.form.get("codes", "")
        try:
            added = partner_codes.add_codes(
                coupon.id,
                _posted_file() or typed,
                staff=current_staff(),
                now=clock.now(),
                wall=clock.wall(),
            )
        except DomainError as error:
            return self._page(coupon, typed, str(error)), 400
        flash(_n("%(count)s code added.", "%(count)s codes added.", added), "success")
        return redirect(url_for(".index", id=coupon.id))

    @expose("/drop/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def drop(self) -> Response | str:
        """Throw away the codes nobody has; asks first."""
        coupon = self._coupon()
        here = url_for(".index", id=coupon.id)
        if not self.confirmed():
            free = partner_codes.left(coupon).free
            return self.confirm(
                _n(
                    "Throw away the %(count)s code nobody has?",
                    "Throw away the %(count)s codes nobody has?",
                    free,
                ),
                text=_("Codes that friends hold stay theirs."),
                label=_("Throw away"),
                hidden={"id": coupon.id},
                cancel_url=here,
            )
        gone = partner_codes.drop_free(coupon.id, staff=current_staff(), wall=clock.wall())
        flash(_n("%(count)s code thrown away.", "%(count)s codes thrown away.", gone), "success")
        return redirect(here)

    def back_url(self) -> str:
        coupon = request.values.get("id", type=int)
        return str(url_for(".index", id=coupon)) if coupon else super().back_url()

    def _coupon(self) -> Coupon:
        found: Coupon | None = Coupon.get_or_none(
            Coupon.id == request.values.get("id", 0, type=int), Coupon.code_kind == LIST
        )
        return found or abort(404)

    def _page(self, coupon: Coupon, typed: str = "", error: str = "") -> str:
        return self.render(
            "admin/coupon_codes.html",
            coupon=coupon,
            left=partner_codes.left(coupon),
            typed=typed,
            error=error,
            most=partner_codes.MOST_AT_ONCE,
            can_edit=self.may("edit"),
        )


def _posted_file() -> str:
    """The text of a file that came along; Excel in Taiwan saves Big5, or UTF-8 with a mark."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return ""
    data = file.stream.read(FILE_BYTES + 1)
    if len(data) > FILE_BYTES:
        raise DomainError(_l("The file is too large."), field="codes")
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "big5"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DomainError(_l("The file is no text. Save it as CSV."), field="codes")


def views() -> list[tuple[Any, str, int]]:
    """The screen; it has no place in the menu of its own."""
    return [(CouponCodesView(_l("Partner’s codes"), endpoint="coupon_codes"), "offers", 13)]
