"""Purchases in the numbers: beside a broadcast, against its holdout group, and of a segment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin.db import db
from lineadmin.friends.models import Friend
from lineadmin.outbox.models import Delivery
from lineadmin.purchases import actions
from lineadmin.reports import comparison, effects
from lineadmin.reports.audience import audience
from tests.broadcasts.stage import confirmed
from tests.broadcasts.test_results import sent
from tests.conftest import NOON
from tests.factories import make_friend, make_friends
from tests.panel import panel_of
from tests.purchases.selling import buy


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> None:
    """Every test here needs one."""
    request.getfixturevalue("app" if "app" in request.fixturenames else "db")


def friend(friend_id: int) -> Friend:
    found: Friend = Friend.get_by_id(friend_id)
    return found


def test_a_planted_lift_of_purchases_is_found_and_none_is_not_claimed(app: Any, clock: Any) -> None:
    make_friends(200)
    row = sent(confirmed(holdout_percent=50))
    held = [one.friend_id for one in Delivery.select().where(Delivery.reason == "holdout")]
    got = [one.friend_id for one in Delivery.select().where(Delivery.reason == "")]
    later = row.leaves_at + timedelta(days=2)
    for friend_id in got[:30]:
        buy(friend(friend_id), 100, at=later)
    buy(friend(held[0]), 100, at=later)
    buy(friend(held[1]), 100, at=row.leaves_at + timedelta(days=8))  # too late to count
    void = buy(friend(held[2]), 100, at=later)
    actions.void(void.id, reason="打錯", staff=None, now=later, wall=later)
    found = comparison.comparison(row, now=later)
    assert found is not None
    assert (found.bought.sent_did, found.bought.held_did) == (30, 1)
    assert found.bought.lift is not None
    assert found.bought.lift.clear
    assert found.redeemed.lift is not None
    assert not found.redeemed.lift.clear
    told = effects.bought(row)
    assert (told.count, told.people, told.spent) == (30, 30, 3_000)
    clock.set(later)
    page = panel_of(app, "manager").get(f"/admin/broadcasts/{row.id}/").text
    assert "收到的好友中有 30 人在 7 天內消費 30 次，共 NT$3,000" in page


def test_the_panel_of_a_segment_tells_what_plain_sql_does() -> None:
    hana, taro, other = (make_friend(name, gender=gender) for name, gender in WHO)
    for who, amount in ((hana, 100), (hana, 250), (taro, 50), (other, 9_000)):
        buy(who, amount)
    gone = buy(taro, 7_000)
    actions.void(gone.id, reason="打錯", staff=None, now=NOON, wall=NOON)
    seen = audience(Friend.gender == "female", now=NOON, shop_block_share=0.0)
    plain = db.execute_sql(
        "SELECT COUNT(DISTINCT p.friend_id), COUNT(*), SUM(p.amount) FROM purchase p"
        " JOIN friend f ON f.id = p.friend_id"
        " WHERE f.gender = 'female' AND p.voided_at IS NULL AND p.status <> 'cancelled'"
    ).fetchone()
    assert (seen.bought.buyers, seen.bought.purchases, seen.bought.amount) == tuple(plain)
    assert dict(seen.deeds)["purchase"] == 2


WHO = (("花子", "female"), ("小美", "female"), ("太郎", "male"))
