"""Tags on one friend and on many."""

from datetime import timedelta

import pytest

from lineadmin import clock
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends import actions, queries, tags
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.journal.models import Fact
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import make_friend, make_friends, make_staff


def new_tag(name="愛吃雙拼", **more):
    return tags.create_tag(name, staff=None, now=NOON, wall=clock.wall(), **more)


def facts(kind):
    return Fact.select().where(Fact.kind == kind).count()


def test_a_tag_is_added_once_with_its_history(db):
    hana, tag = make_friend(), new_tag()
    assert actions.add_tag(hana.id, tag.id, at=NOON)
    assert not actions.add_tag(hana.id, tag.id, at=NOON)
    assert actions.remove_tag(hana.id, tag.id, at=NOON)
    assert not actions.remove_tag(hana.id, tag.id, at=NOON)
    assert (facts("tag.added"), facts("tag.removed")) == (1, 1)


def test_a_tag_that_was_added_waits_for_sequences_to_look(db):
    actions.add_tag(make_friend().id, new_tag().id, at=NOON)
    assert Fact.get(Fact.kind == "tag.added").handled_at is None


def test_many_friends_are_tagged_in_portions_and_only_the_new_ones_count(db, monkeypatch):
    monkeypatch.setattr(tags, "CHUNK", 7)
    ids = make_friends(20)
    tag = new_tag()
    actions.add_tag(ids[3], tag.id, at=NOON)
    assert actions.add_tag_many(ids, tag.id, at=NOON + timedelta(minutes=1)) == 19
    assert actions.add_tag_many(ids, tag.id, at=NOON) == 0
    assert facts("tag.added") == 20
    assert actions.remove_tag_many(ids[:5], tag.id, at=NOON) == 5
    assert facts("tag.removed") == 5


def test_everybody_a_filter_finds_can_be_tagged(db, monkeypatch):
    monkeypatch.setattr(tags, "CHUNK", 3)
    make_friends(8)
    make_friends(4, status="blocked")
    tag = new_tag()
    where = queries.FriendFilter(status="blocked").where()
    assert actions.add_tag_many(where, tag.id, at=NOON) == 4


def test_taking_a_tag_off_everybody_who_has_it_misses_nobody(db, monkeypatch):
    monkeypatch.setattr(tags, "CHUNK", 3)
    ids, tag = make_friends(10), new_tag()
    actions.add_tag_many(ids, tag.id, at=NOON)
    assert actions.remove_tag_many(queries.tagged(tag.id), tag.id, at=NOON) == 10
    assert FriendTag.select().count() == 0


def test_two_tags_cannot_share_a_name(db):
    new_tag("VIP")
    with pytest.raises(DomainError) as refused:
        new_tag(" VIP ")
    assert refused.value.field == "name"


@pytest.mark.parametrize("name", ["", "  ", "a|b", "x" * 41])
def test_a_bad_name_is_refused(db, name):
    with pytest.raises(DomainError):
        new_tag(name)


def test_the_second_of_two_tabs_is_told(db):
    tag, staff = new_tag(), make_staff()
    change = {"color": "#112233", "version": 1, "staff": staff, "wall": clock.wall()}
    assert tags.edit_tag(tag, name="甲", **change)
    with pytest.raises(Conflict):
        tags.edit_tag(Tag.get_by_id(tag.id), name="乙", **change)
    assert Tag.get_by_id(tag.id).name == "甲"
    assert Audit.get(Audit.action == "tag.edit").after["name"] == "甲"


def test_deleting_a_tag_takes_it_off_everybody_first(db):
    ids, tag = make_friends(3), new_tag()
    actions.add_tag_many(ids, tag.id, at=NOON)
    assert tags.delete_tag(tag, staff=None, at=NOON, wall=clock.wall()) == 3
    assert facts("tag.removed") == 3
    assert Friend.select().count() == 3
    assert Audit.get(Audit.action == "tag.delete").before["count"] == 3
