"""What a redemption brings with it, and what undoing it takes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin.coupons.models import Coupon
from lineadmin.coupons.redeem import redeem, undo
from lineadmin.friends import tags
from lineadmin.friends.models import Friend, FriendTag
from lineadmin.messages.keep import keep
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_staff

SOON = NOON + timedelta(minutes=10)


@pytest.fixture
def staff(db):
    return make_staff("staff")


@pytest.fixture
def tag(db):
    return tags.create_tag("愛吃雙拼", staff=None, now=NOON, wall=NOON)


@pytest.fixture
def coupon(tag):
    thanks = keep(
        [{"text": "謝謝 {name}！"}],
        field="after_messages",
        now=NOON,
        public_url="https://x.example",
    )
    return make_coupon(after_tags=[tag.id], after_content_id=thanks.id, per_friend=2)


def _use(copy, staff, key="key-of-the-till"):
    return redeem(copy, staff=staff, how="code", request_key=key, now=NOON, wall=NOON).redemption


def test_the_tag_is_set_at_once_and_the_message_waits_for_the_end_of_the_undo_window(
    coupon, staff, tag
):
    hana = make_friend().id
    _use(give(coupon, hana), staff)
    assert [(row.tag_id, row.by_kind) for row in FriendTag.select()] == [(tag.id, "coupon")]
    waiting = Delivery.get()
    assert (waiting.friend_id, waiting.due_at) == (hana, SOON)
    assert waiting.origin_kind == OriginKind.THANKS
    assert not waiting.counts_for_cap


def test_sending_the_request_again_brings_nothing_twice(coupon, staff):
    copy = give(coupon, make_friend().id)
    assert _use(copy, staff).id == _use(copy, staff).id
    assert Delivery.select().count() == 1


def test_undo_takes_the_tag_and_the_message_back_and_using_it_again_brings_both(coupon, staff, tag):
    hana = make_friend().id
    copy = give(coupon, hana)
    undo(_use(copy, staff), staff=staff, reason="按錯了", now=NOON, wall=NOON)
    assert FriendTag.select().count() == 0
    assert Delivery.get().state == DeliveryState.CANCELED
    _use(copy, staff, "another-key")
    assert FriendTag.select().count() == 1
    assert [row.state for row in Delivery.select().order_by(Delivery.id)] == [
        DeliveryState.CANCELED,
        DeliveryState.QUEUED,
    ]


def test_undo_leaves_a_tag_she_had_before(coupon, staff, tag):
    hana = make_friend().id
    tags.add_tag(hana, tag.id, at=NOON)
    undo(_use(give(coupon, hana), staff), staff=staff, reason="按錯了", now=NOON, wall=NOON)
    assert FriendTag.get().by_kind == "staff"


def test_who_wants_no_notifications_gets_no_message_but_the_tag(coupon, staff):
    hana = make_friend().id
    copy = give(coupon, hana)
    Friend.update(opted_out_at=NOON).execute()
    _use(copy, staff)
    assert Delivery.select().count() == 0
    assert FriendTag.select().count() == 1


def test_a_tag_that_is_gone_does_not_stop_the_redemption(coupon, staff, tag):
    copy = give(coupon, make_friend().id)
    tags.delete_tag(tag, staff=None, at=NOON, wall=NOON)
    _use(copy, staff)
    assert Coupon.get().after_tags == [tag.id]
