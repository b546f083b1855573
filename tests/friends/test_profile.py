"""Names and pictures are fetched in the background and never in a hurry."""

from datetime import timedelta

import pytest

from lineadmin import clock
from lineadmin.friends import profile
from lineadmin.friends.followers import import_followers
from lineadmin.friends.models import BLOCKED, FRIEND, UNKNOWN, Friend
from lineadmin.line.answers import FollowerPage, Profile
from lineadmin.line.errors import LineAuthFailed, LineRefused, LineUnclear, LineUnreachable
from tests.conftest import NOON
from tests.factories import make_friend


class PretendLine:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def profile(self, user_id, *, read_seconds=None):
        self.asked.append(user_id)
        answer = self.answers.pop(0) if self.answers else Profile(user_id, "小花")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def followers_ids(self, start=None):
        return self.profile(start)


def now(friend):
    return Friend.get_by_id(friend.id)


@pytest.fixture
def wall():
    return clock.wall()


def waiting(wall, **more):
    return make_friend("", profile_due_at=wall - timedelta(seconds=1), **more)


def test_a_profile_that_is_due_is_fetched_once(db, wall):
    hana = waiting(wall)
    line = PretendLine(Profile(hana.line_user_id, "小花", "https://x/p.jpg", "zh-TW"))
    assert profile.fetch_due(line, wall=wall) == 1
    assert profile.fetch_due(line, wall=wall) == 0
    found = now(hana)
    assert (found.display_name, found.language) == ("小花", "zh-TW")
    assert found.profile_due_at is None
    assert found.profile_at == wall


def test_one_tick_asks_for_a_few_only(db, wall):
    for _ in range(5):
        waiting(wall)
    line = PretendLine()
    assert profile.fetch_due(line, wall=wall, limit=3) == 3
    assert profile.fetch_due(line, wall=wall, limit=3) == 2


def test_a_friend_line_does_not_know_is_not_asked_for_again(db, wall):
    hana = waiting(wall)
    profile.fetch_due(PretendLine(LineRefused(404)), wall=wall)
    assert now(hana).profile_gone
    assert now(hana).profile_due_at is None
    assert now(hana).status == FRIEND  # only events say who blocked us


def test_no_answer_is_tried_later_and_given_up_in_the_end(db, wall):
    hana = waiting(wall)
    for _ in range(len(profile.BACKOFF) + 1):
        line = PretendLine(LineUnclear(500))
        assert profile.fetch_due(line, wall=wall) == 0
        assert len(line.asked) == 1
        wall += timedelta(days=2)
    assert now(hana).profile_due_at is None


def test_while_line_is_out_of_reach_nobody_loses_a_try(db, wall):
    friends = [waiting(wall) for _ in range(3)]
    line = PretendLine(LineUnreachable())
    profile.fetch_due(line, wall=wall)
    assert len(line.asked) == 1
    assert [now(friend).profile_tries for friend in friends] == [0, 0, 0]
    assert profile.fetch_due(PretendLine(), wall=wall + timedelta(minutes=1)) == 3


def test_the_followers_list_adds_friends_and_leaves_blockers_blocked(db, wall):
    known = make_friend(status=UNKNOWN)
    gone = make_friend(status=BLOCKED)
    line = PretendLine(
        FollowerPage((known.line_user_id, gone.line_user_id), "more"),
        FollowerPage(("U" + "b" * 32,), None),
    )
    result = import_followers(line, staff=None, now=NOON, wall=wall)
    assert (result.allowed, result.seen, result.new) == (True, 3, 1)
    assert now(known).status == FRIEND
    assert now(gone).status == BLOCKED
    new = Friend.get(Friend.line_user_id == "U" + "b" * 32)
    assert (new.status, new.profile_due_at) == (FRIEND, wall)


def test_an_account_that_may_not_ask_is_told_so(db, wall):
    result = import_followers(PretendLine(LineAuthFailed(403)), staff=None, now=NOON, wall=wall)
    assert not result.allowed


def test_a_bad_token_is_no_answer_about_the_account(db, wall):
    with pytest.raises(LineAuthFailed):
        import_followers(PretendLine(LineAuthFailed(401)), staff=None, now=NOON, wall=wall)
