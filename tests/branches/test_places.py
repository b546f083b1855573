"""A friend sends where she is: the branch nearest to it, for as long as it is worth believing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin import clock as shop_clock
from lineadmin.branches import actions, places
from lineadmin.branches.distance import metres_between, told
from lineadmin.friends.models import Branch, Friend, FriendPlace
from lineadmin.i18n import use_locale
from lineadmin.inbox.models import InboundEvent
from lineadmin.journal.models import Fact
from lineadmin.tasks.tick import tick
from tests.branches.conftest import CITY_HALL, STATION, TAINAN, at, make_branch
from tests.conftest import NOON
from tests.factories import make_friends
from tests.inbox.conftest import HANA, event
from tests.outbox.test_index_use import plan_of, statements


def home():
    friend = Friend.get()
    return (friend.branch.code if friend.branch else None), friend.branch_origin


def change(code, **changes):
    actions.save_branch(code, changes, staff=None, now=NOON, wall=shop_clock.wall())


def test_a_place_tells_the_nearest_branch_and_with_it_her_home_branch(inbox, branches):
    inbox.take(at(STATION))
    place = FriendPlace.get()
    assert place.nearest.code == "ximen"
    assert 1_000 < place.metres < 1_200
    assert home() == ("ximen", "observed")
    assert Fact.get(Fact.kind == "attribute.set").value == {
        "by": "observed",
        "set": {"branch": "西門店"},
    }


def test_the_newest_place_counts_whatever_order_they_arrive_in(inbox, branches):
    inbox.take(at(CITY_HALL, age=10))
    inbox.take(at(STATION, age=500))
    assert home() == ("xinyi", "observed")
    inbox.take(at(TAINAN))
    assert home() == ("cijin", "observed")


@pytest.mark.parametrize("origin", ["self", "staff", "csv"])
def test_what_somebody_said_stays_while_the_nearest_branch_moves(inbox, branches, origin):
    inbox.take(event("follow"))
    Friend.update(branch=branches["cijin"].id, branch_origin=origin).execute()
    inbox.take(at(STATION))
    assert home() == ("cijin", origin)
    assert FriendPlace.get().nearest.code == "ximen"


def test_a_place_without_branches_or_out_of_this_world_is_not_kept(inbox):
    inbox.take(at(STATION))
    assert FriendPlace.select().count() == 0
    make_branch("only", "本店", 25, 121)
    inbox.take(at((95.0, 121.0)))
    assert FriendPlace.select().count() == 0
    assert all(row.error == "" for row in InboundEvent.select())


def test_a_place_she_takes_back_is_forgotten(inbox, branches):
    inbox.take(at(STATION, id="7"))
    inbox.take(event("unsend", unsend={"messageId": "8"}))
    assert home() == ("ximen", "observed")
    inbox.take(event("unsend", unsend={"messageId": "7"}))
    assert (FriendPlace.select().count(), home()) == (0, (None, ""))


def test_after_half_a_year_a_place_is_forgotten_and_what_staff_said_is_not(
    inbox, branches, clock, line_config
):
    inbox.take(at(STATION), at(CITY_HALL, user="U" + "b" * 32))
    said = Friend.line_user_id == HANA
    Friend.update(branch=branches["cijin"].id, branch_origin="staff").where(said).execute()
    now = shop_clock.now()
    tick(now + timedelta(days=179), shop_clock.wall())
    assert FriendPlace.select().count() == 2
    tick(now + timedelta(days=181), shop_clock.wall())
    assert FriendPlace.select().count() == 0
    assert Friend.get(said).branch.code == "cijin"
    assert Friend.get(~said).branch is None


def test_a_new_branch_a_move_and_a_closing_reckon_every_place_again(inbox, branches, line_config):
    inbox.take(at(STATION))

    def after_a_tick():
        tick(NOON, shop_clock.wall())
        assert not places.is_due(NOON)
        return FriendPlace.get().nearest.code, home()

    make_branch("station", "車站店", *STATION)
    assert places.is_due(NOON)
    assert after_a_tick() == ("station", ("station", "observed"))
    assert FriendPlace.get().metres == 0
    change("station", latitude=24.0)
    assert after_a_tick() == ("ximen", ("ximen", "observed"))
    change("ximen", active=False)
    assert after_a_tick() == ("xinyi", ("xinyi", "observed"))
    for code in ("xinyi", "cijin", "station"):
        change(code, active=False)
    tick(NOON, shop_clock.wall())
    assert (FriendPlace.get().nearest, FriendPlace.get().metres) == (None, None)
    assert home() == (None, "")
    change("ximen", active=True)
    assert after_a_tick() == ("ximen", ("ximen", "observed"))


def test_another_name_reckons_nothing_again(inbox, branches):
    inbox.take(at(STATION))
    change("ximen", name="西門旗艦店")
    assert not places.is_due(NOON)


def test_thousands_of_places_are_reckoned_in_a_few_statements(db, branches):
    ids = make_friends(places.CHUNK + 5)
    rows = [
        {
            "friend": friend_id,
            "latitude": 25.04 if friend_id % 2 else 22.62,
            "longitude": 121.5 if friend_id % 2 else 120.27,
            "sent_at": NOON,
            "map_version": 0,
        }
        for friend_id in ids
    ]
    for start in range(0, len(rows), 500):
        FriendPlace.insert_many(rows[start : start + 500]).execute()
    with statements() as seen:
        assert places.keep_up(NOON) == len(ids)
    assert len(seen) < 80
    odd = sum(1 for friend_id in ids if friend_id % 2)
    assert Friend.select().where(Friend.branch == branches["ximen"].id).count() == odd
    assert Friend.select().where(Friend.branch == branches["cijin"].id).count() == len(ids) - odd


def test_looking_whether_anything_is_due_reads_no_place(db, branches):
    with statements() as seen:
        assert not places.is_due(NOON)
        places.keep_up(NOON)
    asked = [one for one in seen if '"friend_place"' in one[0]]
    assert asked
    for sql, params in asked:
        plan = plan_of(sql, params)
        assert "friend_place_sent_at" in plan or "friend_place_map_version" in plan, plan


def test_distances_are_those_of_the_globe_and_read_well():
    taipei = Branch(latitude=25.0478, longitude=121.5170)
    assert 294_000 < metres_between(22.6394, 120.3020, taipei) < 296_000
    fiji = Branch(latitude=-17.0, longitude=179.9)
    assert metres_between(-17.0, -179.9, fiji) < 25_000
    with use_locale("en"):
        assert [told(m) for m in (3, 347, 1_249, 12_600, 296_000)] == [
            "10 m",
            "350 m",
            "1.2 km",
            "13 km",
            "296 km",
        ]
