"""The friends of a sequence: who comes next, and starting or stopping somebody by hand."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import friend_cells as cells
from lineadmin.admin import listing
from lineadmin.admin.gate import AdminPage, current_staff, flash_refusals, needs
from lineadmin.db import one_of
from lineadmin.errors import DomainError
from lineadmin.friends import queries
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.i18n import _, _l, format_count
from lineadmin.reports.moments import left_because
from lineadmin.segments.models import Segment
from lineadmin.sequences import actions, by_hand, enrolments
from lineadmin.sequences.definition import SEGMENT
from lineadmin.sequences.models import Enlistment, Enrolment, Sequence
from lineadmin.sequences.starts import live_sequences
from lineadmin.tasks import doorbell

PER_PAGE = 50
WAITING = "step-"  # and the number of the step those underway wait for
MOST_FOUND = 8
RUNS_SHOWN = 5


class SequenceFriendsView(AdminPage):
    """Whoever may look friends up sees who is underway; senders start and stop."""

    required_permission = "lookup"
    in_menu = False

    @expose("/")
    def index(self) -> Response:
        """Which step messages? The list knows."""
        return redirect(self.get_url("sequences.index"))

    @expose("/<int:sequence_id>/")
    def page(self, sequence_id: int) -> str:
        """Whose turn comes next, and the ways to start more."""
        row = _sequence(sequence_id)
        search = request.args.get("search", "").strip()[:200]
        filters = (_who_filter(row),)
        chosen = listing.chosen_filters(filters, request.args)
        who = chosen.get("who", enrolments.ACTIVE)
        query = runs_of(row.id, who)
        runs, previous, following = order_of(who).page(
            query, PER_PAGE, after=request.args.get("after"), before=request.args.get("before")
        )

        def address(**cursor: str) -> str:
            return str(self.get_url(".page", sequence_id=row.id, **chosen, **cursor))

        return self.render(
            "admin/sequence_friends.html",
            sequence=row,
            people=_people(runs),
            filters=listing.drawn_filters(filters, chosen),
            ended=who in (enrolments.FINISHED, enrolments.STOPPED),
            filtered=bool(chosen),
            total=listing.count_label(listing.bounded_count(query)),
            page=listing.Page(
                rows=runs,
                previous=address(before=previous) if previous else None,
                next=address(after=following) if following else None,
                first=address() if request.args.get("after") else None,
            ),
            search=search,
            found=_found(search) if search else [],
            segments=_segments(),
            chosen=_segment_of(row),
            enlistments=_enlistments(row),
            may_send=self.may("send"),
        )

    @expose("/<int:sequence_id>/start/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def start(self, sequence_id: int) -> Response:
        """Put one friend underway."""
        return self._start(_sequence(sequence_id))

    @expose("/start/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def start_here(self) -> Response:
        """The same from her own page, where the sequence is chosen."""
        number = request.form.get("sequence", 0, type=int)
        row = Sequence.get_or_none(Sequence.id == number)
        if row is None:
            raise DomainError(_l("Choose step messages first."))
        return self._start(row)

    def _start(self, row: Sequence) -> Response:
        friend = _friend()
        by_hand.start_friend(
            row.id, friend, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(
            _("%(name)s starts “%(sequence)s”.", name=cells.name_of(friend), sequence=row.name),
            "success",
        )
        return redirect(self.back_url())

    @expose("/<int:sequence_id>/stop/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def stop(self, sequence_id: int) -> Response | str:
        """Let one friend leave, after asking."""
        row, friend = _sequence(sequence_id), _friend()
        name = cells.name_of(friend)
        if not self.confirmed():
            return self.confirm(
                _("Stop “%(sequence)s” for %(name)s?", sequence=row.name, name=name),
                text=_("She gets no more of it, and does not start it again by herself."),
                label=_("Stop"),
                hidden={"friend": friend.id, "url": self.back_url()},
                cancel_url=self.back_url(),
            )
        by_hand.stop_friend(
            row.id, friend, staff=current_staff(), now=clock.now(), wall=clock.wall()
        )
        flash(_("“%(sequence)s” is stopped for %(name)s.", sequence=row.name, name=name), "success")
        return redirect(self.back_url())

    @expose("/<int:sequence_id>/segment/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def enlist(self, sequence_id: int) -> Response | str:
        """Start everybody of a segment, after saying how many that are."""
        row = _sequence(sequence_id)
        segment = Segment.get_or_none(Segment.id == request.form.get("segment", 0, type=int))
        if segment is None:
            raise DomainError(_l("Choose a segment first."))
        tree = {"field": "segment", "op": "is", "value": segment.name}
        count = by_hand.count_for(row.id, tree, now=clock.now())
        if not self.confirmed():
            return self.confirm(
                _(
                    "Start “%(sequence)s” for %(count)s friends?",
                    sequence=row.name,
                    count=format_count(count),
                ),
                text=_(
                    "Everybody in “%(segment)s” who has not been in it before. Their days count "
                    "from today; every step is a message that counts.",
                    segment=segment.name,
                ),
                label=_("Start for all of them"),
                kind="primary",
                hidden={"segment": segment.id},
                cancel_url=self._address(row),
            )
        if not count:
            raise DomainError(_l("There is nobody in it who could start."))
        by_hand.enlist(
            row.id,
            tree,
            segment.name,
            expected=count,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )
        doorbell.ring()
        flash(_("They are being started."), "success")
        return redirect(self._address(row))

    @expose("/<int:sequence_id>/segment/stop/", methods=("POST",))
    @needs("send")
    @flash_refusals
    def stop_enlisting(self, sequence_id: int) -> Response:
        """Start nobody more; who has started stays underway."""
        row = _sequence(sequence_id)
        by_hand.stop_enlistment(
            request.form.get("enlistment", 0, type=int),
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )
        return redirect(self._address(row))

    def back_url(self) -> str:
        sequence_id = (request.view_args or {}).get("sequence_id")
        if "url" not in request.form and "url" not in request.args and sequence_id:
            return str(self.get_url(".page", sequence_id=sequence_id))
        return super().back_url()

    def _address(self, row: Sequence) -> str:
        return str(self.get_url(".page", sequence_id=row.id))


def startable(friend: Friend) -> list[tuple[int, str]]:
    """The sequences at work that staff could start for a friend, by name."""
    if friend.status == BLOCKED:
        return []
    found = [(live.row.id, live.row.name) for live in live_sequences()]
    return sorted(found, key=lambda one: one[1])


def _sequence(sequence_id: int) -> Sequence:
    row: Sequence = Sequence.get_or_none(Sequence.id == sequence_id) or abort(404)
    return row


def _friend() -> Friend:
    friend: Friend | None = Friend.get_or_none(Friend.id == request.form.get("friend", 0, type=int))
    if friend is None:
        raise DomainError(_l("Choose a friend first."))
    return friend


def runs_of(sequence_id: int, who: str) -> Any:
    """The runs of one sequence that a choice of the filter shows."""
    mine = Enrolment.select().where(Enrolment.sequence == sequence_id)
    if who.startswith(WAITING):
        return mine.where(enrolments.active(), Enrolment.step == int(who[len(WAITING) :]) - 1)
    return mine.where(enrolments.active() if who == enrolments.ACTIVE else Enrolment.state == who)


def order_of(who: str) -> listing.Keyset:
    """Whose turn comes next first; of those who wait for nothing, the newest."""
    if who == enrolments.ACTIVE or who.startswith(WAITING):
        return listing.Keyset(Enrolment.next_at, Enrolment.id)
    return listing.Keyset(Enrolment.id, Enrolment.id, descending=True)


def _who_filter(row: Sequence) -> listing.Filter:
    branches = actions.live_definition(row).branches
    most = max((len(branch.steps) for branch in branches), default=0)
    choices = [
        *(
            (f"{WAITING}{number}", _("Waiting for step %(number)s", number=number))
            for number in range(1, most + 1)
        ),
        (enrolments.FINISHED, _("Finished")),
        (enrolments.STOPPED, _("Left before the end")),
        (enrolments.HELD, _("On hold")),
    ]
    return listing.Filter("who", _l("Show"), choices, lambda query, _value: query, _l("Underway"))


def _people(runs: list[Enrolment]) -> list[dict[str, Any]]:
    friends = {
        one.id: one for one in Friend.select().where(one_of(Friend.id, [r.friend_id for r in runs]))
    }
    return [
        {
            "run": run,
            "friend": friend,
            "name": cells.name_of(friend),
            "why": left_because(run.reason) if run.reason else "",
        }
        for run in runs
        if (friend := friends.get(run.friend_id)) is not None
    ]


def _found(search: str) -> list[tuple[int, str]]:
    rows = Friend.select().where(queries.named_few(search)).limit(MOST_FOUND)
    return [(row.id, cells.name_of(row)) for row in rows]


def _segments() -> list[tuple[int, str]]:
    rows = Segment.select().where(Segment.archived_at.is_null()).order_by(Segment.name)
    return [(row.id, row.name) for row in rows]


def _segment_of(row: Sequence) -> str:
    trigger = actions.live_definition(row).trigger
    return trigger.about if trigger.kind == SEGMENT else ""


def _enlistments(row: Sequence) -> list[Enlistment]:
    return list(
        Enlistment.select()
        .where(Enlistment.sequence == row.id)
        .order_by(Enlistment.id.desc())
        .limit(RUNS_SHOWN)
    )


def views() -> list[tuple[Any, str, int]]:
    """The screen; the sequence's other pages lead to it."""
    name, address = _l("Friends underway"), "/admin/sequence-friends"
    view = SequenceFriendsView(name, endpoint="sequence_friends", url=address)
    return [(view, "messages", 22)]
