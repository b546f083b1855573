"""At the counter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin.coupons import codes, throttle
from lineadmin.coupons.models import Coupon, CouponIssue, Redemption, RedemptionTry
from lineadmin.coupons.redeem import Outcome, Refused, check, may_undo, redeem, undo
from lineadmin.coupons.self_redeem import redeem_by_friend
from lineadmin.coupons.states import State
from lineadmin.errors import DomainError
from lineadmin.i18n import use_locale
from lineadmin.journal.models import Fact
from lineadmin.staff.models import Audit
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_staff

KEY = "key-of-the-first-device"


@pytest.fixture
def staff(db):
    return make_staff("staff")


@pytest.fixture
def copy(db):
    return give(make_coupon(), make_friend("陳小明").id)


def _use(copy, staff, *, key=KEY, now=NOON, amount=None, how="code"):
    return redeem(copy, staff=staff, how=how, request_key=key, now=now, wall=now, amount=amount)


def _look(text, staff, *, now=NOON, wall=NOON):
    return check(text, staff=staff, now=now, wall=wall)


def _tries():
    return [row.outcome for row in RedemptionTry.select().order_by(RedemptionTry.id)]


def test_a_typed_code_is_found_however_it_is_written(copy, staff):
    shown = codes.shown(copy.code)
    for text in (
        shown,
        shown.lower(),
        shown.replace("-", " "),
        f"https://shop.example/c/{copy.token}",
    ):
        found = _look(text, staff)
        assert found.is_valid
        assert found.issue is not None
        assert found.issue.id == copy.id
        assert found.friend is not None
        assert found.friend.display_name == "陳小明"
    assert _tries() == []


def test_using_it_counts_once_and_is_written_down_everywhere(copy, staff):
    done = _use(copy, staff, amount=180)
    assert done.redemption.discount == 36
    assert (done.issue.redeemed_by, done.issue.redeemed_amount) == (staff.id, 180)
    with pytest.raises(Refused, match="已使用") as refused:
        _use(copy, staff, key="key-of-another-device")
    assert refused.value.outcome is State.USED
    fact = Fact.get(Fact.kind == "coupon.redeemed")
    assert (fact.friend_id, fact.object_id, fact.amount) == (copy.friend_id, copy.coupon_id, 180)
    assert fact.handled_at is None  # sequences may start on it
    line = Audit.get(Audit.action == "coupon.redeem")
    assert line.staff_id == staff.id
    assert _tries() == ["used"]
    assert Redemption.select().count() == 1


def test_a_request_repeated_after_a_lost_connection_is_answered_with_the_use_that_counted(
    copy, staff
):
    first = _use(copy, staff)
    again = _use(copy, staff)
    assert again.repeated
    assert again.redemption.id == first.redemption.id
    assert Redemption.select().count() == 1
    assert _tries() == []


def test_undoing_makes_it_usable_again_and_history_shows_both(copy, staff):
    issued = Coupon.get_by_id(copy.coupon_id).issued
    done = _use(copy, staff)
    undo(done.redemption, staff=staff, reason="按錯了", now=NOON + timedelta(minutes=9), wall=NOON)
    assert CouponIssue.get_by_id(copy.id).redeemed_at is None
    assert Coupon.get_by_id(copy.coupon_id).issued == issued
    assert _look(copy.code, staff).is_valid
    _use(copy, staff, key="another-device")
    kinds = [fact.kind for fact in Fact.select().order_by(Fact.id)]
    assert kinds == ["coupon.issued", "coupon.redeemed", "coupon.undone", "coupon.redeemed"]
    assert Audit.get(Audit.action == "coupon.undo").reason == "按錯了"
    assert [row.undo_reason for row in Redemption.select().order_by(Redemption.id)] == [
        "按錯了",
        "",
    ]


def test_a_late_repeat_of_an_undone_request_does_not_use_it_again(copy, staff):
    done = _use(copy, staff)
    undo(done.redemption, staff=staff, reason="按錯了", now=NOON, wall=NOON)
    with pytest.raises(Refused) as refused:
        _use(copy, staff)
    assert refused.value.outcome is Outcome.UNDONE
    assert _look(copy.code, staff).is_valid


def test_undoing_needs_a_reason_and_ends_after_ten_minutes(copy, staff):
    done = _use(copy, staff)
    with pytest.raises(DomainError, match="原因"):
        undo(done.redemption, staff=staff, reason="  ", now=NOON, wall=NOON)
    late = NOON + timedelta(minutes=10)
    assert not may_undo(done.redemption, late)
    with pytest.raises(DomainError, match="10 分鐘"):
        undo(done.redemption, staff=staff, reason="太晚", now=late, wall=NOON)
    undo(done.redemption, staff=staff, reason="按錯了", now=NOON, wall=NOON)
    with pytest.raises(DomainError, match="已經撤回"):
        undo(done.redemption, staff=staff, reason="再一次", now=NOON, wall=NOON)


@pytest.mark.parametrize(
    ("coupon_fields", "days", "state"),
    [
        ({}, 8, State.EXPIRED),
        ({"valid_days": None, "valid_from": NOON + timedelta(days=1)}, 0, State.NOT_YET),
        ({"state": "paused"}, 0, State.PAUSED),
        ({"state": "closed"}, 0, State.CLOSED),
    ],
)
def test_each_refused_state_has_its_own_answer_and_line(db, staff, coupon_fields, days, state):
    coupon = make_coupon(**{key: v for key, v in coupon_fields.items() if key != "state"})
    copy = give(coupon, make_friend().id)
    if "state" in coupon_fields:
        Coupon.update(state=coupon_fields["state"]).execute()
    now = NOON + timedelta(days=days)
    assert _look(copy.code, staff, now=now).outcome is state
    with pytest.raises(Refused) as refused:
        _use(copy, staff, now=now)
    assert refused.value.outcome is state
    assert _tries() == [state.value, state.value]
    assert CouponIssue.get_by_id(copy.id).redeemed_at is None


def test_every_state_is_told_in_other_words(db, copy):
    from lineadmin.coupons.redeem import refusal_sentence

    copy.redeemed_at = copy.usable_from = NOON
    for locale in ("zh_Hant_TW", "en", "ja"):
        with use_locale(locale):
            sentences = [refusal_sentence(copy, state) for state in State]
        assert len(set(sentences)) == len(State)


def test_a_forged_and_a_foreign_code_are_told_apart_from_a_slip_of_the_finger(copy, staff):
    forged = codes.new_code()
    assert _look(forged, staff).outcome is Outcome.UNKNOWN
    assert _look("https://shop.example/c/" + "A" * 22, staff).outcome is Outcome.UNKNOWN
    assert _look("https://example.com/other", staff).outcome is Outcome.FOREIGN
    assert _look("ABCD-EF", staff).outcome is Outcome.UNREADABLE
    assert _tries() == ["unknown", "unknown", "foreign"]
    assert RedemptionTry.select().first().code == forged


def test_expiry_is_the_shops_midnight_to_the_millisecond(copy, staff):
    assert copy.expires_at is not None
    last = copy.expires_at - timedelta(milliseconds=1)
    assert _look(copy.code, staff, now=last).is_valid
    with pytest.raises(Refused):
        _use(copy, staff, now=copy.expires_at)
    _use(copy, staff, now=last)


def test_an_amount_below_the_minimum_is_refused(copy, staff):
    with pytest.raises(Refused, match=r"NT\$100") as refused:
        _use(copy, staff, amount=99)
    assert refused.value.field == "amount"
    assert _tries() == ["minimum"]
    _use(copy, staff, amount=100)


def test_guessing_codes_is_stopped_for_a_while_on_real_time(copy, staff):
    for _ in range(throttle.STAFF_CODES.misses):
        _look(codes.new_code(), staff)
    with pytest.raises(throttle.TooManyTries, match="10 分鐘"):
        _look(copy.code, staff)
    with pytest.raises(throttle.TooManyTries):  # moving the shop's clock does not help
        _look(copy.code, staff, now=NOON + timedelta(days=1))
    assert _look(copy.code, make_staff("staff")).is_valid
    assert _look(copy.code, staff, wall=NOON + timedelta(minutes=10)).is_valid


def _self(copy, *, pin="", key=KEY, now=NOON, wall=NOON):
    from lineadmin.coupons.redeem import find

    fresh = find(token=copy.token)
    assert fresh is not None
    return redeem_by_friend(
        fresh, pin=pin, request_key=key, now=now, wall=wall, address="203.0.113.9"
    )


def test_a_friend_uses_hers_alone_only_where_the_coupon_allows_it(db):
    copy = give(make_coupon(), make_friend().id)
    with pytest.raises(Refused, match="櫃檯"):
        _self(copy)
    Coupon.update(redeem="self").execute()
    done = _self(copy)
    assert (done.redemption.how, done.redemption.staff_id) == ("self", None)
    assert _self(copy).repeated


def test_the_pin_is_checked_and_cannot_be_guessed(db):
    copy = give(make_coupon(redeem="pin", pin="4711"), make_friend().id)
    for number in range(throttle.PIN.misses):
        with pytest.raises(Refused) as refused:
            _self(copy, pin=f"{number:04}")
        assert refused.value.field == "pin"
    with pytest.raises(throttle.TooManyTries):
        _self(copy, pin="4711")
    later = NOON + timedelta(minutes=10)
    assert _self(copy, pin=" 4711 ", wall=later).redemption.how == "pin"
    assert _tries() == ["wrong_pin"] * throttle.PIN.misses
