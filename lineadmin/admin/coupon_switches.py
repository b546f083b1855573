"""What is done to a coupon as a whole: paused, closed, put away, linked to, sent to oneself."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, config
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.coupons import actions, numbers
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.states import ACTIVE, CLOSED, PAUSED
from lineadmin.i18n import _, format_count
from lineadmin.messages.rehearsal import send_test


class CouponSwitches:
    """Routes of the coupons screen; each leads back to the coupon."""

    _coupon: Any
    row_url: Any
    get_url: Any
    confirm: Any
    confirmed: Any

    @expose("/state/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def set_state(self) -> Response | str:
        """Pause or resume at once; closing asks first, since it is for good."""
        coupon: Coupon = self._coupon()
        wanted = request.form.get("state", "")
        staff, wall = current_staff(), clock.wall()
        if wanted == CLOSED and not self.confirmed():
            held = numbers.numbers_at(coupon, clock.now()).held
            asked: str = self.confirm(
                _("Close “%(name)s” for good?", name=coupon.title),
                text=_(
                    "Nobody gets it any more, and the %(count)s copies friends still hold stop "
                    "working. To honour those and hand out no more, set “How many” to the number "
                    "handed out instead.",
                    count=format_count(held),
                ),
                label=_("Close for good"),
                hidden={"id": coupon.id, "state": CLOSED},
                action=self.get_url(".set_state"),
                cancel_url=self.row_url(coupon),
            )
            return asked
        change = {PAUSED: actions.pause, ACTIVE: actions.resume, CLOSED: actions.close}.get(wanted)
        if change is None:
            abort(400)
        change(coupon.id, staff=staff, wall=wall)
        said = {
            PAUSED: _("“%(name)s” is paused: it is neither handed out nor redeemed."),
            ACTIVE: _("“%(name)s” is running again."),
            CLOSED: _("“%(name)s” is closed."),
        }[wanted]
        flash(said % {"name": coupon.title}, "success")
        return redirect(self.row_url(coupon))

    @expose("/archive/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def archive(self) -> Response:
        """Put a closed coupon away, or back on the list."""
        coupon: Coupon = self._coupon()
        staff, wall = current_staff(), clock.wall()
        if request.form.get("back") == "1":
            actions.unarchive(coupon.id, staff=staff, wall=wall)
            flash(_("“%(name)s” is on the list again.", name=coupon.title), "success")
        else:
            actions.archive(coupon.id, staff=staff, now=clock.now(), wall=wall)
            flash(_("“%(name)s” was put away.", name=coupon.title), "success")
        return redirect(self.row_url(coupon))

    @expose("/claim-link/", methods=("POST",))
    @needs("edit")
    @flash_refusals
    def claim_link(self) -> Response | str:
        """Make the public claim link, or end it; ending asks first, since posters carry it."""
        coupon: Coupon = self._coupon()
        on = request.form.get("on") == "1"
        if not on and not self.confirmed():
            asked: str = self.confirm(
                _("End the claim link of “%(name)s”?", name=coupon.title),
                text=_("Posters and posts that carry it stop working. A new one is different."),
                label=_("End the link"),
                hidden={"id": coupon.id},
                action=self.get_url(".claim_link"),
                cancel_url=self.row_url(coupon),
            )
            return asked
        actions.set_claim_link(coupon.id, on=on, staff=current_staff(), wall=clock.wall())
        flash(_("The claim link is ready.") if on else _("The claim link has ended."), "success")
        return redirect(self.row_url(coupon))

    @expose("/test/", methods=("POST",))
    @needs("compose")
    @flash_refusals
    def test_send(self) -> Response:
        """Send the card to one's own LINE: a real copy, which counts in stock."""
        coupon: Coupon = self._coupon()
        friend = send_test(
            [{"coupon": coupon.code}],
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
            public_url=config.current().public_url,
        )
        said = _("On its way to your own LINE (%(name)s).", name=friend.display_name)
        flash(said, "success")
        return redirect(self.row_url(coupon))
