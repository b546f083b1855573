"""One broadcast after it was confirmed: what became of it, and what can still be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, config, segments
from lineadmin.admin.broadcast_results import blocker_words, changed, line_numbers, results
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.admin.narrow_report import ENGAGED, engaged_request, narrow_results
from lineadmin.admin.table import Table
from lineadmin.audiences import actions as audiences
from lineadmin.broadcasts import approval, control, estimated, narrow, states
from lineadmin.broadcasts.confirm import cancel_broadcast, sum_of
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.topic import is_subscribers
from lineadmin.broadcasts.variants import LETTERS, versions_of
from lineadmin.friends.models import Friend
from lineadmin.friends.queries import named_few
from lineadmin.i18n import _, _l, format_count
from lineadmin.messages.preview import preview
from lineadmin.outbox import reasons
from lineadmin.outbox.models import DeliveryState, OriginKind
from lineadmin.reports import changes, why
from lineadmin.reports.broadcast import outcome
from lineadmin.segments.tree import TreeError
from lineadmin.staff.models import Staff
from lineadmin.topics.models import Topic

WHY_ROWS = 20
MOVING = (states.SCHEDULED, states.PLANNING, states.SENDING, states.STOPPING)


class BroadcastReport(Table):
    """The report and its buttons; mixed into the view of broadcasts."""

    @expose("/<int:broadcast_id>/")
    def report(self, broadcast_id: int) -> str | Response:
        """What became of it, and what can still be done."""
        row = row_or_404(broadcast_id)
        now = clock.now()
        seconds = 0
        if row.state == states.SCHEDULED and row.leaves_at is not None:
            seconds = max(0, int((row.leaves_at - now).total_seconds()))
        found = outcome(row.id)
        told = results(row, found, now=now)
        narrowed = narrow_results(row, line_numbers(row) if row.estimated is not None else None)
        return self.render(
            "admin/broadcast.html",
            broadcast=row,
            results=told,
            changes=changed(changes.numbers(row, found)) if told is None else told["changes"],
            narrow=narrowed,
            line_has_it=row.estimated is not None and narrow.line_has_it(row.id),
            friend_url=_friend_url,
            may_lookup=self.may("lookup"),
            blocker_words=blocker_words,
            state=(states.KINDS.get(row.state, ""), states.label(row.state)),
            audience=audience_words(row),
            outcome=found,
            deliveries=_deliveries(row.id),
            reason=reasons.label,
            state_of=_outcome_label,
            seconds=seconds,
            undo_over=seconds <= 0,
            moving=row.state in MOVING,
            confirmed_by=_staff_name(row.confirmed_by),
            pause=_pause_sentence(row),
            versions=versions_shown(row),
            approver=_staff_name(row.approved_by),
            may_approve=row.state == states.APPROVAL and approval.may_approve(row, current_staff()),
            told=sum_of(row, now=now) if row.state == states.APPROVAL else None,
            may_send=self.may("send"),
            may_compose=self.may("compose"),
            may_restore=self.may("restore"),
            states=states,
        )

    @expose("/<int:broadcast_id>/engaged/", methods=("POST",))
    @needs("compose")
    @flash_refusals
    def engaged(self, broadcast_id: int) -> Response:
        """Have LINE make an audience of who saw or tapped it."""
        row = row_or_404(broadcast_id)
        request_id, kind = engaged_request(row), request.form.get("kind", "")
        if not request_id or kind not in ENGAGED:
            abort(404)
        made = audiences.create_engaged(
            row.id,
            kind,
            request_id,
            f"{row.name}・{ENGAGED[kind]}",
            staff=current_staff(),
            wall=clock.wall(),
        )
        flash(_("LINE is asked to make “%(name)s”.", name=made.name), "success")
        return redirect(self.address(".report", row.id))

    @expose("/<int:broadcast_id>/changes/")
    @needs("lookup")
    def changes_view(self, broadcast_id: int) -> str:
        """Who changed between confirming and sending."""
        row = row_or_404(broadcast_id)
        found = changed(changes.people(row))
        if found is None:
            abort(404)
        return self.render(
            "admin/broadcast_changes.html",
            broadcast=row,
            found=found,
            friend_url=_friend_url,
            may_lookup=True,
        )

    @expose("/<int:broadcast_id>/why/")
    @needs("lookup")
    def why_view(self, broadcast_id: int) -> str:
        """Why the friends of a name did or did not get this broadcast."""
        row = row_or_404(broadcast_id)
        asked = " ".join(request.args.get("name", "").split())
        found = Friend.select().where(named_few(asked)).order_by(Friend.id).limit(WHY_ROWS + 1)
        friends = list(found) if asked else []
        now = clock.now()
        return self.render(
            "admin/broadcast_why.html",
            broadcast=row,
            friend=None,
            asked=asked,
            answers=[
                (
                    one.display_name or _("Unnamed"),
                    _friend_url(one.id),
                    why.about(one, row, now=now),
                )
                for one in friends[:WHY_ROWS]
            ],
            too_many=len(friends) > WHY_ROWS,
        )

    @expose("/of_friend/<int:friend_id>/")
    @needs("lookup")
    def of_friend(self, friend_id: int) -> str:
        """The latest broadcasts, and why this friend did or did not get each."""
        friend = Friend.get_or_none(Friend.id == friend_id) or abort(404)
        latest = Broadcast.select().where(Broadcast.plan_whole_at.is_null(False))
        now = clock.now()
        return self.render(
            "admin/broadcast_why.html",
            broadcast=None,
            friend=friend,
            asked="",
            answers=[
                (row.name, self.address(".report", row.id), why.about(friend, row, now=now))
                for row in latest.order_by(Broadcast.id.desc()).limit(WHY_ROWS)
            ],
            too_many=False,
        )

    @expose("/<int:broadcast_id>/cancel/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def cancel(self, broadcast_id: int) -> Response:
        """Take it back while nothing has left."""
        cancel_broadcast(broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        flash(_("Taken back. Nothing was sent; it is a draft again."), "success")
        return redirect(self.address(".edit_view", broadcast_id))

    @expose("/<int:broadcast_id>/approve/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def approve(self, broadcast_id: int) -> Response:
        """A second person agrees to what the page showed."""
        approval.approve(
            broadcast_id,
            seen_hash=request.form.get("seen_hash", ""),
            expected=request.form.get("expected", default=-1, type=int),
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )
        flash(_("Approved. The undo window runs now."), "success")
        return redirect(self.address(".report", broadcast_id))

    @expose("/<int:broadcast_id>/send_back/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def send_back(self, broadcast_id: int) -> Response:
        """A second person wants something changed first."""
        note = request.form.get("note", "")
        now, wall = clock.now(), clock.wall()
        approval.send_back(broadcast_id, note, staff=current_staff(), now=now, wall=wall)
        flash(_("Sent back. It is a draft again."), "success")
        return redirect(self.address(".report", broadcast_id))

    @expose("/<int:broadcast_id>/pause/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def pause(self, broadcast_id: int) -> Response:
        """Hold the rest."""
        return self._done(broadcast_id, control.pause, _("Paused. Nothing more leaves for now."))

    @expose("/<int:broadcast_id>/resume/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def resume(self, broadcast_id: int) -> Response:
        """Let the rest go."""
        return self._done(broadcast_id, control.resume, _("It goes on."))

    @expose("/<int:broadcast_id>/stop/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def stop(self, broadcast_id: int) -> Response | str:
        """Take the rest back for good, after asking."""
        row = row_or_404(broadcast_id)
        if not self.confirmed():
            found = outcome(row.id)
            return self.confirm(
                _("Stop “%(name)s”?", name=row.name),
                text=_("Those who have it keep it. Nobody else gets it, and it cannot go on."),
                lines=[
                    _("%(count)s have it", count=format_count(found.sent)),
                    _("%(count)s would still get it", count=format_count(found.waiting)),
                ],
                label=_("Stop the rest"),
                cancel_url=self.address(".report", row.id),
            )
        return self._done(row.id, control.stop, _("The rest is being taken back."))

    @expose("/<int:broadcast_id>/late/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def send_late(self, broadcast_id: int) -> Response:
        """Send what the server slept through."""
        control.send_late(broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        return redirect(self.address(".report", broadcast_id))

    @expose("/<int:broadcast_id>/drop/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def drop(self, broadcast_id: int) -> Response:
        """Give up what is late or on hold."""
        control.drop(broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        flash(_("Given up. It will not be sent."), "success")
        return redirect(self.address(".report", broadcast_id))

    @expose("/<int:broadcast_id>/release/", methods=("POST",))
    @needs("restore")
    @flash_refusals
    def release(self, broadcast_id: int) -> Response:
        """Let go on what a restore put on hold."""
        control.release(broadcast_id, staff=current_staff(), now=clock.now(), wall=clock.wall())
        return redirect(self.address(".report", broadcast_id))

    def address(self, route: str, broadcast_id: int, **more: Any) -> str:
        """The address of a page of one broadcast."""
        return str(self.get_url(route, broadcast_id=broadcast_id, **more))

    def _done(self, broadcast_id: int, act: Callable[..., Any], said: str) -> Response:
        act(broadcast_id, staff=current_staff(), wall=clock.wall())
        flash(said, "success")
        return redirect(self.address(".report", broadcast_id))


def row_or_404(broadcast_id: int) -> Broadcast:
    """The broadcast of an address."""
    row: Broadcast = Broadcast.get_or_none(Broadcast.id == broadcast_id) or abort(404)
    return row


def audience_words(row: Broadcast) -> str:
    """Whom it is for, as a sentence."""
    if row.estimated is not None:
        return estimated.sentence(row.estimated)
    if row.audience is None:
        return _("not chosen yet")
    code = is_subscribers(row.audience)
    if code is not None:
        name = Topic.select(Topic.name).where(Topic.code == code).scalar() or code
        return _("subscribers of “%(topic)s”", topic=name)
    try:
        return segments.sentence(row.audience)
    except TreeError as error:
        return str(error)


def phone(parts: Any) -> list[dict[str, Any]]:
    """The message as a phone shows it."""
    shown = preview(parts, now=clock.now(), public_url=config.current().public_url)
    return shown.messages


def versions_shown(row: Broadcast) -> list[dict[str, Any]]:
    """Every version with its letter and how a phone shows it."""
    return [
        {"letter": letter, "messages": phone(parts)}
        for letter, parts in zip(LETTERS, versions_of(row), strict=False)
    ]


def _friend_url(friend_id: int) -> str:
    return url_for("friends.page", friend_id=friend_id)


def _deliveries(broadcast_id: int) -> Callable[..., str]:
    """Addresses of the deliveries of this broadcast, narrowed by state and reason."""
    program = f"{int(OriginKind.BROADCAST)}-{broadcast_id}"
    return lambda **narrow: url_for("deliveries.index_view", program=program, **narrow)


def _outcome_label(state: DeliveryState) -> str:
    words = {
        DeliveryState.SKIPPED: _l("Left out"),
        DeliveryState.FAILED: _l("Failed"),
        DeliveryState.CANCELED: _l("Cancelled"),
    }
    return str(words[state])


def _staff_name(staff_id: int | None) -> str:
    row = None if staff_id is None else Staff.get_or_none(Staff.id == staff_id)
    return "" if row is None else str(row.name)


def _pause_sentence(row: Broadcast) -> str:
    if row.pause_reason == reasons.QUOTA:
        return _("This month's messages are used up. It goes on by itself when there are more.")
    if row.estimated is not None and row.pause_reason not in ("", "staff"):
        return ""  # told at length below
    if row.pause_reason == reasons.REFUSED:
        return _("LINE refuses this message. Stop it, mend a copy, and send that.")
    return _("Paused by staff.") if row.state == states.PAUSED else ""
