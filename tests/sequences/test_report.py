"""What came of a sequence: by step, branch and source, and when friends tap."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from lineadmin import journal
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import Friend, Source
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.reports import steps
from lineadmin.sequences.models import Sequence
from lineadmin.tracking.models import TrackedLink
from tests.factories import make_friend
from tests.panel import panel_of
from tests.sequences.stage import TAIPEI, at, follow, publish, step, tick

MONDAY = at("2026-11-23")
TEN = at("2026-11-24", "10:00")


@pytest.fixture(autouse=True)
def shop(app: Any, clock: Any) -> None:
    """Monday noon."""


def sent(now: datetime) -> None:
    """LINE takes everything that is planned."""
    tick(now)
    Delivery.update(state=DeliveryState.SENT, done_at=now).where(
        Delivery.state == DeliveryState.QUEUED
    ).execute()


def tap(friend: Friend, sequence: Sequence, place: int, moment: datetime) -> None:
    link, _made = TrackedLink.get_or_create(
        origin_kind=int(OriginKind.STEP),
        origin_id=sequence.id,
        place=place,
        url_hash="x",
        defaults={
            "code": f"c{place}",
            "url": "https://x",
            "per_friend": True,
            "created_at": MONDAY,
        },
    )
    journal.record(friend.id, "link.clicked", object_id=link.id, at=moment)


def test_entered_sent_tapped_redeemed_blocked_and_the_drop_between() -> None:
    coupon = Coupon.create(
        code="tea", title="紅茶", benefit="gift", benefit_text="紅茶", created_at=MONDAY
    )
    sequence = publish(step(1, messages=[{"coupon": "tea"}]), step(1), now=MONDAY)
    friends = [follow(MONDAY) for _ in range(10)]
    tick(MONDAY)
    sent(TEN)
    hana, taro = friends[0], friends[1]
    tap(hana, sequence, 1, TEN + timedelta(hours=2))
    tap(hana, sequence, 1, TEN + timedelta(hours=3))
    tap(taro, sequence, 1, TEN + timedelta(hours=4))
    CouponIssue.create(
        coupon=coupon,
        friend_id=taro.id,
        code="ABCD",
        token="tok",
        number=1,
        issued_at=TEN,
        origin="step",
        origin_id=sequence.id,
        redeemed_at=TEN + timedelta(hours=9),
    )
    for friend, hours in ((friends[2], 1), (friends[3], 24), (friends[4], 49)):
        moment = TEN + timedelta(hours=hours)
        if hours < 48:
            Friend.update(status="blocked").where(Friend.id == friend.id).execute()
        journal.record(friend.id, "blocked", at=moment)
    sent(at("2026-11-25"))
    first, second = steps.steps(sequence.id)
    assert (first.entered, first.sent, first.clicked, first.redeemed) == (10, 10, 2, 1)
    assert first.blocked == 2  # within a day; the third blocked after the second step
    assert first.hours == 4
    assert (second.step, second.entered, round(second.drop or 0, 2)) == (2, 7, 0.3)
    assert steps.steps(10**6) == []


def test_the_card_of_a_step_says_how_many_of_a_hundred_tapped(app: Any) -> None:
    sequence = publish(step(1), step(1), now=MONDAY)
    friends = [follow(MONDAY) for _ in range(8)]
    tick(MONDAY)
    manager = panel_of(app, "manager")
    address = f"/admin/sequences/{sequence.id}/"
    assert "點擊" not in canvas_of(manager.get(address).text)
    sent(TEN)
    for _again in range(2):
        tap(friends[0], sequence, 1, TEN + timedelta(hours=1))
    tap(friends[1], sequence, 1, TEN + timedelta(hours=2))
    sent(at("2026-11-25"))
    first, second = canvas_of(manager.get(address).text).split("data-step=")[1:]
    assert "送達 8" in first
    assert "點擊 25%" in first
    assert "送達 8" in second
    assert "點擊" not in second  # nothing to tap


def canvas_of(page: str) -> str:
    """The canvas of the editor alone."""
    return page.split('class="flow"', 1)[1].split('id="panel"', 1)[0]


def test_branches_are_summed_up(app: Any) -> None:
    young = {"field": "age", "op": "less_than", "value": 25}
    sequence = publish(
        branches=[
            {"name": "年輕", "where": young, "steps": [step(1), step(1)]},
            {"name": "其他好友", "otherwise": True, "steps": [step(1)]},
        ],
        now=MONDAY,
    )
    follow(MONDAY, birth_year=2010)
    for _ in range(3):
        follow(MONDAY)
    tick(MONDAY)
    sent(TEN)
    sent(at("2026-11-25"))
    found = steps.by_branch(steps.steps(sequence.id))
    assert [(one.branch, one.entered, one.sent) for one in found] == [(0, 1, 2), (1, 3, 3)]
    page = panel_of(app, "viewer").get(f"/admin/sequence-report/{sequence.id}/").text
    assert "年輕" in page


def test_the_block_curve_of_each_source() -> None:
    sticker = Source.create(code="sticker", name="貼圖", created_at=MONDAY)
    sequence = publish(step(1), now=MONDAY)
    friends = [follow(MONDAY, source=sticker) for _ in range(10)]
    follow(MONDAY)
    tick(MONDAY)
    for number, hours in enumerate((1, 2, 3, 23, 30)):
        Friend.update(status="blocked", blocked_at=MONDAY + timedelta(hours=hours)).where(
            Friend.id == friends[number].id
        ).execute()
    curve, unknown = steps.curves(sequence.id)
    assert (curve.name, curve.started) == ("貼圖", 10)
    assert curve.shares[:3] == [40.0, 50.0, 50.0]
    assert unknown.shares[0] == 0


@pytest.mark.parametrize(("taps", "hour"), [(19, None), (20, 12)])
def test_an_hour_is_suggested_from_twenty_taps_on(taps: int, hour: int | None) -> None:
    sequence = publish(step(1), now=MONDAY)
    for number in range(taps):
        moment = at("2026-11-24", "12:30") if number % 3 else at("2026-11-25", "20:00")
        tap(make_friend(), sequence, 1, moment)
    golden = steps.golden_time(TAIPEI)
    assert (golden.taps, golden.hour) == (taps, hour)
    assert golden.weekday == (None if hour is None else 1)


def test_an_empty_report_says_so(app: Any) -> None:
    sequence = publish(step(1), now=MONDAY)
    page = panel_of(app, "viewer").get(f"/admin/sequence-report/{sequence.id}/").text
    assert "還沒有傳送紀錄" in page
    assert "資料不足" in page
