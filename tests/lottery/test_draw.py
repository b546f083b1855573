"""A draw is fair, counted, once per friend and rule, and never gives more than there is."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Friend
from lineadmin.journal.models import Fact
from lineadmin.lottery import actions, chance, log
from lineadmin.lottery.draw import NotDrawn, draw, drawn_in
from lineadmin.lottery.models import Lottery, LotteryDraw, LotteryPrize
from lineadmin.lottery.plan import Plan
from lineadmin.staff.models import Audit
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_friends, make_staff
from tests.lottery.making import make_lottery, prize

ROOT = Path(__file__).parent.parent.parent
DRAWS = 100_000
SEED = "5f" * 32


def numbers(count: int = DRAWS, seed: str = SEED) -> list[int]:
    return [chance.number_of(seed, "spring", friend, 0) for friend in range(1, count + 1)]


# Chance -------------------------------------------------------------------------------------


def test_a_hundred_thousand_draws_keep_the_odds():
    prizes = [chance.Chance(odds) for odds in (1_000, 50_000, 300_000)]
    won = chance.play(numbers(), prizes)
    for count, one in zip(won, prizes, strict=True):
        expected = DRAWS * one.odds / chance.SCALE
        deviation = math.sqrt(expected * (1 - one.odds / chance.SCALE))
        assert abs(count - expected) < 4 * deviation, (count, expected)


def test_the_numbers_are_even_over_the_million():
    buckets = [0] * 100
    for number in numbers():
        assert 0 <= number < chance.SCALE
        buckets[number // 10_000] += 1
    chi_squared = sum((count - 1_000) ** 2 / 1_000 for count in buckets)
    assert 50 < chi_squared < 170  # 99 degrees of freedom: outside once in 10,000 seeds


def test_a_hundred_thousand_draws_keep_the_stock_exactly():
    prizes = [
        chance.Chance(100_000, left=50),
        chance.Chance(200_000, left=3_000),
        chance.Chance(10_000, left=5_000, consolation=True),
    ]
    won = chance.play(numbers(), prizes)
    assert won == [50, 3_000, 5_000]  # what ran out went to the consolation, until that ran out


def test_the_seed_is_fixed_before_and_decides_alone():
    assert chance.commitment(SEED) == chance.commitment(SEED)
    assert chance.commitment(SEED) != chance.commitment("60" * 32)
    assert chance.number_of(SEED, "spring", 7, 0) == chance.number_of(SEED, "spring", 7, 0)
    assert len({chance.number_of(SEED, "spring", 7, day) for day in range(20)}) == 20


# Drawing ------------------------------------------------------------------------------------


def test_a_friend_gets_the_coupon_of_her_prize_and_a_second_draw_is_refused(db):
    coupon = make_coupon()
    lottery = make_lottery(prize("大獎", "bento20", "100", stock=5))
    hana = make_friend().id
    drawn = draw(lottery.id, hana, how="page", now=NOON)
    [copy] = CouponIssue.select()
    assert (copy.friend_id, copy.origin, copy.id) == (hana, "lottery", drawn.issue_id)
    assert drawn.prize.name == "大獎"
    with pytest.raises(NotDrawn) as refused:
        draw(lottery.id, hana, how="chat", now=NOON + timedelta(days=40))
    assert refused.value.outcome == "already"
    assert refused.value.earlier.id == drawn.id
    assert LotteryDraw.select().count() == Lottery.get().draws == 1
    assert LotteryPrize.get().given == Coupon.get_by_id(coupon.id).issued == 1
    assert Fact.select().where(Fact.kind == "lottery.drawn").count() == 1


def test_a_daily_lottery_turns_at_the_shops_midnight(db):
    make_coupon(per_friend=5)
    lottery = make_lottery(prize("紅茶", "bento20", "100"), rule="daily")
    hana = make_friend().id
    draw(lottery.id, hana, how="page", now=NOON)
    evening = NOON + timedelta(hours=11, minutes=59)  # 23:59 in Taipei
    with pytest.raises(NotDrawn):
        draw(lottery.id, hana, how="page", now=evening)
    assert drawn_in(lottery, hana, evening) is not None
    draw(lottery.id, hana, how="page", now=evening + timedelta(minutes=1))
    assert LotteryDraw.select().count() == 2


def test_what_runs_out_becomes_the_consolation_and_then_nothing(db):
    make_coupon(code="big")
    make_coupon(code="small")
    lottery = make_lottery(
        prize("頭獎", "big", "100", stock=2),
        prize("安慰獎", "small", "0", stock=3, consolation=True),
    )
    got = [
        drawn.prize.name if drawn.prize else ""
        for friend in make_friends(7)
        for drawn in [draw(lottery.id, friend, how="page", now=NOON)]
    ]
    assert got == ["頭獎"] * 2 + ["安慰獎"] * 3 + [""] * 2
    assert [row.reason for row in LotteryDraw.select().order_by(LotteryDraw.id)] == (
        [""] * 2 + ["stock"] * 5
    )
    counts, nothing = log.counts(Lottery.get())
    assert [(one.picked, one.given, one.left) for one in counts] == [(7, 2, 0), (0, 3, 0)]
    assert nothing == 2


def test_a_coupon_that_refuses_takes_nothing_from_the_prize(db):
    big = make_coupon(code="big", stock=0)
    make_coupon(code="small")
    lottery = make_lottery(
        prize("頭獎", "big", "100", stock=9), prize("安慰獎", "small", "0", consolation=True)
    )
    drawn = draw(lottery.id, make_friend().id, how="page", now=NOON)
    assert (drawn.prize.name, drawn.reason) == ("安慰獎", "stock")
    assert [row.given for row in LotteryPrize.select().order_by(LotteryPrize.id)] == [0, 1]
    Coupon.update(stock=None).where(Coupon.id == big.id).execute()
    hana = make_friend().id
    held = give(big, hana)
    drawn = draw(lottery.id, hana, how="page", now=NOON)
    assert (drawn.prize.name, drawn.reason) == ("安慰獎", "held")
    assert CouponIssue.get_by_id(held.id).carried == 1


@pytest.mark.parametrize("status", ["blocked", "unknown"])
def test_only_friends_draw(db, status):
    lottery = make_lottery()
    with pytest.raises(NotDrawn) as refused:
        draw(lottery.id, make_friend(status=status).id, how="page", now=NOON)
    assert refused.value.outcome == "stranger"
    assert not LotteryDraw.select().exists()


def test_nobody_draws_before_after_or_while_it_is_paused_or_closed(db):
    lottery = make_lottery(starts_at=NOON, ends_at=NOON + timedelta(days=3))
    hana, staff = make_friend().id, make_staff()

    def outcome(now):
        with pytest.raises(NotDrawn) as refused:
            draw(lottery.id, hana, how="page", now=now)
        assert str(refused.value)
        return refused.value.outcome

    assert outcome(NOON - timedelta(seconds=1)) == "not_yet"
    assert outcome(NOON + timedelta(days=3)) == "ended"
    actions.pause(lottery.id, staff=staff, wall=NOON)
    assert outcome(NOON) == "paused"
    actions.resume(lottery.id, staff=staff, wall=NOON)
    actions.close(lottery.id, staff=staff, now=NOON, wall=NOON)
    assert outcome(NOON) == "closed"
    with pytest.raises(DomainError):
        actions.resume(lottery.id, staff=staff, wall=NOON)
    kinds = [row.action for row in Audit.select().order_by(Audit.id)]
    assert kinds == ["lottery.create", "lottery.pause", "lottery.resume", "lottery.close"]


# The log ------------------------------------------------------------------------------------


def test_every_draw_can_be_computed_again_and_a_changed_one_shows(db):
    lottery = make_lottery()
    for friend in make_friends(60):
        draw(lottery.id, friend, how="page", now=NOON)
    assert log.recheck(Lottery.get()).fits
    assert log.recheck(Lottery.get()).draws == 60
    row = LotteryDraw.select().where(LotteryDraw.prize.is_null()).first()
    big = LotteryPrize.get(LotteryPrize.position == 1)
    LotteryDraw.update(prize=big.id).where(LotteryDraw.id == row.id).execute()
    assert log.recheck(Lottery.get()).wrong == (row.id,)
    LotteryDraw.update(prize=None).where(LotteryDraw.id == row.id).execute()
    Lottery.update(seed="ab" * 32).execute()
    assert not log.recheck(Lottery.get()).seed_fits


# Many at once -------------------------------------------------------------------------------


def test_two_hundred_draw_at_once_and_no_prize_goes_out_too_often(database_url, db):
    make_coupon(code="big")
    make_coupon(code="small", stock=40)
    lottery = make_lottery(
        prize("頭獎", "big", "60", stock=25),
        prize("安慰獎", "small", "20", consolation=True),
    )
    friends = make_friends(200)
    start = time.time() + 3
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.lottery.racing",
                *map(str, (database_url, start, lottery.id, friends[at], friends[at + 49])),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for at in (0, 50, 100, 150)
    ]
    drew = [int(process.communicate(timeout=120)[0]) for process in running]
    assert sum(drew) == LotteryDraw.select().count() == Lottery.get().draws == 200
    assert [row.given for row in LotteryPrize.select().order_by(LotteryPrize.id)] == [25, 40]
    assert {coupon.code: coupon.issued for coupon in Coupon.select()} == {"big": 25, "small": 40}
    assert CouponIssue.select().count() == 65
    assert log.recheck(Lottery.get()).fits


# Setting one up -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prizes", "words"),
    [
        ((), "至少"),
        ((prize("A", "bento20", "60"), prize("B", "bento20", "40.0001")), "100.0001%"),
        ((prize("", "bento20"),), "名稱"),
        ((prize("A", "nowhere"),), "優惠券"),
        ((prize("A", "bento20", "many"),), "0 到 100"),
        ((prize("A", "bento20", "0.00001"),), "0 到 100"),
        ((prize("A", "bento20", stock=-1),), "數量"),
        (
            (
                prize("A", "bento20", consolation=True),
                prize("B", "bento20", consolation=True),
            ),
            "安慰獎",
        ),
    ],
)
def test_prizes_that_cannot_be_are_refused_in_words(db, prizes, words):
    make_coupon()
    with pytest.raises(DomainError) as refused:
        actions.create(Plan(title="抽", prizes=prizes), staff=None, now=NOON, wall=NOON)
    assert refused.value.field == "prizes"
    assert words in str(refused.value)
    assert not Lottery.select().exists()


def test_once_somebody_has_drawn_the_odds_stay_and_stock_only_covers_what_is_given(db):
    lottery = make_lottery()
    plan = Plan.of(lottery, list(LotteryPrize.select().order_by(LotteryPrize.position)))

    def changed(**first):
        head = plan.prizes[0].__dict__ | first
        return Plan(**plan.__dict__ | {"prizes": (type(plan.prizes[0])(**head), plan.prizes[1])})

    def save(new, version=None):
        return actions.edit(lottery.id, new, version=version, staff=None, wall=NOON)

    save(changed(percent="30"), version=1)
    assert LotteryPrize.get(LotteryPrize.position == 1).odds == 300_000
    for friend in make_friends(30):
        draw(lottery.id, friend, how="page", now=NOON)
    plan = Plan.of(lottery, list(LotteryPrize.select().order_by(LotteryPrize.position)))
    for wrong in ({"percent": "31"}, {"coupon": "small"}, {"consolation": True, "stock": 9}):
        with pytest.raises(DomainError) as refused:
            save(changed(**wrong))
        assert refused.value.field == "prizes"
    with pytest.raises(DomainError):
        save(changed(stock=2))  # three are given
    save(changed(stock=100))
    assert LotteryPrize.get(LotteryPrize.position == 1).stock == 100
    with pytest.raises(Conflict):
        save(changed(stock=200), version=1)
    assert Friend.select().count() == 30
