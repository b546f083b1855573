"""Tagging everybody a list shows: in portions, with a way back; merging two tags."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock
from lineadmin.errors import DomainError
from lineadmin.friends import tags
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.friends.queries import FriendFilter
from lineadmin.segments import tag_jobs
from lineadmin.segments.models import TagJob, TagJobPart
from lineadmin.staff.models import Staff
from tests.conftest import NOON
from tests.factories import make_friends, make_staff


@pytest.fixture
def staff(db: Any, monkeypatch: pytest.MonkeyPatch) -> Staff:
    monkeypatch.setattr(tag_jobs, "CHUNK", 4)
    return make_staff("manager")


def new_tag(name: str, **more: Any) -> Tag:
    return tags.create_tag(name, staff=None, now=NOON, wall=clock.wall(), **more)


def start(staff: Staff, kind: str, tag: Tag, friends: FriendFilter, tree: Any = None) -> TagJob:
    kept = tag_jobs.whom(friends, tree)
    how = {"words": {}, "total": 0, "staff": staff, "now": NOON, "wall": NOON}
    return tag_jobs.start(kind, tag, kept, **how)


def carriers(tag: Tag) -> set[int]:
    return {row.friend_id for row in FriendTag.select().where(FriendTag.tag == tag)}


def state(job: TagJob) -> str:
    return str(TagJob.get_by_id(job.id).state)


def test_everybody_the_filters_show_is_tagged_in_portions(staff: Staff) -> None:
    blocked = make_friends(6, status="blocked")
    women = make_friends(6, gender="female")
    make_friends(3, gender="male")
    tag, other = new_tag("封鎖過"), new_tag("女性")
    start(staff, "add", tag, FriendFilter(status="blocked"))
    tree = {"field": "gender", "op": "is", "value": "female"}
    job = start(staff, "add", other, FriendFilter(), tree)
    assert tag_jobs.is_due()
    tag_jobs.advance(NOON, most=1)
    assert carriers(tag) == set(blocked[:4])
    tag_jobs.advance(NOON)
    assert carriers(tag) == set(blocked)
    assert carriers(other) == set(women)
    assert state(job) == "done"
    assert TagJob.get_by_id(job.id).changed == 6
    assert not tag_jobs.is_due()


def test_it_is_taken_back_from_exactly_those_it_changed(staff: Staff) -> None:
    ids = make_friends(9)
    tag = new_tag("常客")
    tags.add_tag_many(ids[:3], tag.id, at=NOON)
    job = start(staff, "add", tag, FriendFilter())
    tag_jobs.advance(NOON)
    assert carriers(tag) == set(ids)
    tag_jobs.undo(TagJob.get_by_id(job.id), staff=staff, now=NOON, wall=NOON)
    tag_jobs.advance(NOON)
    assert carriers(tag) == set(ids[:3])
    assert state(job) == "undone"

    gone = start(staff, "remove", tag, FriendFilter(tag_id=tag.id))
    tag_jobs.advance(NOON)
    assert carriers(tag) == set()
    tag_jobs.undo(TagJob.get_by_id(gone.id), staff=staff, now=NOON, wall=NOON)
    tag_jobs.advance(NOON)
    assert carriers(tag) == set(ids[:3])


def test_stopped_it_keeps_what_it_did_until_it_is_taken_back(staff: Staff) -> None:
    ids = make_friends(9)
    tag = new_tag("常客")
    job = start(staff, "add", tag, FriendFilter())
    tag_jobs.advance(NOON, most=1)
    assert tag_jobs.stop(job, staff=staff, now=NOON, wall=NOON)
    assert not tag_jobs.stop(job, staff=staff, now=NOON, wall=NOON)  # pressed twice
    tag_jobs.advance(NOON)
    assert carriers(tag) == set(ids[:4])
    assert tag_jobs.undo(TagJob.get_by_id(job.id), staff=staff, now=NOON, wall=NOON)
    tag_jobs.advance(NOON)
    assert carriers(tag) == set()


def test_a_week_later_it_is_too_late_and_what_was_kept_for_it_is_gone(staff: Staff) -> None:
    make_friends(3)
    first = start(staff, "add", new_tag("甲"), FriendFilter())
    tag_jobs.advance(NOON)
    later = NOON + tag_jobs.KEPT
    with pytest.raises(DomainError):
        tag_jobs.undo(TagJob.get_by_id(first.id), staff=staff, now=later, wall=later)
    second = start(staff, "add", new_tag("乙"), FriendFilter())
    tag_jobs.advance(later + timedelta(seconds=1))
    assert {part.job_id for part in TagJobPart.select()} == {second.id}


def test_a_dynamic_tag_is_refused(staff: Staff) -> None:
    with pytest.raises(DomainError):
        start(staff, "add", new_tag("行為", kind="dynamic"), FriendFilter())
    assert not TagJob.select().exists()


def test_two_tags_become_one_and_two_again(staff: Staff) -> None:
    ids = make_friends(6)
    one, other = new_tag("愛雙拼"), new_tag("愛吃雙拼")
    tags.add_tag_many(ids[:4], one.id, at=NOON)
    tags.add_tag_many(ids[2:5], other.id, at=NOON)

    def merge(**more: Any) -> TagJob:
        how: dict[str, Any] = {"total": 4, "staff": staff, "now": NOON, "wall": NOON}
        return tag_jobs.start_merge(one, other, **{"used_by": [], **how, **more})

    with pytest.raises(DomainError, match="週一"):
        merge(used_by=["群發「週一」"])
    job = merge()
    tag_jobs.advance(NOON)
    assert carriers(one) == set()
    assert carriers(other) == set(ids[:5])
    assert Tag.get_by_id(one.id).archived_at is not None
    tag_jobs.undo(TagJob.get_by_id(job.id), staff=staff, now=NOON, wall=NOON)
    tag_jobs.advance(NOON)
    assert carriers(one) == set(ids[:4])
    assert carriers(other) == set(ids[2:5])
    assert Tag.get_by_id(one.id).archived_at is None


def test_looking_whether_a_job_waits_reads_an_index_alone(db: Any) -> None:
    if db.__class__.__name__.startswith("Postgres"):
        pytest.skip("the planner of PostgreSQL decides by size")
    plan = db.execute_sql(
        "EXPLAIN QUERY PLAN SELECT 1 FROM tag_job WHERE state IN ('waiting', 'undoing')"
    )
    assert "tagjob_live" in " ".join(str(row[-1]) for row in plan)
    assert Friend.select().count() == 0
