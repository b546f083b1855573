"""Friends come and go, and events about it arrive late, twice and out of order."""

from datetime import timedelta

from lineadmin import clock
from lineadmin.friends import actions
from lineadmin.friends.models import BLOCKED, FRIEND, UNKNOWN, Friend
from lineadmin.journal.models import Fact
from tests.conftest import NOON

HANA = "U" + "a" * 32


def learned():
    return actions.learn_friend(HANA, at=NOON, wall=clock.wall())


def followed(friend, minutes, *, unblocked=False):
    at = NOON + timedelta(minutes=minutes)
    return actions.follow(friend.id, event_at=at, at=at, wall=clock.wall(), is_unblocked=unblocked)


def blocked(friend, minutes):
    at = NOON + timedelta(minutes=minutes)
    return actions.unfollow(friend.id, event_at=at, at=at)


def now(friend):
    return Friend.get_by_id(friend.id)


def kinds(friend):
    return [
        fact.kind for fact in Fact.select().where(Fact.friend_id == friend.id).order_by(Fact.id)
    ]


def test_somebody_new_is_learned_once_and_her_profile_is_wanted(db):
    first, second = learned(), learned()
    assert first.id == second.id
    assert first.status == UNKNOWN
    assert first.profile_due_at is not None
    assert Friend.select().count() == 1


def test_the_first_follow_is_the_first_greeting_and_the_second_is_not(db):
    hana = learned()
    assert followed(hana, 0) == actions.Follow(current=True, first=True)
    assert blocked(hana, 1)
    assert followed(hana, 2, unblocked=True) == actions.Follow(current=True, first=False)
    assert kinds(hana) == ["followed", "blocked", "unblocked"]
    assert now(hana).status == FRIEND
    assert now(hana).blocked_at is None


def test_lines_flag_is_not_fully_accurate_so_our_own_memory_counts_too(db):
    hana = learned()
    followed(hana, 0)
    assert not followed(hana, 1, unblocked=False).first


def test_somebody_who_unblocks_us_at_our_first_meeting_is_greeted_as_returning(db):
    hana = learned()
    assert not followed(hana, 0, unblocked=True).first
    assert not followed(hana, 1, unblocked=False).first


def test_somebody_known_by_message_still_gets_the_first_greeting(db):
    hana = learned()
    actions.heard_from(hana.id, event_at=NOON, at=NOON)
    assert now(hana).status == FRIEND
    assert followed(hana, 1).first


def test_an_older_follow_does_not_undo_a_newer_block(db):
    hana = learned()
    assert blocked(hana, 5)
    assert followed(hana, 1) == actions.Follow(current=False, first=True)
    assert now(hana).status == BLOCKED
    assert now(hana).followed_at is None


def test_an_older_message_does_not_make_a_blocker_a_friend(db):
    hana = learned()
    blocked(hana, 5)
    actions.heard_from(hana.id, event_at=NOON, at=NOON)
    assert now(hana).status == BLOCKED
    assert now(hana).last_seen_at == NOON


def test_the_latest_sign_of_life_stays(db):
    hana = learned()
    assert actions.seen(hana.id, at=NOON + timedelta(minutes=5))
    assert not actions.seen(hana.id, at=NOON)
    assert now(hana).last_seen_at == NOON + timedelta(minutes=5)


def test_not_wanting_messages_is_kept_once_and_can_be_taken_back(db):
    hana = learned()
    assert actions.opt_out(hana.id, by="friend", at=NOON, wished_at=NOON)
    assert not actions.opt_out(hana.id, by="friend", at=NOON, wished_at=NOON)
    assert not now(hana).addressable
    later = NOON + timedelta(minutes=1)
    assert actions.opt_in(hana.id, by="friend", at=later, wished_at=later)
    assert now(hana).addressable
    assert kinds(hana) == ["opted_out", "opted_in"]


def test_a_wish_that_comes_late_loses_to_a_newer_one(db):
    hana = learned()
    later = NOON + timedelta(minutes=5)
    actions.opt_out(hana.id, by="friend", at=NOON, wished_at=later)
    assert not actions.opt_in(hana.id, by="friend", at=NOON, wished_at=NOON)
    assert not now(hana).addressable
    actions.opt_in(hana.id, by="staff", at=NOON, wished_at=later)
    assert not actions.opt_out(hana.id, by="friend", at=NOON, wished_at=NOON)
    assert now(hana).addressable


def test_a_source_that_is_known_can_be_left_alone(db):
    hana = learned()
    counter = actions.ensure_source("storefront", "門市 QR", now=NOON)
    other = actions.ensure_source("line_pay", "LINE Pay", now=NOON)
    assert actions.set_source(hana.id, counter.id, origin="observed", at=NOON)
    assert not actions.set_source(hana.id, other.id, origin="observed", at=NOON, replace=False)
    assert not actions.set_source(hana.id, counter.id, origin="staff", at=NOON)
    assert now(hana).source_id == counter.id
    assert kinds(hana) == ["source.set"]
