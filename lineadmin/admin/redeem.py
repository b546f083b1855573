"""The counter: scan or type a code, see a clear answer, redeem with one tap, undo soon after."""

from __future__ import annotations

import re
import uuid
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin.base import current_staff, flash_refusals, needs
from lineadmin.admin.redeem_tries import TriesPages
from lineadmin.coupons import benefits, codes, numbers, redeem
from lineadmin.coupons.models import CouponIssue, Redemption
from lineadmin.coupons.redeem import HOW_LABELS, Finding, Outcome, Refused, outcome_label
from lineadmin.coupons.states import State
from lineadmin.coupons.throttle import TooManyTries
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l
from lineadmin.purchases.cells import read_amount

LATEST = 6
UNDO_REASONS = (_l("Pressed by mistake"), _l("The friend changed her mind"), _l("Wrong coupon"))
ADVICE: dict[State | Outcome, Any] = {
    Outcome.UNREADABLE: _l("A code has 12 letters and digits. Please check it and try again."),
    Outcome.UNKNOWN: _l("No coupon of this shop has this code. It may be mistyped or forged."),
    Outcome.SHARED: _l("Everybody has this code. Scan the QR on the friend's page instead."),
    Outcome.FOREIGN: _l("This QR code leads somewhere else. Ask for the coupon from our chat."),
}


class RedeemView(TriesPages):
    """One page for a phone at the counter. Works without JavaScript; the camera needs it."""

    required_permission = "redeem"
    menu_icon = "redeem"

    @expose("/")
    @needs("redeem")
    def index(self) -> str:
        """Ready for the next code; `?done=` shows a redemption and lets it be undone."""
        done = numbers.use_of(request.args.get("done", 0, type=int))
        return self._page(done=done)

    @expose("/check/", methods=("POST",))
    @needs("redeem")
    def check(self) -> Response | str:
        """What was typed or scanned: a code leads to its own address, so it can be reloaded."""
        text = request.form.get("code", "")
        entry = codes.read_entry(text)
        how = redeem.SCAN if request.form.get("how") == redeem.SCAN else redeem.CODE
        known = redeem.find(token=entry.token) if entry.token else None
        code = entry.code or (known.code if known is not None else None)
        if code is not None:
            return redirect(self.get_url(".look_up", code=codes.shown(code), how=how))
        return self._answer(text)

    @expose("/<code>")
    @needs("redeem")
    def look_up(self, code: str) -> Response | str:
        """The answer for one code; also where the QR on a friend's page leads."""
        return self._answer(code, how=request.args.get("how", redeem.SCAN))

    @expose("/use/", methods=("POST",))
    @needs("redeem")
    def use(self) -> Response | str:
        """Redeem. Sent again after a lost connection, the same request is answered the same."""
        issue = CouponIssue.get_or_none(CouponIssue.id == request.form.get("issue", 0, type=int))
        key = request.form.get("request_key", "")
        if issue is None or not re.fullmatch(r"[0-9a-f-]{36}", key):
            abort(400)
        how = redeem.SCAN if request.form.get("how") == redeem.SCAN else redeem.CODE
        typed = request.form.get("amount", "")
        try:
            done = redeem.redeem(
                issue,
                staff=current_staff(),
                how=how,
                request_key=key,
                now=clock.now(),
                wall=clock.wall(),
                amount=read_amount(typed),
                address=request.remote_addr or "",
            )
        except Refused as refused:
            if refused.field == "amount":
                return self._answer(issue.code, how, key=key, typed=typed, refused=refused)
            return self._page(refused=refused)
        except ValueError:  # the key of another copy: not a form of ours
            abort(400)
        return redirect(self.get_url(".index", done=done.redemption.id), 303)

    @expose("/undo/", methods=("POST",))
    @needs("redeem")
    @flash_refusals
    def undo(self) -> Response:
        """Take a redemption back, with a reason."""
        row = Redemption.get_or_none(Redemption.id == request.form.get("id", 0, type=int))
        if row is None:
            abort(404)
        reason = request.form.get("other", "").strip() or request.form.get("reason", "")
        redeem.undo(row, staff=current_staff(), reason=reason, now=clock.now(), wall=clock.wall())
        flash(_("Undone. The coupon can be used again."), "success")
        return redirect(self.get_url(".index", done=row.id))

    def back_url(self) -> str:
        done = request.form.get("id", type=int)
        return str(self.get_url(".index", done=done)) if done else super().back_url()

    def _answer(
        self,
        text: str,
        how: str = redeem.CODE,
        *,
        key: str = "",
        typed: str = "",
        refused: DomainError | None = None,
    ) -> str:
        try:
            found = redeem.check(
                text,
                staff=current_staff(),
                now=clock.now(),
                wall=clock.wall(),
                address=request.remote_addr or "",
            )
        except TooManyTries as blocked:
            return self._page(refused=blocked, typed_code=text)
        return self._page(
            found=found,
            typed_code="" if found.issue is not None else text,
            how=how,
            request_key=key or str(uuid.uuid4()),
            amount=typed,
            refused=refused,
        )

    def _page(
        self,
        *,
        found: Finding | None = None,
        done: numbers.Use | None = None,
        refused: DomainError | None = None,
        typed_code: str = "",
        **more: Any,
    ) -> str:
        now = clock.now()
        return self.render(
            "admin/redeem.html",
            found=found,
            why=_why(found) if found is not None and not found.is_valid else "",
            label=outcome_label(found.outcome) if found is not None else "",
            done=done,
            refused=refused,
            typed_code=typed_code,
            latest=numbers.latest_uses(limit=LATEST),
            may_undo=lambda row: redeem.may_undo(row, now),
            undo_reasons=UNDO_REASONS,
            how_labels=HOW_LABELS,
            benefits=benefits,
            shown=codes.shown,
            **more,
        )


def _why(found: Finding) -> str:
    if found.issue is not None and isinstance(found.outcome, State):
        return redeem.refusal_sentence(found.issue, found.outcome)
    return str(ADVICE[found.outcome])


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    return [(RedeemView(_l("Redeem"), endpoint="redeem"), "offers", 20)]
