"""Answering a friend: free while LINE still takes a reply, else as a message that counts."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, config, settings
from lineadmin.admin import friend_cells as cells
from lineadmin.admin.at_line import at_line
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.i18n import _, _l, format_twd
from lineadmin.inbox import messages
from lineadmin.inbox.models import InboundMessage
from lineadmin.inbox.queries import answerable, open_of
from lineadmin.line.limits import TEXT_UNITS
from lineadmin.outbox import quota, reasons
from lineadmin.outbox.replies import TOKEN_IS_GOOD_FOR, ReplyOutcome
from lineadmin.replies import staff_answer
from lineadmin.settings.cost import cost
from lineadmin.tasks import doorbell


def find_friend(friend_id: int) -> Friend:
    """The friend of an address; an unknown one is no page."""
    friend: Friend | None = Friend.get_or_none(Friend.id == friend_id)
    if friend is None:
        abort(404)
    return friend


class FriendAnswer:
    """The answer box of a friend's page."""

    render: Any
    get_url: Any
    may: Any
    confirm: Any
    confirmed: Any

    def draw_page(self, friend: Friend, draft: str = "", error: str = "") -> str:
        """Her page with what was typed into the box, and why it was not sent."""
        raise NotImplementedError

    def answer_box(self, friend: Friend, draft: str = "", error: str = "") -> dict[str, Any] | None:
        """What the box shows; None for those who may not answer, and where LINE would not deliver
        anything."""
        if not self.may("send") or friend.status == BLOCKED:
            return None
        newest = open_of(friend.id)
        token = answerable(friend.id, wall=clock.wall(), good_for=TOKEN_IS_GOOD_FOR)
        return {
            "draft": draft,
            "error": error,
            "number": secrets.randbelow(2**31 - 1) + 1,
            "seconds": _seconds_left(token) if token else 0,
            "price": price_of_one(clock.now()),
            "most": TEXT_UNITS,
            "waiting": newest,
        }

    @expose("/<int:friend_id>/answer/", methods=("POST",))
    @needs("send")
    def answer(self, friend_id: int) -> Response | str:
        """Answer her: free where that is possible right now, else ask and send as a push."""
        friend = find_friend(friend_id)
        text = request.form.get("text", "")
        try:
            parts = staff_answer.parts_of(text, now=clock.now(), public_url=_public_url())
            outcome = self._free(friend, parts)
            if outcome is None or (outcome.dropped and outcome.reason == reasons.TOKEN_EXPIRED):
                return self._push(friend, parts, text)
        except DomainError as error:
            return self.draw_page(friend, draft=text, error=str(error))
        if outcome.dropped:
            return self.draw_page(friend, draft=text, error=reasons.label(outcome.reason))
        if outcome.sent:
            _answered(friend)
            flash(_("Answered, free."), "success")
        else:
            flash(
                _("LINE gave no answer: she may have got it or not. Ask her before sending again."),
                "warning",
            )
        return redirect(self._address(friend))

    @expose("/<int:friend_id>/done/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def done(self, friend_id: int) -> Response:
        """Nothing more to say to what she wrote so far."""
        friend = find_friend(friend_id)
        closed = messages.close(
            friend.id,
            staff=current_staff(),
            label=friend.display_name,
            at=clock.now(),
            wall=clock.wall(),
            up_to=request.form.get("up_to", 0, type=int),
        )
        if closed:
            flash(_("Marked as done."), "success")
        return redirect(self._address(friend))

    def _free(self, friend: Friend, parts: list[dict[str, Any]]) -> ReplyOutcome | None:
        wall = clock.wall()
        token = answerable(friend.id, wall=wall, good_for=TOKEN_IS_GOOD_FOR)
        if token is None or token.token_at is None:
            return None
        with at_line() as gateway:
            return staff_answer.answer_free(
                friend,
                parts,
                reply_token=token.reply_token,
                token_at=token.token_at,
                staff=current_staff(),
                gateway=gateway,
                public_url=_public_url(),
                now=clock.now(),
                wall=wall,
            )

    def _push(self, friend: Friend, parts: list[dict[str, Any]], text: str) -> Response | str:
        number = request.form.get("number", 0, type=int)
        if not 0 < number < 2**31:
            raise DomainError(_l("Please send it again."))
        if not self.confirmed():
            page: str = self.confirm(
                _("Send %(name)s this message?", name=cells.name_of(friend)),
                text=_told_price(),
                lines=[line for line in text.splitlines() if line.strip()],
                label=_("Send"),
                kind="primary",
                hidden={"text": text, "number": number, "up_to": request.form.get("up_to", "")},
                cancel_url=self._address(friend),
            )
            return page
        staff_answer.answer_push(
            friend,
            parts,
            number=number,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )
        _answered(friend)
        doorbell.ring()
        flash(_("The message is on its way; the timeline shows what becomes of it."), "success")
        return redirect(self._address(friend))

    def _address(self, friend: Friend, **more: Any) -> str:
        return str(self.get_url(".page", friend_id=friend.id, **more))


def _answered(friend: Friend) -> None:
    """What she wrote after staff opened the page still waits."""
    up_to = request.form.get("up_to", 0, type=int)
    messages.mark_answered(friend.id, at=clock.now(), up_to=up_to)


def price_of_one(now: datetime) -> str:
    """What one more message costs this month, in words as short as a label."""
    meter = quota.meter(now)
    price = cost(1, used=meter.used + meter.reserved + meter.unknown, shop=settings.shop())
    if price.sold_out or meter.left == 0:
        return _("uses 1 message; this month's are used up")
    if price.twd:
        return _("uses 1 message (about %(twd)s)", twd=format_twd(price.twd))
    if price.twd == 0:
        return _("uses 1 message of the plan")
    return _("uses 1 message")


def _told_price() -> str:
    told = _("LINE takes no free reply any more: this %(price)s.", price=price_of_one(clock.now()))
    if quota.remaining(clock.now()) == 0:
        told += _("It waits up to 24 hours for messages to be left.")
    return told


def _seconds_left(token: InboundMessage) -> int:
    if token.token_at is None:
        return 0
    left = TOKEN_IS_GOOD_FOR - (clock.wall() - token.token_at)
    return max(0, int(left.total_seconds()))


def _public_url() -> str | None:
    return config.current().public_url
