"""After sending: what it brought, who left, what LINE says, and the sum that was told before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import journal, settings
from lineadmin.broadcasts import insight, states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.friends.models import Friend
from lineadmin.line.errors import LineRefused, LineUnreachable
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.reports import changes, comparison, effects, why
from lineadmin.reports.lift import difference, wilson
from lineadmin.tasks import chores
from lineadmin.tracking.links import Place, Wanted, make
from tests.broadcasts.stage import EVERYONE, confirm, confirmed, draft, tagged, tick
from tests.conftest import NOON
from tests.factories import make_friend, make_friends
from tests.panel import panel_of

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> None:
    """Every test here needs one."""
    request.getfixturevalue("app" if "app" in request.fixturenames else "db")


def sent(row: Broadcast) -> Broadcast:
    """As if the sender had delivered everything at the moment it left."""
    tick(row.leaves_at)
    Delivery.update(state=int(DeliveryState.SENT), done_at=row.leaves_at).where(
        Delivery.origin_id == row.id, Delivery.state == DeliveryState.QUEUED
    ).execute()
    tick(row.leaves_at)
    return Broadcast.get_by_id(row.id)


def block(friend_id: int, at: Any) -> None:
    journal.record(friend_id, "blocked", at=at)
    Friend.update(status="blocked", blocked_at=at).where(Friend.id == friend_id).execute()


def test_who_blocked_within_a_day_is_named_and_later_ones_are_not_counted() -> None:
    ids = make_friends(10)
    row = sent(confirmed())
    block(ids[0], row.leaves_at + HOUR)
    block(ids[1], row.leaves_at + 23 * HOUR)
    block(ids[2], row.leaves_at + 47 * HOUR)
    block(ids[3], row.leaves_at + 49 * HOUR)
    found = effects.blocks(row)
    assert (found.within_24, found.within_48, found.rate) == (2, 3, 0.2)
    assert [one.friend_id for one in found.names] == ids[:3]
    assert [one.hours for one in found.names] == [1, 23, 47]


def test_more_than_twice_the_shops_own_median_is_unusual() -> None:
    ids = make_friends(10)
    for blocked in (1, 1, 2):
        old = draft()
        Broadcast.update(state=states.SENT, sent_count=10, blocks_24=blocked).where(
            Broadcast.id == old.id
        ).execute()
    row = sent(confirmed())
    block(ids[0], row.leaves_at + HOUR)
    block(ids[1], row.leaves_at + HOUR)
    assert (effects.blocks(row).usual, effects.blocks(row).unusual) == (0.1, False)
    block(ids[2], row.leaves_at + HOUR)
    assert effects.blocks(row).unusual


def test_taps_are_counted_by_link_hour_and_person() -> None:
    ids = make_friends(4)
    row = sent(confirmed())
    wanted = [Wanted("https://shop.example/menu", name="菜單"), Wanted("https://shop.example/map")]
    made = make(Place("broadcast", row.id), wanted, per_friend=True, now=NOON)
    menu, way = (made[one.url] for one in wanted)
    for friend_id, link, hours in (
        (ids[0], menu, 0.5),
        (ids[0], menu, 0.9),
        (ids[1], menu, 3.1),
        (ids[1], way, 3.2),
    ):
        at = row.leaves_at + timedelta(hours=hours)
        journal.record(friend_id, "link.clicked", object_id=link.id, value={}, at=at)
    other = make(Place("broadcast", row.id + 1), wanted, per_friend=True, now=NOON)
    for link in other.values():
        journal.record(ids[3], "link.clicked", object_id=link.id, value={}, at=row.leaves_at)
    assert effects.clickers(row.id) == 2
    assert [(one.name, one.taps, one.people) for one in effects.links(row.id)] == [
        ("菜單", 3, 2),
        ("", 1, 1),
    ]
    hours = effects.taps_by_hour(row.id, row.leaves_at)
    assert (hours[0], hours[3], sum(hours)) == (2, 2, 4)


@pytest.mark.parametrize(
    ("hits", "of", "other", "of_other", "clear", "more"),
    [
        (60, 200, 10, 200, True, True),
        (10, 200, 60, 200, True, False),
        (21, 200, 20, 200, False, True),
        (5, 10, 0, 10, False, True),
        (50, 1_000, 0, 19, False, True),
        (0, 100, 0, 100, False, False),
    ],
)
def test_a_difference_is_called_one_only_beyond_chance(
    hits: int, of: int, other: int, of_other: int, clear: bool, more: bool
) -> None:
    found = difference(hits, of, other, of_other)
    assert found is not None
    assert found.clear is clear
    assert (found.by > 0) is more
    assert found.low <= found.by <= found.high


def test_the_bounds_are_those_of_the_books() -> None:
    low, high = wilson(81, 263)  # Newcombe 1998, table I, method 3
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    found = difference(56, 70, 48, 80)  # Newcombe 1998, table II, method 10
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert difference(1, 1, 0, 0) is None


def test_a_planted_lift_is_found_and_without_one_it_cannot_be_told() -> None:
    make_friends(600)
    row = sent(confirmed(holdout_percent=25))
    got = [d.friend_id for d in Delivery.select().where(Delivery.state == DeliveryState.SENT)]
    held = [d.friend_id for d in Delivery.select().where(Delivery.reason == "holdout")]
    from tests.coupons.making import make_coupon

    coupon = make_coupon()
    for friend_id in (*got[: len(got) // 10], *held[: len(held) // 10]):
        journal.record(
            friend_id, "coupon.redeemed", object_id=coupon.id, at=row.leaves_at + 5 * HOUR
        )
    found = comparison.comparison(row, now=row.leaves_at + 24 * HOUR)
    assert found is not None
    assert (found.sent, found.held) == (len(got), len(held))
    assert found.redeemed.lift is not None
    assert not found.redeemed.lift.clear
    for friend_id in got[: len(got) // 3]:
        journal.record(
            friend_id, "coupon.redeemed", object_id=coupon.id, at=row.leaves_at + 6 * HOUR
        )
    found = comparison.comparison(row, now=row.leaves_at + 200 * HOUR)
    assert found is not None
    assert found.over
    assert found.redeemed.lift is not None
    assert found.redeemed.lift.clear
    assert found.redeemed.lift.by > 0.15


def test_the_report_shows_both_numbers_and_names_who_changed() -> None:
    stays = make_friend("留下", tags=("VIP",))
    leaves = make_friend("走了", tags=("VIP",))
    blocks = make_friend("封鎖", tags=("VIP",))
    row = confirmed(tagged("VIP"))
    new = make_friend("新來", tags=("VIP",))
    leaves.tags.get().delete_instance()
    block(blocks.id, NOON)
    row = sent(row)
    found = changes.people(row)
    assert found is not None
    assert {line.label: (line.before, line.after) for line in found.lines} == {
        "matches": (3, 3),
        "blocked": (0, 1),
        "opted_out": (0, 0),
        "no_consent": (0, 0),
        "dormant": (0, 0),
        "holdout": (0, 0),
        "cap": (0, 0),
        "will_send": (3, 2),
    }
    assert found.people is not None
    assert {(one.name, one.was, one.now_is) for one in found.people} == {
        ("走了", "", None),
        ("封鎖", "", "blocked"),
        ("新來", None, ""),
    }
    assert stays.id not in {one.friend_id for one in found.people}
    assert new.id in {one.friend_id for one in found.people}


def test_where_nothing_changed_the_numbers_are_the_same_row_by_row() -> None:
    settings.change_shop({"cap_messages": 1, "cap_days": 7}, staff=None, wall=NOON)
    make_friends(60)
    for number in range(8):
        friend = make_friend(f"已收過 {number}")
        Delivery.create(
            friend_id=friend.id,
            origin_kind=2,
            origin_id=1,
            due_at=NOON - HOUR,
            planned_at=NOON,
            state=int(DeliveryState.SENT),
        )
    make_friend("封鎖", status="blocked")
    row = sent(confirmed(holdout_percent=10))
    found = changes.people(row)
    assert found is not None
    assert not found.any
    assert found.people == []
    assert {line.label: line.after for line in found.lines}["cap"] + {
        line.label: line.after for line in found.lines
    }["holdout"] >= 8


def test_why_a_friend_did_not_get_it_names_what_she_lacks() -> None:
    has = make_friend("有標籤", tags=("VIP",))
    lacks = make_friend("沒標籤")
    tree = {"all": [tagged("VIP"), {"field": "friend_days", "op": "at_least", "value": 1}]}
    row = confirmed(tree)
    assert "還沒有傳送" in why.about(lacks, row, now=NOON)
    row = sent(row)
    late = make_friend("晚到", first_seen_at=NOON + timedelta(days=1))
    assert "收下" in why.about(has, row, now=NOON)
    told = why.about(lacks, row, now=NOON)
    assert "VIP" in told
    assert "天" not in told
    assert "還不認識" in why.about(late, row, now=NOON)


class SaysStatistics:
    """A gateway that only knows one unit."""

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, ...]] = []
        self.refused = ""

    def unit_statistics(self, *asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if asked[0] == self.refused:
            raise LineRefused(status=400, message="unknown unit")
        if self.answer is None:
            raise LineUnreachable("no way")
        return self.answer


def test_lines_own_numbers_are_read_every_six_hours_for_two_weeks() -> None:
    make_friends(2)
    row = sent(confirmed())
    line: Any = SaysStatistics({"overview": {"uniqueImpression": 25, "uniqueClick": None}})
    now = row.leaves_at + HOUR
    assert insight.read_due(line, now=now, wall=now) == 1
    assert [str(one) for one in line.asked[0]] == [
        f"broadcast_{row.id}",
        "2026-11-23",
        "2026-11-23",
    ]
    assert insight.read_due(line, now=now, wall=now + 5 * HOUR) == 0
    assert insight.read_due(line, now=now + 7 * HOUR, wall=now + 7 * HOUR) == 1
    later = row.leaves_at + timedelta(days=15)
    assert insight.read_due(line, now=later, wall=later) == 0
    stored = insight.of(row.id)
    assert stored is not None
    assert stored.answer["overview"]["uniqueImpression"] == 25
    silent: Any = SaysStatistics(None)
    assert insight.read_due(silent, now=now, wall=now + 20 * HOUR) == 0


def test_one_that_line_knows_nothing_of_keeps_no_other_waiting() -> None:
    make_friends(2)
    older, newer = sent(confirmed()), sent(confirmed())
    line: Any = SaysStatistics({"overview": {"uniqueImpression": 25}})
    line.refused = f"broadcast_{newer.id}"
    now = newer.leaves_at + HOUR
    assert insight.read_due(line, now=now, wall=now) == 1
    assert insight.of(older.id).answer["overview"]["uniqueImpression"] == 25  # type: ignore[union-attr]
    assert insight.of(newer.id).answer is None  # type: ignore[union-attr]
    asked = len(line.asked)
    insight.read_due(line, now=now, wall=now + HOUR)
    assert len(line.asked) == asked, "LINE answers few such questions an hour"


def test_the_report_on_screen_tells_all_of_it(app: Any, clock: Any) -> None:
    settings.change_shop(
        {"plan_included": 3_000, "plan_fee": 800, "plan_name": "中用量"}, staff=None, wall=NOON
    )
    ids = make_friends(30)
    row = draft(EVERYONE, variants=[[{"text": "版本乙"}]], name="週一雙拼", holdout_percent=20)
    row = sent(confirm(row))
    got = [d.friend_id for d in Delivery.select().where(Delivery.state == DeliveryState.SENT)]
    link = make(
        Place("broadcast", row.id), [Wanted("https://shop.example/")], per_friend=True, now=NOON
    )["https://shop.example/"]
    journal.record(got[0], "link.clicked", object_id=link.id, value={}, at=row.leaves_at + HOUR)
    block(got[1], row.leaves_at + HOUR)
    insight._keep(row.id, {"overview": {"uniqueImpression": 22}}, NOON.date(), NOON.date(), NOON)
    clock.forward(hours=8)
    panel = panel_of(app, "manager")
    page = panel.get(f"/admin/broadcasts/{row.id}/").text
    for words in (
        "點擊人數",
        "24 小時內封鎖",
        "與對照組比較",
        "版本比較",
        "LINE 的數字",
        "人數過少",
        "傳送前後",
        "<svg",
        f"/admin/friends/{got[1]}",
    ):
        assert words in page, words
    name = Friend.get_by_id(ids[0]).display_name
    answer = panel.get(f"/admin/broadcasts/{row.id}/why/", query_string={"name": name}).text
    assert "對象" in answer
    assert "週一雙拼" in panel.get(f"/admin/broadcasts/of_friend/{ids[0]}/").text
    assert "沒有人變動" in panel.get(f"/admin/broadcasts/{row.id}/changes/").text
    assert panel_of(app, "viewer").get(f"/admin/broadcasts/{row.id}/why/").status_code == 403


def test_a_plan_named_without_its_fee_costs_what_the_table_says(app: Any, clock: Any) -> None:
    plan = {"plan_included": 3_000, "plan_fee": None, "plan_name": "中用量"}
    settings.change_shop(plan, staff=None, wall=NOON)
    make_friends(6)
    row = sent(confirm(draft(EVERYONE)))
    panel = panel_of(app, "manager")
    page = panel.get(f"/admin/broadcasts/{row.id}/").text
    assert "NT$1.6" in page
    assert "月費中的分攤" in page

    settings.change_shop({"plan_name": "別的方案"}, staff=None, wall=NOON)
    page = panel.get(f"/admin/broadcasts/{row.id}/").text
    assert "NT$0" not in page
    assert "方案的月費尚未設定。" in page


def test_the_final_count_of_blocks_is_written_down_once_it_is_final() -> None:
    ids = make_friends(4)
    row = sent(confirmed())
    block(ids[0], row.leaves_at + 30 * HOUR)
    line: Any = SaysStatistics({"overview": {}})
    for hours, written in ((40, None), (49, 0)):
        now = row.leaves_at + hours * HOUR
        chores._look_after_broadcasts(line, now, now)
        assert Broadcast.get_by_id(row.id).blocks_24 == written
    assert Broadcast.get_by_id(row.id).blocks_48 == 1
