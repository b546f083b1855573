"""Members in conditions: bound or not, level, points, and what of them ends soon."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin import i18n
from lineadmin.friends.models import Friend
from lineadmin.members import points
from lineadmin.members.models import Member
from lineadmin.segments import where
from lineadmin.segments.among import fitting
from lineadmin.segments.language import parse
from lineadmin.segments.words import sentence
from lineadmin.settings import shop_zone
from tests.coupons.making import NOON
from tests.factories import make_friend
from tests.members.making import give, make_member, switch_on


@pytest.fixture
def shop(db):
    """Gold with 100 points, 40 of them for three days more; plain with none; and no member."""
    switch_on()
    friends = [make_friend(name) for name in ("金", "普", "無")]
    for number, friend, level in (("A1", friends[0], "黃金"), ("A2", friends[1], "")):
        member = make_member(number, level=level)
        Member.update(friend=friend.id).where(Member.id == member.id).execute()
    gold = Member.get(Member.number == "A1")
    give(gold, 60)
    give(gold, 40, expires_at=points.end_of(NOON, shop_zone(), 3))
    make_member("A3", level="黃金")
    return [friend.id for friend in friends]


@pytest.mark.parametrize(
    ("leaf", "expected", "later"),
    [
        ({"field": "member", "op": "is", "value": "bound"}, "金普", 0),
        ({"field": "member", "op": "is_not", "value": "bound"}, "無", 0),
        ({"field": "member", "op": "is", "value": "unbound"}, "無", 0),
        ({"field": "member_level", "op": "is", "value": "黃金"}, "金", 0),
        ({"field": "member_level", "op": "is_not", "value": "黃金"}, "普無", 0),
        ({"field": "member_level", "op": "unknown"}, "普無", 0),
        ({"field": "points", "op": "at_least", "value": 100}, "金", 0),
        ({"field": "points", "op": "at_least", "value": 61}, "", 4),
        ({"field": "points", "op": "at_least", "value": 0}, "金普無", 0),
        ({"field": "points", "op": "less_than", "value": 1}, "普無", 0),
        ({"field": "points_expire_in", "op": "less_than", "value": 4}, "金", 0),
        ({"field": "points_expire_in", "op": "less_than", "value": 3}, "", 0),
        ({"field": "points_expire_in", "op": "less_than", "value": 1}, "金", 3),
        ({"field": "points_expire_in", "op": "at_least", "value": 4}, "普無", 0),
    ],
)
def test_who_fits(shop, leaf, expected, later):
    now = NOON + timedelta(days=later)
    rows = Friend.select(Friend.display_name).where(where(parse(leaf), now=now, zone=shop_zone()))
    assert "".join(row.display_name for row in rows.order_by(Friend.id)) == expected
    names = {friend.id: friend.display_name for friend in Friend.select()}
    fit = fitting(leaf, shop, now)
    assert {names[friend_id] for friend_id in fit} == set(expected)
    with i18n.use_locale("zh_Hant_TW"):
        assert sentence(leaf)
