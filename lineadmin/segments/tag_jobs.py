"""Tagging everybody a list shows: by the worker, in portions, with its progress and a way back.

A job keeps the filters, not the friends: portions walk along the friends' ids and ask the filters
of each few thousand. What a portion changed stands in its part, in the transaction that changed
it, so taking a job back touches exactly those friends. Parts are kept for KEPT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from peewee import SQL

from lineadmin import settings
from lineadmin.db import atomic, one_of
from lineadmin.errors import DomainError
from lineadmin.friends import queries, tags
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.friends.queries import FriendFilter
from lineadmin.friends.tag_archive import archive_tag, unarchive_tag
from lineadmin.i18n import _, _l
from lineadmin.segments.compile import where
from lineadmin.segments.models import TagJob, TagJobPart
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

CHUNK = 2_000
KEPT = timedelta(days=7)
ADD, REMOVE, MERGE = "add", "remove", "merge"
WAITING, DONE, STOPPED, UNDOING, UNDONE = "waiting", "done", "stopped", "undoing", "undone"
LIVE = (WAITING, UNDOING)


def whom(friends: FriendFilter, tree: Any = None) -> dict[str, Any]:
    """The filters of a list as a job keeps them; `tree` is the condition of a segment chosen."""
    return {"filter": vars(friends), "where": tree}


def condition(kept: dict[str, Any], *, now: datetime, per_friend: bool = False) -> Any:
    """The kept filters as a condition on Friend."""
    found = FriendFilter(**kept["filter"]).where()
    if kept["where"] is None:
        return found
    zone = settings.shop_zone()
    return found & where(kept["where"], now=now, zone=zone, per_friend=per_friend)


def start(
    kind: str,
    tag: Tag,
    kept: dict[str, Any],
    *,
    words: dict[str, str],
    total: int,
    staff: Staff,
    now: datetime,
    wall: datetime,
) -> TagJob:
    """Have the worker tag (or untag) everybody whom the filters show.

    :raises DomainError: only its rule sets this tag
    """
    if tag.kind != tags.STATIC:
        raise DomainError(_l("Only its rule sets a dynamic tag."))
    after: dict[str, Any] = {"tag": tag.name, "count": total}
    if words:
        after["filters"] = words
    with atomic():
        job = _make(kind, tag, kept, words=words, total=total, staff=staff, now=now)
        action = "friend.tag" if kind == ADD else "friend.untag"
        audit.record(staff, action, "friend", 0, tag.name, None, after, wall=wall)
    return job


def start_merge(
    tag: Tag,
    into: Tag,
    *,
    used_by: Sequence[str],
    total: int,
    staff: Staff,
    now: datetime,
    wall: datetime,
) -> TagJob:
    """Give everybody with `tag` the other one instead; `tag` is archived in the end.

    :raises DomainError: the tags are the same or not both static, or something names `tag`
    """
    if tag.id == into.id or {tag.kind, into.kind} != {tags.STATIC}:
        raise DomainError(_l("Two different static tags can be merged."))
    if used_by:
        raise DomainError(
            _(
                "“%(name)s” is used by %(what)s. Change that first.",
                name=tag.name,
                what=_(", ").join(used_by),
            )
        )
    kept = whom(FriendFilter(tag_id=tag.id))
    with atomic():
        job = _make(MERGE, tag, kept, words={}, total=total, staff=staff, now=now, into=into.id)
        after = {"into": into.name, "count": total}
        audit.record(staff, "tag.merge", "tag", tag.id, tag.name, None, after, wall=wall)
    return job


def stop(job: TagJob, *, staff: Staff, now: datetime, wall: datetime) -> bool:
    """End a job where it stands; what it did stays, and can be taken back."""
    return _turn(job, (WAITING,), STOPPED, "stop", staff=staff, now=now, wall=wall)


def undo(job: TagJob, *, staff: Staff, now: datetime, wall: datetime) -> bool:
    """Have the worker take back what a job did.

    :raises DomainError: it is too long ago
    """
    if job.finished_at is None or now - job.finished_at >= KEPT:
        raise DomainError(_l("This was too long ago to be taken back."))
    return _turn(job, (DONE, STOPPED), UNDOING, "undo", staff=staff, now=now, wall=wall)


def may_undo(job: TagJob, now: datetime) -> bool:
    """Whether taking it back is offered."""
    ended = job.state in (DONE, STOPPED) and job.finished_at is not None
    return ended and now - job.finished_at < KEPT


def progress(job: TagJob) -> int:
    """How far it is, in percent of everybody."""
    if job.state not in LIVE:
        return 100
    last = Friend.select(Friend.id).order_by(Friend.id.desc()).limit(1).scalar()
    return min(99, 100 * job.cursor // last) if last else 100


def is_due() -> bool:
    """Whether any job waits."""
    waiting: Any = TagJob.select(SQL("1")).where(SQL("state IN ('waiting', 'undoing')"))
    return bool(waiting.exists())


def advance(
    now: datetime, stopping: Callable[[], bool] = lambda: False, *, most: int | None = None
) -> int:
    """Do the next portions; how many. `most` ends it earlier, for a loop with others."""
    done = 0
    while not stopping() and (most is None or done < most):
        live = SQL("state IN ('waiting', 'undoing')")
        job = TagJob.select().where(live).order_by(TagJob.id).first()
        if job is None:
            break
        if job.state == WAITING:
            _next_portion(job, now)
        else:
            _take_back(job, now)
        done += 1
    return done


def _make(
    kind: str,
    tag: Tag,
    kept: dict[str, Any],
    *,
    words: dict[str, str],
    total: int,
    staff: Staff,
    now: datetime,
    into: int | None = None,
) -> TagJob:
    job: TagJob = TagJob.create(
        kind=kind,
        tag=tag,
        into=into,
        tree=kept,
        words=words,
        total=total,
        staff_id=staff.id,
        created_at=now,
    )
    return job


def _turn(
    job: TagJob,
    before: tuple[str, ...],
    after: str,
    verb: str,
    *,
    staff: Staff,
    now: datetime,
    wall: datetime,
) -> bool:
    with atomic():
        won = (
            TagJob.update(state=after, cursor=0 if after == UNDOING else TagJob.cursor)
            .where(TagJob.id == job.id, TagJob.state.in_(before))
            .execute()
        )
        if won:
            TagJob.update(finished_at=now).where(TagJob.id == job.id).execute()
            name, after_words = job.tag.name, {"count": job.changed}
            audit.record(
                staff, f"tag.{verb}", "tag", job.tag_id, name, None, after_words, wall=wall
            )
    return bool(won)


def _next_portion(job: TagJob, now: datetime) -> None:
    window = queries.ids(
        Friend.select(Friend.id).where(Friend.id > job.cursor).order_by(Friend.id).limit(CHUNK)
    )
    with atomic():
        moved = TagJob.update(cursor=window[-1]) if window else _end(DONE, now)
        if not moved.where(
            TagJob.id == job.id, TagJob.state == WAITING, TagJob.cursor == job.cursor
        ).execute():
            return
        if window:
            matching = condition(job.tree, now=now, per_friend=True) & one_of(Friend.id, window)
            _change(job, queries.ids(Friend.select(Friend.id).where(matching)), now)
            return
        if job.kind == MERGE:
            archive_tag(job.tag, now=now)
    _forget_old(now)


def _end(state: str, now: datetime) -> Any:
    return TagJob.update(state=state, finished_at=now)


def _change(job: TagJob, friends: list[int], now: datetime) -> None:
    gave, took = [], []
    if job.kind in (ADD, MERGE):
        gives = job.tag_id if job.kind == ADD else job.into or 0
        gave = sorted(set(friends) - _carrying(gives, friends))
        tags.add_tag_many(gave, gives, at=now)
    if job.kind in (REMOVE, MERGE):
        took = sorted(_carrying(job.tag_id, friends))
        tags.remove_tag_many(took, job.tag_id, at=now)
    if gave or took:
        TagJobPart.create(job=job, friend_ids={"gave": gave, "took": took})
        count = len(took if job.kind == REMOVE else gave)
        TagJob.update(changed=TagJob.changed + count).where(TagJob.id == job.id).execute()


def _carrying(tag_id: int, friends: list[int]) -> set[int]:
    rows = FriendTag.select(FriendTag.friend).where(
        (FriendTag.tag == tag_id) & one_of(FriendTag.friend, friends)
    )
    return set(queries.ids(rows))


def _take_back(job: TagJob, now: datetime) -> None:
    part = TagJobPart.select().where(TagJobPart.job == job).order_by(TagJobPart.id).first()
    with atomic():
        if part is None:
            _end(UNDONE, now).where(TagJob.id == job.id, TagJob.state == UNDOING).execute()
            if job.kind == MERGE:
                unarchive_tag(job.tag)
            return
        if not TagJobPart.delete().where(TagJobPart.id == part.id).execute():
            return
        gave, took = part.friend_ids["gave"], part.friend_ids["took"]
        tags.remove_tag_many(gave, (job.into or 0) if job.kind == MERGE else job.tag_id, at=now)
        tags.add_tag_many(took, job.tag_id, at=now)


def _forget_old(now: datetime) -> None:
    old = TagJob.select(TagJob.id).where(TagJob.finished_at < now - KEPT)
    TagJobPart.delete().where(TagJobPart.job.in_(old)).execute()
