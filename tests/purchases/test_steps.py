"""Step messages that start with a purchase, and that end with one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin.outbox import reasons
from lineadmin.purchases import actions, record
from lineadmin.purchases.models import PurchaseCategory
from lineadmin.sequences import goals
from lineadmin.sequences.definition import DefinitionError, dump, parse
from lineadmin.sequences.dry_start import Imaginary
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.sequences.problems import problems
from lineadmin.shopfile import dump as dump_shop
from lineadmin.shopfile import load as load_shop
from tests.factories import make_friend
from tests.purchases.selling import buy
from tests.sequences.rehearsing import everything, rehearse, told
from tests.sequences.stage import at, follow, planned, publish, run_of, step, tick

MONDAY = at("2026-11-23")


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one."""


def test_a_purchase_starts_her_once_and_old_ones_start_nobody() -> None:
    publish(step(1, "10:00"), trigger={"purchase": "any"}, now=MONDAY)
    hana, taro, old = make_friend(), make_friend(), make_friend()
    buy(hana, at=MONDAY)
    buy(old, at=MONDAY - timedelta(days=8), now=MONDAY)  # last week's, from a file
    gone = buy(taro, at=MONDAY)
    actions.void(gone.id, reason="打錯", staff=None, now=MONDAY, wall=MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24", "10:00"))
    assert planned(hana) == [(1, "11-24 10:00", "")]
    assert planned(taro) == planned(old) == []
    buy(hana, at=at("2026-11-25"))
    tick(at("2026-11-25"))
    assert Enrolment.select().count() == 1


def test_only_a_purchase_of_its_category_starts_her() -> None:
    record.categories(["便當", "茶"], now=MONDAY)
    publish(step(1), trigger={"purchase": "便當"}, now=MONDAY)
    hana, taro = make_friend(), make_friend()
    buy(hana, at=MONDAY, goods=("茶", "便當"))
    buy(taro, at=MONDAY, goods=("茶",))
    tick(MONDAY)
    assert run_of(hana).state == "active"
    assert Enrolment.select().count() == 1


def test_who_buys_after_she_started_leaves_and_who_bought_before_stays() -> None:
    sequence = publish(step(1), step(1), stop_bought="any", now=MONDAY)
    before, after, never = (follow(MONDAY) for _ in range(3))
    buy(before, at=MONDAY - timedelta(hours=1))
    tick(MONDAY)
    buy(after, at=at("2026-11-24", "09:00"))
    mistaken = buy(never, at=at("2026-11-24", "09:00"))
    moment = at("2026-11-24", "09:30")
    actions.void(mistaken.id, reason="打錯", staff=None, now=moment, wall=moment)
    tick(at("2026-11-24", "10:00"))
    assert planned(after) == [(1, "11-24 10:00", reasons.GOAL)]
    assert (run_of(after).state, run_of(after).reason) == ("stopped", "goal")
    assert planned(before) == planned(never) == [(1, "11-24 10:00", "")]
    # She buys while her step waits for the quiet hours to end: it is asked again as it leaves.
    buy(never, at=at("2026-11-24", "11:00"))
    waiting = {friend.id: run_of(friend).run * 1_000 + 1 for friend in (before, never)}
    left = goals.left_out(sequence.id, waiting, at("2026-11-24", "12:00"))
    assert left == {never.id: reasons.GOAL}


def test_a_stop_for_one_category_does_not_mind_the_others() -> None:
    record.categories(["便當", "茶"], now=MONDAY)
    publish(step(1), stop_bought="便當", now=MONDAY)
    hana, taro = follow(MONDAY), follow(MONDAY)
    tick(MONDAY)
    buy(hana, at=MONDAY + timedelta(hours=1), goods=("茶",))
    buy(taro, at=MONDAY + timedelta(hours=1), goods=("便當",))
    tick(at("2026-11-24", "10:00"))
    assert (run_of(hana).state, run_of(taro).state) == ("finished", "stopped")


def test_a_dry_run_buys_for_her_and_keeps_nothing() -> None:
    record.categories(["便當"], now=MONDAY)
    sequence = publish(
        step(1), step(7), trigger={"purchase": "便當"}, stop_bought="any", now=MONDAY
    )
    before = everything()
    outlook = rehearse(sequence, Imaginary(name="小華"), now=MONDAY)
    assert told(outlook) == [(1, "11-24 10:00", ""), (2, "12-01 10:00", "")]
    assert everything() == before


def test_a_category_that_is_not_there_is_told_before_publishing() -> None:
    raw = {"trigger": {"purchase": "便當"}, "branches": [{"steps": [step(1)]}]}
    definition = parse({**raw, "stop_bought": "湯"})
    assert dump(definition)["stop_bought"] == "湯"
    told = [one.path for one in problems(definition, now=MONDAY, public_url="https://x")]
    assert told == [("trigger",), ("stop_bought",)]
    with pytest.raises(DefinitionError) as wrong:
        parse({**raw, "stop_bought": ""})
    assert wrong.value.path == ("stop_bought",)


def test_the_shop_file_carries_trigger_stop_and_categories() -> None:
    record.categories(["便當"], now=MONDAY)
    row = publish(step(1), trigger={"purchase": "便當"}, stop_bought="any", now=MONDAY, name="回購")
    written = dump_shop()
    assert "purchase: 便當" in written
    assert "stop_bought: any" in written
    report = load_shop(written, staff=None, now=MONDAY, wall=MONDAY)
    assert "回購" not in str(report.created + report.changed)
    PurchaseCategory.delete().execute()
    sequence = Sequence.get_by_id(row.id)
    sequence.delete_instance(recursive=True)
    report = load_shop(written, staff=None, now=MONDAY, wall=MONDAY)
    assert {("category", "便當"), ("sequence", "回購")} <= set(report.created)
    assert dump_shop() == written
