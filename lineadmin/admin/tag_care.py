"""Pages of the tags screen beside the list: tidying up, archive, merging, and tagging underway."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.db import atomic
from lineadmin.friends import queries, tags
from lineadmin.friends.models import FriendTag, Tag
from lineadmin.friends.tag_archive import archive_tag, unarchive_tag
from lineadmin.i18n import _, _l, _n, format_datetime
from lineadmin.reports import uses
from lineadmin.reports.tag_care import look
from lineadmin.segments import tag_jobs
from lineadmin.segments.models import TagJob
from lineadmin.staff import audit
from lineadmin.staff.models import Staff
from lineadmin.tasks import doorbell

LATEST_JOBS = 20
STATE_LABELS: dict[str, Any] = {
    tag_jobs.WAITING: _l("Underway"),
    tag_jobs.DONE: _l("Done"),
    tag_jobs.STOPPED: _l("Stopped"),
    tag_jobs.UNDOING: _l("Being taken back"),
    tag_jobs.UNDONE: _l("Taken back"),
}
STATE_KINDS = {tag_jobs.WAITING: "info", tag_jobs.UNDOING: "info", tag_jobs.DONE: "ok"}
# What friends of many shops care about; a shop starts from these and edits them.
INTERESTS: tuple[tuple[Any, str], ...] = (
    (_l("Likes games"), "#7a4bb5"),
    (_l("Likes shopping"), "#c2185b"),
    (_l("Likes travel"), "#1f5fbf"),
    (_l("Cares about money"), "#067a3e"),
    (_l("Likes gadgets"), "#6d7872"),
)


class TagCare:
    """Mixed into the tags view."""

    render: Any
    get_url: Any
    confirm: Any
    confirmed: Any
    get_one: Any

    @expose("/tidy/")
    @needs("view")
    def tidy(self) -> str:
        """Which tags could go; what takes a moment to find comes by script."""
        page: str = self.render(
            "admin/tags_tidy.html",
            care_url=self.get_url(".care"),
            jobs=[(job, *self._told(job)) for job in _latest_jobs()],
        )
        return page

    @expose("/care/")
    @needs("view")
    def care(self) -> str:
        """The findings. A piece of a page."""
        page: str = self.render("admin/_tag_care.html", care=look(clock.now()))
        return page

    @expose("/starters/", methods=("POST",))
    @needs("tag")
    @flash_refusals
    def starters(self) -> Response:
        """Make the starter set of interests, those that are missing."""
        staff, now, wall = current_staff(), clock.now(), clock.wall()
        made = 0
        with atomic():
            for name, color in INTERESTS:
                if not Tag.select().where(Tag.name == str(name)).exists():
                    tags.create_tag(
                        str(name), color=color, kind=tags.DYNAMIC, staff=staff, now=now, wall=wall
                    )
                    made += 1
        flash(_n("%(count)s tag added.", "%(count)s tags added.", made), "success")
        return redirect(self.get_url(".index_view"))

    @expose("/archive/", methods=("POST",))
    @needs("tag")
    @flash_refusals
    def archive(self) -> Response:
        """Offer a tag no more, or again; friends keep it."""
        tag = self._tag()
        back = request.form.get("back") == "1"
        with atomic():
            changed = unarchive_tag(tag) if back else archive_tag(tag, now=clock.now())
            if changed:
                action = "tag.unarchive" if back else "tag.archive"
                audit.record(current_staff(), action, "tag", tag.id, tag.name, wall=clock.wall())
        said = (
            _("“%(name)s” is in the lists again.", name=tag.name)
            if back
            else _("“%(name)s” is archived: no longer offered; friends keep it.", name=tag.name)
        )
        flash(said, "success")
        return redirect(self.get_url(".edit_view", id=tag.id))

    @expose("/merge/", methods=("GET", "POST"))
    @needs("view", post="tag")
    @flash_refusals
    def merge(self) -> Response | str:
        """Ask, then give everybody with one tag the other instead."""
        tag = self._tag()
        into: Tag = self.get_one(request.values.get("into")) or abort(404)
        total = FriendTag.select().where(FriendTag.tag == tag).count()
        users = uses.told(uses.of_tag(tag))
        if not self.confirmed():
            page: str = self.confirm(
                _("Merge “%(one)s” into “%(other)s”?", one=tag.name, other=into.name),
                label=_("Merge"),
                text=_n(
                    "%(count)s friend gets “%(other)s” instead. “%(one)s” is archived then. "
                    "It can be taken back for a week.",
                    "%(count)s friends get “%(other)s” instead. “%(one)s” is archived then. "
                    "It can be taken back for a week.",
                    total,
                    one=tag.name,
                    other=into.name,
                ),
                lines=[_("Used by %(what)s: change that first", what=one) for one in users],
                kind="primary",
                hidden={"id": tag.id, "into": into.id},
                action=self.get_url(".merge"),
                cancel_url=self.get_url(".tidy"),
            )
            return page
        job = tag_jobs.start_merge(
            tag,
            into,
            used_by=users,
            total=total,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )
        doorbell.ring()
        return redirect(self.get_url(".job", id=job.id))

    # --- tagging underway -----------------------------------------------------------------

    @expose("/job/")
    @needs("view")
    def job(self) -> str:
        """How far the tagging of a whole list is."""
        job = _job()
        page: str = self.render("admin/tag_job.html", **self._state(job))
        return page

    @expose("/job/state/")
    @needs("view")
    def job_state(self) -> str:
        """The same as a piece of the page, asked for again and again."""
        page: str = self.render("admin/_tag_job.html", **self._state(_job()))
        return page

    @expose("/job/stop/", methods=("POST",))
    @needs("tag")
    @flash_refusals
    def job_stop(self) -> Response:
        """End it where it is."""
        job = _job()
        tag_jobs.stop(job, staff=current_staff(), now=clock.now(), wall=clock.wall())
        return redirect(self.get_url(".job", id=job.id))

    @expose("/job/undo/", methods=("POST",))
    @needs("tag")
    @flash_refusals
    def job_undo(self) -> Response | str:
        """Take back what it did, after asking."""
        job = _job()
        if not self.confirmed():
            page: str = self.confirm(
                _("Take this back?"),
                label=_("Take it back"),
                text=_n(
                    "Exactly the %(count)s friend whom it changed is changed back.",
                    "Exactly the %(count)s friends whom it changed are changed back.",
                    job.changed,
                ),
                hidden={"id": job.id},
                action=self.get_url(".job_undo"),
                cancel_url=self.get_url(".job", id=job.id),
            )
            return page
        tag_jobs.undo(job, staff=current_staff(), now=clock.now(), wall=clock.wall())
        doorbell.ring()
        return redirect(self.get_url(".job", id=job.id))

    # --- below ----------------------------------------------------------------------------

    def _state(self, job: TagJob) -> dict[str, Any]:
        title, state_label, kind = self._told(job)
        return {
            "job": job,
            "job_title": title,
            "state_label": state_label,
            "state_kind": kind,
            "percent": tag_jobs.progress(job),
            "live": job.state in tag_jobs.LIVE,
            "undoable": tag_jobs.may_undo(job, clock.now()),
            "state_url": self.get_url(".job_state", id=job.id),
            "begun": format_datetime(job.created_at),
            "by": _staff_name(job.staff_id),
            "friends_url": url_for("friends.index_view", tag=job.into or job.tag_id),
        }

    def _told(self, job: TagJob) -> tuple[str, str, str]:
        name = job.tag.name
        if job.kind == tag_jobs.MERGE:
            other = Tag.get_or_none(Tag.id == job.into)
            into = "" if other is None else other.name
            title = _("“%(one)s” merged into “%(other)s”", one=name, other=into)
        elif job.kind == tag_jobs.ADD:
            title = _("Add the tag “%(name)s”", name=name)
        else:
            title = _("Take the tag “%(name)s” off", name=name)
        return title, str(STATE_LABELS[job.state]), STATE_KINDS.get(job.state, "quiet")

    def _tag(self) -> Tag:
        tag: Tag = self.get_one(request.values.get("id")) or abort(404)
        return tag


def no_interests_yet() -> bool:
    """Whether the shop has no dynamic tag: then the starter set is offered."""
    return not any(tag.kind == tags.DYNAMIC for tag in queries.all_tags())


def _job() -> TagJob:
    number = request.values.get("id", 0, type=int)
    job: TagJob = TagJob.get_or_none(TagJob.id == number) or abort(404)
    return job


def _latest_jobs() -> list[TagJob]:
    rows = TagJob.select(TagJob, Tag).join(Tag).order_by(TagJob.id.desc()).limit(LATEST_JOBS)
    return list(rows)


def _staff_name(staff_id: int | None) -> str:
    row = None if staff_id is None else Staff.get_or_none(Staff.id == staff_id)
    return "" if row is None else str(row.name)
