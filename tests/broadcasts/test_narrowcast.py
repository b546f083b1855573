"""Broadcasts to whom LINE guesses to fit, against a pretend LINE as strict as LINE."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin import settings
from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts import control, insight, narrow_line, run, states
from lineadmin.broadcasts.confirm import sum_of
from lineadmin.broadcasts.models import Broadcast, Narrowcast
from lineadmin.errors import DomainError
from lineadmin.friends.models import FRIEND, Friend
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import pauses, quota
from lineadmin.outbox.models import Delivery, Shipment
from lineadmin.tasks.tick import tick
from tests.broadcasts.stage import confirm, draft
from tests.conftest import NOON, PATIENCE
from tests.factories import LONG_AGO

WOMEN = {"gender": "female"}
AFTER_UNDO = NOON + timedelta(minutes=6)


class Shop:
    """A shop of 120 friends, 80 of whom LINE takes for women."""

    def __init__(self, line: Any, config: Any) -> None:
        self.phones = line.client
        self.world = line.world
        self.gateway = Gateway(config, connect=PATIENCE, read=PATIENCE)
        self.wall = shop_clock.wall().replace(microsecond=0)
        self.women = self.add(80, gender="female", age=30, area="tw_01")
        self.men = self.add(40, gender="male", age=30, area="tw_02")

    def add(self, count: int, **guess: Any) -> list[str]:
        ids: list[str] = self.phones.add_phones(count, seed=str(guess), estimates=guess)
        rows = [
            {
                "line_user_id": user_id,
                "display_name": f"友{number}",
                "status": FRIEND,
                "first_seen_at": LONG_AGO,
            }
            for number, user_id in enumerate(ids)
        ]
        Friend.insert_many(rows).execute()
        return ids

    def opt_out(self, *users: str) -> None:
        Friend.update(opted_out_at=NOON).where(Friend.line_user_id.in_(users)).execute()

    def sent(self, estimated: Any = WOMEN, **more: Any) -> Broadcast:
        """Confirmed, and its undo window over."""
        row = confirm(draft(None, estimated=estimated, **more))
        self.tick()
        return again(row)

    def tick(self, now: Any = AFTER_UNDO, **later: float) -> Any:
        self.wall += timedelta(**later) if later else timedelta(seconds=1)
        return tick(now, self.wall, gateway=self.gateway)

    def reached(self) -> set[str]:
        return set(self.phones.received(how="narrowcast"))

    def asked(self) -> int:
        return int(self.phones.counters().get("narrowcast.requests", 0))

    def abuse(self) -> list[Any]:
        return list(self.world.abuse)


@pytest.fixture
def shop(db: Any, line: Any, line_config: Any) -> Iterator[Shop]:
    configuration.use(line_config)
    made = Shop(line, line_config)
    yield made
    made.gateway.close()


def again(row: Broadcast) -> Broadcast:
    return Broadcast.get_by_id(row.id)  # type: ignore[no-any-return]


def progress(row: Broadcast) -> Narrowcast:
    return Narrowcast.get(Narrowcast.broadcast_id == row.id)  # type: ignore[no-any-return]


def test_those_line_guesses_to_fit_get_it_once(shop):
    row = shop.sent()
    assert (row.state, row.sent_count) == (states.SENT, 80)
    assert shop.reached() == set(shop.women)
    told = progress(row)
    assert (told.phase, told.succeeded, told.target) == ("succeeded", 80, 80)
    [shipment] = Shipment.select()
    body = json.loads(shipment.body)
    assert body["limit"] == {"max": 120}
    assert body["filter"]["demographic"] == {"type": "gender", "oneOf": ["female"]}
    shop.tick(hours=1)
    assert shop.asked() == 1


def test_whoever_wants_no_messages_is_kept_out_by_an_audience_that_is_deleted_afterwards(shop):
    shop.opt_out(*shop.women[:3])
    row = shop.sent()
    assert shop.reached() == set(shop.women[3:])
    assert row.sent_count == 77
    [shipment] = Shipment.select()
    recipient = json.loads(shipment.body)["recipient"]
    assert recipient["type"] == "operator"
    assert recipient["not"]["type"] == "audience"
    assert {one.reason for one in Delivery.select()} == {"opted_out"}
    shop.tick()
    assert not LineAudience.select().exists()
    assert shop.world.audiences == {}


def test_whoever_has_had_enough_is_kept_out_too(shop):
    settings.change_shop({"cap_messages": 1, "cap_days": 7}, staff=None, wall=NOON)
    tired = Friend.get(Friend.line_user_id == shop.women[0])
    Delivery.create(
        friend_id=tired.id,
        origin_kind=2,
        origin_id=1,
        due_at=NOON,
        state=2,
        planned_at=NOON,
    )
    shop.sent()
    assert shop.reached() == set(shop.women[1:])


def test_one_who_opts_out_while_line_prepares_does_not_get_it(shop):
    shop.opt_out(shop.women[0])
    shop.phones.settings(audience_ms=60_000)
    row = shop.sent()
    assert (row.state, shop.asked()) == (states.PLANNING, 0)
    shop.opt_out(shop.women[1])
    shop.phones.age(61_000)
    shop.tick(minutes=6)
    assert again(row).state == states.PLANNING  # she is handed over now
    shop.phones.age(61_000)
    shop.tick(minutes=6)
    assert shop.reached() == set(shop.women[2:])


def test_where_they_cannot_be_kept_out_nobody_gets_it(shop):
    shop.opt_out(shop.women[0])
    shop.phones.fail("400", endpoint="audience_create", times=1)
    row = shop.sent()
    assert (row.state, row.pause_reason) == (states.PAUSED, "exclusion")
    assert progress(row).error
    assert shop.asked() == 0
    control.resume(row.id, staff=None, wall=shop.wall)
    shop.tick(minutes=1)
    assert shop.reached() == set(shop.women[1:])


def test_a_lost_answer_is_asked_about_under_the_same_key(shop):
    shop.phones.fail("drop_after", endpoint="narrowcast")
    row = shop.sent()
    assert row.state == states.SENDING
    shop.tick(minutes=2)
    shop.tick(minutes=2)
    assert again(row).state == states.SENT
    assert shop.asked() == 2
    assert {len(one) for one in shop.phones.received(how="narrowcast").values()} == {1}
    assert Shipment.select().count() == 1
    assert shop.abuse() == []


def test_a_crash_after_line_accepted_is_found_out_by_the_same_key(shop):
    row = confirm(draft(None, estimated=WOMEN))
    run.advance(AFTER_UNDO, shop.wall)
    narrow_line.run_due(shop.gateway, AFTER_UNDO, shop.wall)
    [shipment] = Shipment.select()
    shop.gateway.narrowcast(shipment.body.encode(), shipment.retry_key)  # … and killed here
    Shipment.update(state=1, lease_until=shop.wall, tries=1, fence=1).execute()
    shop.tick(minutes=1)
    shop.tick(minutes=1)
    assert (again(row).state, again(row).sent_count) == (states.SENT, 80)
    assert {len(one) for one in shop.phones.received(how="narrowcast").values()} == {1}


def test_the_most_it_may_cost_is_held_until_line_has_counted(shop):
    shop.phones.quota(1000)
    shop.phones.settings(narrowcast_waiting_ms=60_000)
    row = shop.sent()
    meter = quota.meter(AFTER_UNDO)
    assert (meter.reserved, meter.left) == (120, 880)
    assert (row.state, progress(row).phase) == (states.SENDING, "waiting")
    shop.phones.age(61_000)
    shop.tick(minutes=6)
    meter = quota.meter(AFTER_UNDO)
    assert (meter.reserved, meter.sent_by_us) == (0, 80)
    assert again(row).sent_count == 80


def test_too_few_messages_left_refuse_it_unless_fewer_recipients_are_welcome(shop):
    shop.phones.quota(70)
    quota.refresh(shop.gateway, now=NOON, wall=shop.wall)
    with pytest.raises(DomainError):
        confirm(draft(None, estimated=WOMEN))
    row = shop.sent({**WOMEN, "up_to_remaining": True})
    assert (row.state, row.sent_count) == (states.SENT, 70)
    assert quota.meter(AFTER_UNDO).left == 0


def test_lines_hold_on_the_month_does_not_stop_others(shop):
    """LINE has less left than we know: it says monthly limit, which ends no other sending."""
    shop.phones.quota(1000)
    row = confirm(draft(None, estimated=WOMEN))
    shop.phones.quota(100)
    quota.ledger(AFTER_UNDO)
    quota.QuotaMonth.update(line_limit=1000, read_at=shop.wall + timedelta(minutes=1)).execute()
    shop.tick()
    assert again(row).state == states.SENDING
    assert not quota.is_exhausted(AFTER_UNDO)
    assert quota.meter(AFTER_UNDO).reserved == 0
    asked = shop.asked()
    shop.tick(minutes=1)
    assert shop.asked() == asked
    shop.phones.quota(1000)
    shop.tick(minutes=10)
    assert again(row).state == states.SENT


def test_line_refuses_for_too_few_friends_without_stopping_all_sending(shop):
    shop.phones.settings(clock_offset_ms=0)
    row = confirm(draft(None, estimated=WOMEN))
    for user in shop.men[:30]:
        shop.phones.call("PATCH", f"phones/{user}", {"status": "blocked"})
    shop.tick()
    assert (again(row).state, again(row).pause_reason) == (states.PAUSED, "refused")
    assert pauses.current().line_since is None
    assert quota.meter(AFTER_UNDO).reserved == 0
    control.stop(row.id, staff=None, wall=shop.wall)
    shop.tick()
    assert again(row).state == states.CANCELED


@pytest.mark.parametrize("code", [1, 2, 4])
def test_a_failure_at_line_reaches_nobody_and_costs_nothing(shop, code):
    shop.phones.settings(narrowcast_error=code)
    row = shop.sent()
    assert (row.state, row.sent_count) == (states.FAILED, 0)
    assert progress(row).error_code == code
    assert (quota.meter(AFTER_UNDO).reserved, quota.meter(AFTER_UNDO).sent_by_us) == (0, 0)


def test_fewer_than_fifty_are_refused_before_sending(shop):
    Friend.update(status="blocked").where(Friend.line_user_id.in_(shop.women[:71])).execute()
    with pytest.raises(DomainError, match="49"):
        confirm(draft(None, estimated=WOMEN))


def test_it_waits_for_the_end_of_the_quiet_hours_and_for_the_red_button(shop):
    settings.change_shop({"quiet_from": "12:00", "quiet_until": "14:00"}, staff=None, wall=NOON)
    row = shop.sent()
    assert (row.state, shop.asked()) == (states.SENDING, 0)
    pauses.stop_all(staff=None, wall=shop.wall)
    shop.tick(NOON + timedelta(hours=2, minutes=1))
    assert shop.asked() == 0
    pauses.resume_all(staff=None, wall=shop.wall)
    shop.tick(NOON + timedelta(hours=2, minutes=2))
    assert again(row).state == states.SENT


def test_it_can_be_paused_before_it_leaves_and_not_stopped_once_line_has_it(shop):
    settings.change_shop({"quiet_from": "12:00", "quiet_until": "14:00"}, staff=None, wall=NOON)
    row = shop.sent()
    control.pause(row.id, staff=None, wall=shop.wall)
    later = NOON + timedelta(hours=3)
    shop.tick(later)
    assert shop.asked() == 0
    control.resume(row.id, staff=None, wall=shop.wall)
    shop.phones.settings(narrowcast_waiting_ms=60_000)
    shop.tick(later)
    with pytest.raises(DomainError):
        control.stop(row.id, staff=None, wall=shop.wall)


@pytest.mark.parametrize(
    ("parts", "more"),
    [
        ([{"text": "{name} 您好"}], {}),
        ([{"text": "嗨"}], {"holdout_percent": 10}),
        ([{"text": "嗨"}], {"variants": [[{"text": "哈囉"}]]}),
    ],
    ids=["name", "holdout", "versions"],
)
def test_what_needs_to_know_the_friend_is_refused(shop, parts, more):
    with pytest.raises(DomainError):
        confirm(draft(None, parts=parts, estimated=WOMEN, **more))


def test_the_sum_is_an_upper_bound_and_names_who_is_left_out(shop):
    shop.opt_out(*shop.women[:5])
    told = sum_of(draft(None, estimated={**WOMEN, "most": 100}), now=NOON)
    assert (told.matches, told.opted_out, told.beyond, told.will_send) == (120, 5, 15, 100)
    assert told.at_most


def test_blocks_are_not_counted_where_nobody_knows_who_got_it(shop):
    shop.sent()
    assert insight.blocks_due(NOON + timedelta(days=3)) == []


def test_above_the_threshold_somebody_else_has_to_agree(shop):
    settings.change_shop({"approval_recipients": 50}, staff=None, wall=NOON)
    assert confirm(draft(None, estimated=WOMEN)).state == states.APPROVAL
