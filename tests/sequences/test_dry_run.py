"""Dry runs: the same planner, a clock that runs ahead, and nothing that stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import config as configuration
from lineadmin import journal, settings
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import Source, Tag
from lineadmin.outbox.models import Delivery
from lineadmin.sequences import actions, drafts
from lineadmin.sequences.dry_start import Imaginary
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion
from tests.factories import make_friend
from tests.sequences.playing import phone, play
from tests.sequences.rehearsing import everything, rehearse, rows_of, told
from tests.sequences.stage import at, follow, publish, run_of, step, tick

MONDAY = at("2026-11-23")
QUIET = {"quiet_from": "21:00", "quiet_until": "09:00"}


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one."""


def test_it_tells_the_days_and_the_words_of_every_step() -> None:
    sequence = publish(
        step(1, "10:00", messages=[{"text": "{name|朋友}，早安"}]),
        step(3, "18:30", weekday="mon"),
        now=MONDAY,
    )
    outlook = rehearse(sequence, Imaginary(name="小華"), now=MONDAY)
    assert told(outlook) == [(1, "11-24 10:00", ""), (2, "11-30 18:30", "")]
    assert outlook.own[0].messages == [{"type": "text", "text": "小華，早安"}]
    assert (outlook.end, outlook.refused) == ("finished", "")


def test_nothing_of_it_stays(db: Any) -> None:
    Coupon.create(
        code="bento20",
        title="8 折",
        benefit="percent",
        benefit_value=20,
        valid_days=7,
        created_at=MONDAY,
    )
    sequence = publish(
        step(1, messages=[{"text": "hi"}, {"coupon": "bento20"}]), step(1), now=MONDAY
    )
    friend = make_friend()
    before = everything()
    outlook = rehearse(sequence, friend, now=MONDAY)
    assert len(outlook.own) == 2
    assert outlook.own[0].messages[1]["type"] == "flex"
    assert everything() == before
    assert not Delivery.select().exists()
    assert not CouponIssue.select().exists()


def test_a_draft_is_tried_as_it_stands_in_the_editor() -> None:
    sequence = publish(step(1), now=MONDAY)
    raw = {
        "trigger": {"follow": "any"},
        "branches": [{"steps": [step(2, "08:15"), step(2, "08:15", messages=[])]}],
    }
    drafts.save_draft(sequence.id, raw, version=None, staff=None, wall=MONDAY)
    sequence = Sequence.get_by_id(sequence.id)
    assert told(rehearse(sequence, Imaginary(), now=MONDAY)) == [
        (1, "11-25 08:15", ""),
        (2, "11-27 08:15", "no_message"),
    ]
    assert SequenceVersion.select().count() == 1


def test_quiet_hours_move_the_leaving_and_not_the_day() -> None:
    settings.change_shop(QUIET, staff=None, wall=MONDAY)
    sequence = publish(step(1, "23:00"), step(1, "08:00"), now=MONDAY)
    outlook = rehearse(sequence, Imaginary(), now=at("2026-11-23", "23:50"))
    assert told(outlook) == [(1, "11-25 09:00", ""), (2, "11-25 09:00", "")]
    assert outlook.own[0].due_at == at("2026-11-24", "23:00")


def test_who_is_underway_goes_on_from_where_she_is() -> None:
    sequence = publish(step(1), step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    outlook = rehearse(sequence, hana, now=at("2026-11-24", "20:00"))
    assert outlook.since == MONDAY
    # The first one is planned and waits for the sender.
    assert told(outlook) == [
        (1, "11-24 20:00", ""),
        (2, "11-25 10:00", ""),
        (3, "11-26 10:00", ""),
    ]
    assert run_of(hana).step == 1


@pytest.mark.parametrize(
    ("friend", "refused"),
    [
        ({"status": "blocked"}, "blocked"),
        ({"source": "flyer"}, "source"),
        ({"source": None}, "source"),
        ({"source": "storefront"}, ""),
    ],
)
def test_it_says_why_a_friend_would_not_start(friend: dict[str, Any], refused: str) -> None:
    sources = {
        code: Source.create(code=code, name=code, created_at=MONDAY)
        for code in ("storefront", "flyer")
    }
    sequence = publish(step(1), trigger={"follow": ["storefront"]}, now=MONDAY)
    if friend.get("source"):
        friend = {**friend, "source": sources[friend["source"]]}
    assert rehearse(sequence, make_friend(**friend), now=MONDAY).refused == refused


def test_who_has_been_through_it_and_who_comes_outside_the_period() -> None:
    sequence = publish(step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    Delivery.delete().execute()
    assert rehearse(sequence, hana, now=at("2026-11-25")).refused == "finished"
    days = {"period_from": None, "period_until": at("2026-11-24").date()}
    actions.change_settings(
        sequence.id, name=sequence.name, version=None, staff=None, wall=MONDAY, **days
    )
    sequence = Sequence.get_by_id(sequence.id)
    assert rehearse(sequence, make_friend(), now=at("2026-11-25")).refused == "period"


def test_an_imaginary_friend_takes_the_branch_that_fits_her() -> None:
    Tag.create(name="素食", created_at=MONDAY)
    Source.create(code="line_pay", name="LINE Pay", created_at=MONDAY)
    branches = [
        {"name": "年輕", "where": {"field": "age", "op": "less_than", "value": 25}},
        {"name": "素食", "where": {"field": "tag", "op": "is", "value": "素食"}},
        {"name": "其他好友", "otherwise": True},
    ]
    for number, branch in enumerate(branches):
        branch["steps"] = [step(number + 1)]
    sequence = publish(branches=branches, trigger={"follow": ["line_pay"]}, now=MONDAY)
    found = [
        rehearse(sequence, Imaginary(source="line_pay", **fields), now=MONDAY).branch_name
        for fields in ({"age": 20}, {"age": 25, "tags": ("素食",)}, {})
    ]
    assert found == ["年輕", "素食", "其他好友"]
    assert not Enrolment.select().exists()


def test_the_cap_and_her_other_sequences_are_played_along() -> None:
    settings.change_shop({"cap_messages": 1, "cap_days": 1}, staff=None, wall=MONDAY)
    publish(step(1, "09:00"), now=MONDAY, name="每日")
    sequence = publish(step(1, "10:00"), now=MONDAY)
    outlook = rehearse(sequence, Imaginary(), now=MONDAY)
    assert [(one.sequence, one.sent, one.reason) for one in outlook.messages] == [
        ("每日", True, ""),
        (sequence.name, False, "cap"),
    ]


def test_it_equals_what_comes_later_row_for_row(line: Any, line_config: Any) -> None:
    """With quiet hours, a cap, a coupon that runs out and a second sequence."""
    configuration.use(line_config)
    settings.change_shop({**QUIET, "cap_messages": 3, "cap_days": 7}, staff=None, wall=MONDAY)
    Coupon.create(
        code="few",
        title="限量",
        benefit="gift",
        benefit_text="紅茶",
        valid_days=7,
        stock=1,
        created_at=MONDAY,
    )
    sequence = publish(
        step(1, "22:00"),
        step(2, "10:00", messages=[{"coupon": "few"}]),
        step(3, "09:30", messages=[{"coupon": "few"}, {"text": "再來！"}]),
        step(30, "11:00", weekday="mon"),
        now=MONDAY,
    )
    publish(step(1, "10:00"), step(1, "10:00"), step(1, "10:00"), now=MONDAY)
    hana = phone(line, "花", followed_at=MONDAY, first_followed_at=MONDAY)
    outlook = rehearse(sequence, hana, now=MONDAY)
    expected = [
        (one.sequence_id, one.branch, one.step, one.due_at, one.sent, one.reason, one.detail)
        for one in sorted(outlook.messages, key=lambda one: (one.due_at, one.sequence_id))
    ]
    journal.record(hana.id, "followed", at=MONDAY)
    play(MONDAY, MONDAY + timedelta(days=60))
    real = [
        (origin, run % 1000 // 100, run % 100, due, state == 2, reason, detail)
        for origin, run, due, _expires, state, reason, detail, _parts, _at in sorted(
            rows_of(hana.id), key=lambda row: (row[2], row[0])
        )
    ]
    assert len(real) == 7
    assert real == expected
    assert [one.at for one in outlook.messages if one.sent] == sorted(
        row[-1] for row in rows_of(hana.id) if row[4] == 2
    )
