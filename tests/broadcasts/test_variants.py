"""Versions, holdouts, service notices and quiet hours of broadcasts."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from lineadmin import settings
from lineadmin.broadcasts import dormant, run, states
from lineadmin.broadcasts.confirm import sum_of
from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.redeem import redeem
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend, Tag
from lineadmin.friends.tags import add_tag
from lineadmin.journal.models import Fact
from lineadmin.outbox import quiet, recheck
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.settings.shop import ShopSettings
from lineadmin.staff.models import Audit
from lineadmin.tasks.sending import Rooms
from tests.broadcasts.stage import (
    EVERYONE,
    HELLO,
    MINUTE,
    confirm,
    confirmed,
    draft,
    outcomes,
    tagged,
    tick,
)
from tests.conftest import NOON
from tests.coupons.making import give, make_coupon
from tests.factories import make_friend, make_friends
from tests.panel import panel_of

TAIPEI = ZoneInfo("Asia/Taipei")
B, C = [{"text": "版本乙"}], [{"text": "版本丙"}]


def test_versions_are_drawn_evenly_and_stay_with_their_friend(db: Any) -> None:
    make_friends(600)
    row = confirmed(variants=[B, C])
    tick(row.leaves_at)
    rows = list(Delivery.select().order_by(Delivery.friend_id))
    drawn = Counter(one.content.parts[0]["text"] for one in rows)
    assert set(drawn) == {HELLO[0]["text"], "版本乙", "版本丙"}
    assert all(150 <= number <= 250 for number in drawn.values()), drawn
    first = {one.friend_id: one.content_id for one in rows}
    Delivery.delete().execute()
    Broadcast.update(state=states.PLANNING, cursor=0, plan_whole_at=None).execute()
    while run.plan_chunk(row.id, row.leaves_at, limit=70):
        pass
    assert {one.friend_id: one.content_id for one in Delivery.select()} == first


@pytest.mark.parametrize("variants", [[HELLO], [B, B], [[]]])
def test_versions_have_to_differ(db: Any, variants: Any) -> None:
    make_friends(3)
    with pytest.raises(DomainError):
        confirmed(variants=variants)


def test_versions_are_written_on_screen(app: Any, clock: Any) -> None:
    panel = panel_of(app, "manager")
    row = draft(tagged("VIP"), name="比較") if make_friend(tags=("VIP",)) else None
    assert row is not None
    address = f"/admin/broadcasts/{row.id}"
    assert panel.get(f"{address}/versions/2/").status_code == 404
    assert "週一雙拼" in panel.get(f"{address}/versions/1/").text
    written = {"version": row.version, "messages": '[{"text": "版本乙"}]'}
    assert panel.post(f"{address}/versions/1/", written).status_code == 302
    assert Broadcast.get().variants == [B]
    assert "版本乙" in panel.get(f"{address}/edit/").text
    assert "版本乙" in panel.get(f"{address}/confirm/").text
    stale = panel.post(f"{address}/versions/1/remove/", {"version": row.version})
    assert stale.status_code == 302
    assert Broadcast.get().variants == [B]
    panel.post(f"{address}/versions/1/remove/", {"version": Broadcast.get().version})
    assert Broadcast.get().variants is None


def test_the_comparison_group_is_in_the_sum_and_gets_nothing(db: Any) -> None:
    make_friends(400)
    row = draft(holdout_percent=10)
    told = sum_of(row, now=NOON)
    assert 20 <= told.holdout <= 60
    row = confirm(row)
    tick(row.leaves_at)
    after = Counter(outcomes(row).values())
    assert (after["holdout"], after["QUEUED"]) == (told.holdout, told.will_send)


def test_a_service_notice_neither_counts_nor_is_capped(db: Any) -> None:
    settings.change_shop({"cap_messages": 1, "cap_days": 7}, staff=None, wall=NOON)
    friend = make_friend()
    confirmed()
    tick(NOON)
    notice = confirmed(service=True)
    assert sum_of(notice, now=NOON).cap == 0
    tick(NOON)
    assert outcomes(notice) == {friend.id: "QUEUED"}
    Delivery.delete().where(Delivery.origin_id != notice.id).execute()
    another = confirmed()
    tick(NOON)
    assert outcomes(another) == {friend.id: "QUEUED"}


def test_the_more_important_message_takes_the_last_place_under_the_cap(db: Any) -> None:
    settings.change_shop({"cap_messages": 1, "cap_days": 1}, staff=None, wall=NOON)
    friend = make_friend(tags=("VIP",))
    first, second = confirmed(tagged("VIP")), confirmed(EVERYONE)
    tick(NOON + MINUTE)
    assert outcomes(first) == {friend.id: "QUEUED"}
    assert outcomes(second) == {friend.id: "cap"}


def test_a_step_later_that_day_keeps_its_place_from_a_broadcast(db: Any) -> None:
    settings.change_shop({"cap_messages": 1, "cap_days": 1}, staff=None, wall=NOON)
    waits, free = make_friend(), make_friend()
    series = Sequence.create(name="養成", enabled=True, created_at=NOON)
    enrolment = Enrolment.create(
        sequence=series,
        friend_id=waits.id,
        version_id=1,
        base_day=NOON.date(),
        next_at=NOON + timedelta(hours=6),
        entered_at=NOON,
    )
    row = draft()
    assert sum_of(row, now=NOON).cap == 1
    row = confirm(row)
    tick(row.leaves_at)
    assert outcomes(row) == {waits.id: "cap", free.id: "QUEUED"}
    Delivery.delete().execute()
    for change in ({"next_at": NOON + timedelta(hours=13)}, {"state": "finished"}):
        Enrolment.update(**change).where(Enrolment.id == enrolment.id).execute()
        assert sum_of(draft(), now=NOON).cap == 0
    Sequence.update(enabled=False).execute()
    Enrolment.update(state="active", next_at=NOON).execute()
    assert sum_of(draft(), now=NOON).cap == 0


def test_waking_stops_after_three_tries_nobody_answered(db: Any) -> None:
    sleeps = make_friend("沉睡", last_seen_at=NOON - timedelta(days=90))
    wakes = make_friend("醒了", last_seen_at=NOON - timedelta(days=90))
    when = NOON
    for attempt in range(4):
        row = confirmed(now=when, wake=True)
        tick(row.leaves_at)
        waiting = (Delivery.origin_id == row.id) & (Delivery.state == DeliveryState.QUEUED)
        Delivery.update(state=int(DeliveryState.SENT), done_at=row.leaves_at).where(
            waiting
        ).execute()
        tick(row.leaves_at)
        expected = {wakes.id: "SENT", sleeps.id: "SENT" if attempt < 3 else "dormant"}
        assert outcomes(row) == expected, attempt
        when = row.leaves_at + timedelta(days=7)
        Friend.update(last_seen_at=when - timedelta(days=1)).where(Friend.id == wakes.id).execute()
    assert [one.tag.name for one in sleeps.tags] == ["沉睡好友"]
    assert list(wakes.tags) == []
    again = draft(wake=True, now=when)
    assert sum_of(again, now=when).dormant == 1
    assert sum_of(draft(now=when), now=when).dormant == 0
    Friend.update(last_seen_at=when).where(Friend.id == sleeps.id).execute()
    assert sum_of(again, now=when).dormant == 0
    assert dormant.let_go(when) == 1
    assert list(sleeps.tags) == []
    kinds = [
        fact.kind for fact in Fact.select().where(Fact.friend_id == sleeps.id).order_by(Fact.id)
    ]
    assert kinds == ["tag.added", "tag.removed"]
    by_hand = add_tag(sleeps.id, Tag.get(Tag.name == "沉睡好友").id, at=NOON)
    assert by_hand
    assert dormant.let_go(when) == 0, "what staff set, staff take off"


def test_redeeming_a_coupon_at_the_counter_is_a_sign_of_life(db: Any) -> None:
    friend = make_friend(last_seen_at=NOON - timedelta(days=90))
    copy = give(make_coupon(), friend.id)
    redeem(copy, staff=None, how="self", request_key="sign-of-life", now=NOON, wall=NOON)
    assert Friend.get_by_id(friend.id).last_seen_at == NOON


def night(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=TAIPEI).astimezone(UTC)


def test_within_the_quiet_hours_only_a_stated_reason_lets_it_leave(db: Any) -> None:
    make_friend()
    settings.change_shop({"quiet_from": "21:00", "quiet_until": "09:00"}, staff=None, wall=NOON)
    late = night(22)
    waits = confirmed(now=late)
    with pytest.raises(DomainError) as refused:
        confirm(draft(now=late), now=late, quiet_override="  ")
    assert refused.value.field == "quiet_override"
    leaves = confirm(draft(now=late), now=late, quiet_override="停電，明天公休")
    tick(late + MINUTE)
    origins = {(OriginKind.BROADCAST, waits.id), (OriginKind.BROADCAST, leaves.id)}
    allowed = recheck.allowed_origins(origins, Rooms(), late + MINUTE)
    assert allowed == {(OriginKind.BROADCAST, leaves.id)}
    assert recheck.allowed_origins(origins, Rooms(), night(23).replace(hour=1, day=24)) == origins
    line = Audit.get(Audit.action == "broadcast.override_quiet")
    assert line.after == {"reason": "停電，明天公休"}


@limits(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    start=some.integers(0, 1439),
    length=some.integers(1, 1439),
    minute=some.integers(0, 60 * 24 * 3),
)
def test_a_moment_is_quiet_exactly_within_the_window(start: int, length: int, minute: int) -> None:
    end = (start + length) % 1440
    shop = ShopSettings(
        quiet_from=f"{start // 60:02d}:{start % 60:02d}",
        quiet_until=f"{end // 60:02d}:{end % 60:02d}",
    )
    moment = datetime(2026, 12, 31, tzinfo=TAIPEI) + timedelta(minutes=minute)
    since = (moment.hour * 60 + moment.minute - start) % 1440
    ends = quiet.ends_at(shop, moment)
    assert (ends is not None) == (since < length)
    if ends is not None:
        assert ends == moment + timedelta(minutes=length - since)
        assert quiet.ends_at(shop, ends) is None
        assert quiet.ends_at(shop, ends - timedelta(milliseconds=1)) == ends


def test_no_broadcast_or_step_passes_the_door_within_the_window(db: Any) -> None:
    settings.change_shop({"quiet_from": "21:00", "quiet_until": "09:00"}, staff=None, wall=NOON)
    make_friend()
    row = confirmed()
    tick(NOON)
    origins = {(OriginKind.BROADCAST, row.id)}
    for minute in range(0, 24 * 60, 7):
        moment = night(0) + timedelta(minutes=minute)
        local = moment.astimezone(TAIPEI)
        open_now = 9 <= local.hour < 21
        assert bool(recheck.allowed_origins(origins, Rooms(), moment)) == open_now, local
    assert Delivery.select().where(Delivery.state == DeliveryState.QUEUED).count() == 1
