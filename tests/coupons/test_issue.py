"""Handing out copies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lineadmin.coupons.issue import Reason, Refusal, expiry, issue_many, issue_one, open_issue, void
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.i18n import local
from lineadmin.journal.models import Fact
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_friends


def _facts(kind):
    return [
        (fact.friend_id, fact.object_id)
        for fact in Fact.select().where(Fact.kind == kind).order_by(Fact.id)
    ]


def test_every_friend_gets_a_copy_with_a_code_and_a_token_of_its_own(db):
    coupon = make_coupon(stock=500)
    friends = make_friends(1200, status="friend")
    coupon.stock = None
    coupon.save()
    answers = issue_many(coupon, friends, origin="broadcast", origin_id=3, now=NOON)
    copies = list(answers.values())
    assert list(map(type, copies)) == [CouponIssue] * 1200
    assert len({copy.token for copy in copies}) == len({copy.code for copy in copies}) == 1200
    assert {len(copy.code) for copy in copies} == {12}
    assert Coupon.get_by_id(coupon.id).issued == 1200
    assert sorted(_facts("coupon.issued")) == [(friend, coupon.id) for friend in friends]


def test_where_stock_does_not_reach_the_first_friends_get_theirs(db):
    coupon = make_coupon(stock=3)
    friends = make_friends(5)
    answers = issue_many(coupon, friends, origin="broadcast", now=NOON)
    got = [friend for friend in friends if isinstance(answers[friend], CouponIssue)]
    assert got == friends[:3]
    assert [answers[friend] for friend in friends[3:]] == [Refusal(Reason.STOCK)] * 2
    assert Coupon.get_by_id(coupon.id).issued == 3


def test_repeating_it_shows_the_copy_that_is_held_and_takes_nothing(db):
    coupon = make_coupon(stock=10)
    hana = make_friend().id
    first = give(coupon, hana, origin="greeting")
    again = give(coupon, hana, origin="greeting")
    other = give(coupon, hana, origin="step", origin_id=4)
    assert {first.id, again.id, other.id} == {first.id}
    assert Coupon.get_by_id(coupon.id).issued == 1
    assert _facts("coupon.issued") == [(hana, coupon.id)]


def test_one_origin_gives_one_copy_even_where_several_are_allowed(db):
    coupon = make_coupon(per_friend=2)
    hana = make_friend().id
    step = give(coupon, hana, origin="step", origin_id=1)
    assert give(coupon, hana, origin="step", origin_id=1).id == step.id
    second = give(coupon, hana, origin="step", origin_id=2)
    assert second.number == 2
    third = give(coupon, hana, origin="broadcast", origin_id=9)
    assert third.id in {step.id, second.id}


@pytest.mark.parametrize("spent", [{"redeemed_at": NOON}, {"expires_at": NOON}])
def test_who_has_used_hers_or_let_it_expire_gets_no_other(db, spent):
    coupon = make_coupon()
    hana = make_friend().id
    copy = give(coupon, hana)
    CouponIssue.update(**spent).where(CouponIssue.id == copy.id).execute()
    answer = issue_one(coupon, hana, origin="greeting", now=NOON + timedelta(hours=1))
    assert answer == Refusal(Reason.LIMIT)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"state": "paused"}, Reason.PAUSED),
        ({"state": "closed"}, Reason.CLOSED),
        ({"valid_days": None, "valid_until": NOON}, Reason.ENDED),
        ({"stock": 0}, Reason.STOCK),
    ],
)
def test_a_coupon_that_is_not_handed_out_says_why(db, fields, reason):
    coupon = make_coupon(**fields)
    hana = make_friend().id
    assert issue_one(coupon, hana, origin="greeting", now=NOON) == Refusal(reason)
    assert Coupon.get_by_id(coupon.id).issued == 0
    assert _facts("coupon.issued") == []


def test_a_copy_may_be_handed_out_before_its_first_day(db):
    starts = NOON + timedelta(days=3)
    coupon = make_coupon(valid_days=None, valid_from=starts, valid_until=starts + timedelta(days=7))
    copy = give(coupon, make_friend().id)
    assert (copy.usable_from, copy.expires_at) == (starts, starts + timedelta(days=7))


def test_days_count_to_midnight_on_the_shops_clock(db):
    coupon = make_coupon(valid_days=7)
    early = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)  # Monday 00:00 in Taipei
    late = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)  # Monday 23:59:59 in Taipei
    from lineadmin.settings import shop_zone

    ends = {expiry(coupon, moment, shop_zone()) for moment in (early, late)}
    assert [f"{local(end):%m-%d %H:%M}" for end in ends] == ["12-01 00:00"]
    assert expiry(make_coupon(code="x", valid_days=None), NOON, shop_zone()) is None


def test_a_copy_whose_message_never_left_goes_back_to_stock(db):
    coupon = make_coupon(stock=1)
    hana, taro = make_friend().id, make_friend().id
    copy = give(coupon, hana)
    assert void([copy], now=NOON) == 1
    assert void([copy], now=NOON) == 0
    assert Coupon.get_by_id(coupon.id).issued == 0
    assert _facts("coupon.voided") == [(hana, coupon.id)]
    assert give(coupon, taro).number == 1
    Coupon.update(stock=2).execute()
    assert give(coupon, hana).number == 1


def test_a_copy_that_another_message_carries_too_is_not_taken_back(db):
    coupon = make_coupon(stock=1)
    hana = make_friend().id
    copy = give(coupon, hana, origin="step", origin_id=1)
    give(coupon, hana, origin="broadcast", origin_id=2)
    assert void([copy], now=NOON) == 0
    assert CouponIssue.get_by_id(copy.id).voided_at is None
    assert void([copy], now=NOON) == 1


@pytest.mark.parametrize("known", [{"opened_at": NOON}, {"redeemed_at": NOON}])
def test_a_copy_somebody_has_seen_is_not_taken_back(db, known):
    copy = give(make_coupon(), make_friend().id)
    CouponIssue.update(**known).execute()
    assert void([copy], now=NOON) == 0


def test_opening_counts_once(db):
    coupon = make_coupon()
    hana = make_friend().id
    copy = give(coupon, hana)
    assert open_issue(copy, now=NOON)
    assert not open_issue(copy, now=NOON + timedelta(hours=1))
    assert CouponIssue.get_by_id(copy.id).opened_at == NOON
    assert _facts("coupon.opened") == [(hana, coupon.id)]
