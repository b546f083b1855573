"""Who gets a copy: today's share, the condition, and codes from a partner's list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin.coupons import actions, partner_codes
from lineadmin.coupons.issue import Reason, Refusal, issue_many, issue_one, void
from lineadmin.coupons.models import Coupon, CouponIssue, PartnerCode
from lineadmin.coupons.offer import Offer
from lineadmin.coupons.redeem import Outcome, check, shown_code
from lineadmin.coupons.states import State
from lineadmin.errors import DomainError
from lineadmin.segments.among import fitting
from lineadmin.staff.models import Audit
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_friends, make_staff


def _reasons(answers):
    """By friend id: the first friends of a list come first."""
    return [
        one.reason if isinstance(one, Refusal) else "copy"
        for _friend, one in sorted(answers.items())
    ]


def test_todays_share_ends_and_the_next_day_of_the_shops_brings_a_new_one(db):
    coupon = make_coupon(per_day=2, stock=5)
    friends = make_friends(6)
    today = issue_many(coupon, friends[:3], origin="broadcast", now=NOON)
    assert _reasons(today) == ["copy", "copy", Reason.DAY]
    late = NOON + timedelta(hours=11, minutes=59)  # 23:59 in Taipei
    assert issue_one(coupon, friends[2], origin="broadcast", now=late).reason == Reason.DAY
    midnight = NOON + timedelta(hours=12)
    after = issue_many(coupon, friends[2:], origin="broadcast", now=midnight)
    assert _reasons(after) == ["copy", "copy", Reason.DAY, Reason.DAY]


def test_a_copy_that_is_taken_back_gives_back_its_share_of_the_day(db):
    coupon = make_coupon(per_day=1)
    hana, taro = make_friends(2)
    void([give(coupon, hana)], now=NOON)
    give(coupon, taro)


def test_only_friends_who_fit_the_condition_get_a_copy_and_stock_is_not_touched(db):
    coupon = make_coupon(who={"field": "gender", "op": "is", "value": "female"}, stock=9)
    hana, taro = make_friend("花"), make_friend("太郎")
    type(hana).update(gender="female").where(type(hana).id == hana.id).execute()
    answers = issue_many(coupon, [hana.id, taro.id], origin="broadcast", now=NOON, fitting=fitting)
    assert _reasons(answers) == ["copy", Reason.WHO]
    assert Coupon.get().issued == 1


def test_who_held_a_copy_before_the_condition_was_set_is_still_shown_hers(db):
    coupon = make_coupon()
    hana = make_friend().id
    copy = give(coupon, hana)
    Coupon.update(who={"field": "gender", "op": "is", "value": "male"}).execute()
    again = issue_one(coupon, hana, origin="step", now=NOON, fitting=fitting)
    assert again.id == copy.id


@pytest.fixture
def listed(db):
    coupon = make_coupon(code_kind="list")
    boss = make_staff("manager")
    paste = "code\nPARTNER-1\n partner-2 ,x\n\nＰＡＲＴＮＥＲ－３\n"
    assert partner_codes.add_codes(coupon.id, paste, staff=boss, now=NOON, wall=NOON) == 3
    return coupon


def test_each_code_of_a_list_is_given_once_and_the_rest_is_counted(listed):
    friends = make_friends(4)
    answers = issue_many(listed, friends, origin="broadcast", now=NOON)
    assert _reasons(answers) == ["copy", "copy", "copy", Reason.STOCK]
    carried = [shown_code(CouponIssue.get_by_id(answers[f].id)) for f in friends[:3]]
    assert carried == ["PARTNER-1", "partner-2", "PARTNER-3"]
    assert partner_codes.left(listed) == partner_codes.Left(3, 0)
    assert PartnerCode.get(PartnerCode.code == "partner-2").issue_id == answers[friends[1]].id


def test_a_code_nobody_saw_goes_back_to_the_list(listed):
    hana, taro = make_friends(2)
    assert void([give(listed, hana)], now=NOON) == 1
    assert give(listed, taro).given_code == "PARTNER-1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A-1\nB-2\nA-1", "第 3 行：「A-1」已經在第 1 行"),
        ("NEW\nPARTNER-1", "第 2 行：「PARTNER-1」已經在清單裡"),
        ("\n \n", "裡面沒有代碼"),
        ("x" * 65, "第 1 行"),
    ],
)
def test_a_list_with_a_mistake_is_refused_whole_and_says_where(listed, text, words):
    with pytest.raises(DomainError) as refused:
        partner_codes.add_codes(listed.id, text, staff=None, now=NOON, wall=NOON)
    assert words in str(refused.value)
    assert partner_codes.left(listed).total == 3


def test_staff_type_a_partners_code_and_are_told_that_a_shared_one_names_nobody(listed):
    copy = give(listed, make_friend().id)
    staff = make_staff("staff")
    found = check(" ＰＡＲＴＮＥＲ-1 ", staff=staff, now=NOON, wall=NOON)
    assert found.outcome is State.VALID
    assert found.issue.id == copy.id
    make_coupon(code="all", code_kind="shared", shared_code="SUMMER")
    shared = check("SUMMER", staff=staff, now=NOON, wall=NOON)
    assert shared.outcome is Outcome.SHARED


def test_what_kind_of_code_friends_hold_can_no_longer_change(db):
    boss = make_staff("manager")
    coupon = make_coupon()
    give(coupon, make_friend().id)
    offer = Offer.of(coupon).columns() | {"code_kind": "list"}
    with pytest.raises(DomainError) as refused:
        actions.edit(coupon.id, Offer(**offer), version=None, staff=boss, wall=NOON)
    assert refused.value.field == "code_kind"


def test_only_a_closed_coupon_is_put_away_and_it_comes_back_closed(db):
    boss = make_staff("manager")
    coupon = make_coupon()
    with pytest.raises(DomainError):
        actions.archive(coupon.id, staff=boss, now=NOON, wall=NOON)
    actions.close(coupon.id, staff=boss, wall=NOON)
    actions.archive(coupon.id, staff=boss, now=NOON, wall=NOON)
    assert Coupon.get().archived_at == NOON
    actions.unarchive(coupon.id, staff=boss, wall=NOON)
    assert (Coupon.get().archived_at, Coupon.get().state) == (None, "closed")
    written = [row.action for row in Audit.select().order_by(Audit.id)]
    assert written[-3:] == ["coupon.close", "coupon.archive", "coupon.unarchive"]
