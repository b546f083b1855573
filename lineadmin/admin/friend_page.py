"""One friend's page: what happened, what is known, her tags, her wish about notifications."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin import friend_cells as cells
from lineadmin.admin import friend_form, friend_story, friend_topics, sequence_friends, two_tabs
from lineadmin.admin.friend_answer import FriendAnswer, find_friend
from lineadmin.admin.friend_notice import FriendNotice
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends import attributes, consent, queries, tags
from lineadmin.friends.models import Friend, Tag
from lineadmin.i18n import _, _l
from lineadmin.members import points
from lineadmin.members.actions import of_friend
from lineadmin.members.setup import setup
from lineadmin.reports import underway
from lineadmin.reports.timeline import Cursor
from lineadmin.staff import audit


class FriendPage(FriendNotice, FriendAnswer):
    """The pages of one friend, of the friends screen."""

    edit_template: str
    _form_page: Any
    validate_form: Any

    @expose("/<int:friend_id>/")
    @needs("lookup")
    def page(self, friend_id: int) -> str:
        """Her page; `before` pages the timeline back."""
        return self.draw_page(find_friend(friend_id))

    def draw_page(self, friend: Friend, draft: str = "", error: str = "") -> str:
        """Her page, with what was typed into the answer box and why it was not sent."""
        now = clock.now()
        before = Cursor.parse(request.args.get("before"))
        days, older = friend_story.days(friend, before, now)
        hers = queries.tags_of([friend.id]).get(friend.id, [])
        taken = {tag.id for tag in hers}
        member = of_friend(friend.id)
        drawn: str = self.render(
            "admin/friend.html",
            friend=friend,
            name=cells.name_of(friend),
            face=cells.face(friend, "large"),
            status=(cells.STATUS_KINDS.get(friend.status, ""), queries.STATUSES[friend.status]),
            tags=hers,
            more_tags=[
                tag for tag in queries.all_tags() if tag.kind == tags.STATIC and tag.id not in taken
            ],
            days=days,
            older=self._address(friend, before=str(older)) if older else "",
            newest=self._address(friend) if before else "",
            facts=friend_story.facts(friend, now),
            coupons=friend_story.coupons(friend.id, now),
            bought=friend_story.purchases(friend.id),
            topics=friend_topics.rows(friend.id, now),
            runs=underway.runs_of(friend),
            member=member,
            member_points=0 if member is None else points.balance(member.id, now),
            members_on=setup().enabled,
            startable=sequence_friends.startable(friend),
            by_estimate=Broadcast.select().where(Broadcast.estimated.is_null(False)).exists(),
            answering=self.answer_box(friend, draft, error),
        )
        return drawn

    @expose("/<int:friend_id>/tag/", methods=("POST",))
    @needs("tag")
    @flash_refusals
    def add_tag(self, friend_id: int) -> Response:
        """Tag her."""
        return self._tag(find_friend(friend_id), add=True)

    @expose("/<int:friend_id>/untag/", methods=("POST",))
    @needs("tag")
    @flash_refusals
    def remove_tag(self, friend_id: int) -> Response:
        """Take a tag off her."""
        return self._tag(find_friend(friend_id), add=False)

    def _tag(self, friend: Friend, *, add: bool) -> Response:
        tag = Tag.get_or_none(Tag.id == request.form.get("tag", 0, type=int))
        if tag is None:
            raise DomainError(_l("Choose a tag first."))
        if tag.kind != tags.STATIC:
            raise DomainError(_l("Only its rule sets a dynamic tag."))
        change = tags.add_tag if add else tags.remove_tag
        if change(friend.id, tag.id, at=clock.now()):
            audit.record(
                current_staff(),
                "friend.tag" if add else "friend.untag",
                "friend",
                friend.id,
                friend.display_name,
                None if add else {"tag": tag.name},
                {"tag": tag.name} if add else None,
                wall=clock.wall(),
            )
        return redirect(self._address(friend))

    @expose("/<int:friend_id>/notify/", methods=("POST",))
    @needs("edit")
    def notify(self, friend_id: int) -> Response | str:
        """Stop step messages and broadcasts to her, or allow them again; asks first."""
        friend = find_friend(friend_id)
        name, stop = cells.name_of(friend), request.form.get("stop") == "1"
        if not self.confirmed():
            page: str = self.confirm(
                _("Send %(name)s no more notifications?", name=name)
                if stop
                else _("Notify %(name)s again?", name=name),
                text=_("She gets no broadcasts and no step messages. She can still write to us.")
                if stop
                else _("Do this only if she asked for it: she said she wants no notifications."),
                label=_("Stop notifications") if stop else _("Allow notifications"),
                kind="danger" if stop else "primary",
                hidden={"stop": "1" if stop else "0"},
                cancel_url=self._address(friend),
            )
            return page
        at, staff, wall = clock.now(), current_staff(), clock.wall()
        change = consent.opt_out if stop else consent.opt_in
        change(friend.id, by=consent.BY_STAFF, at=at, wished_at=wall, staff=staff)
        said = (
            _("%(name)s gets no more broadcasts and step messages.", name=name)
            if stop
            else _("%(name)s gets broadcasts and step messages again.", name=name)
        )
        flash(said, "success")
        return redirect(self._address(friend))

    @expose("/<int:friend_id>/edit/", methods=("GET", "POST"))
    @needs("edit")
    def edit_friend(self, friend_id: int) -> Response | str:
        """Correct what is known about her; a save on top of somebody else's is told, not done."""
        friend = find_friend(friend_id)
        make = friend_form.form_class()
        form = make(request.form or None, data=friend_form.stored(friend))
        version, note = friend.version, None
        if request.method == "POST":
            version = two_tabs.posted_version(version)
        if self.validate_form(form):
            try:
                if self._save(form, friend, version):
                    return redirect(self._address(friend))
            except Conflict:
                friend = find_friend(friend_id)
                newest = make(data=friend_form.stored(friend))
                note = two_tabs.merge(form, newest, kind="friend", object_id=friend.id)
                version = friend.version
        started = make(data=friend_form.stored(friend))
        answer: Response | str = self._form_page(
            "admin/friend_edit.html",
            form,
            heading=_("What is known about %(name)s", name=cells.name_of(friend)),
            model=friend,
            friend_url=self._address(friend),
            conflict=note,
            edit_hidden=two_tabs.hidden_fields(started, version),
            status=409 if note else 200,
        )
        return answer

    def _save(self, form: Any, friend: Friend, version: int) -> bool:
        """:raises Conflict: somebody else saved first"""
        try:
            changes, own = friend_form.read(form, clock.now())
            saved = attributes.edit_friend(
                friend,
                changes,
                own,
                version=version,
                staff=current_staff(),
                now=clock.now(),
                wall=clock.wall(),
            )
        except Conflict:
            raise
        except DomainError as error:
            if not friend_form.refuse(form, error):
                flash(str(error), "error")
            return False
        flash(_("Saved.") if saved else _("Nothing was different."), "success")
        return True
