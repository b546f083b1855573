"""Friends underway, with the clock moved: what is planned for whom, when, and why not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import journal, settings
from lineadmin.friends.models import Friend, FriendTag, Source, Tag
from lineadmin.journal.models import Fact
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.sequences import actions, advance, drafts, enrolments, triggers
from lineadmin.sequences.models import Enrolment, Sequence
from tests.factories import make_friend, make_friends
from tests.sequences.stage import at, follow, planned, publish, run_of, step, tick

MONDAY = at("2026-11-23")


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one."""


def test_steps_follow_one_another_at_their_times() -> None:
    publish(step(1, "10:00"), step(7, "18:30"), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    assert planned(hana) == []
    tick(at("2026-11-24", "09:59"))
    assert planned(hana) == []
    tick(at("2026-11-24", "10:00"))
    assert planned(hana) == [(1, "11-24 10:00", "")]
    tick(at("2026-12-01", "18:30"))
    assert planned(hana) == [(1, "11-24 10:00", ""), (2, "12-01 18:30", "")]
    ended = run_of(hana)
    assert (ended.state, ended.reason, ended.step) == ("finished", "", 2)
    kinds = [fact.kind for fact in Fact.select().order_by(Fact.id)]
    assert kinds == ["followed", "sequence.enrolled", "sequence.ended"]


def test_ticks_that_come_twice_or_late_change_nothing() -> None:
    publish(step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    for _ in range(3):
        tick(MONDAY)
    for _ in range(3):
        tick(at("2026-11-24", "13:37"))
    assert planned(hana) == [(1, "11-24 10:00", "")]
    assert run_of(hana).next_at == at("2026-11-25", "10:00")


def test_who_joins_at_2350_gets_the_first_step_the_next_day() -> None:
    publish(step(1, "09:00"), now=MONDAY)
    late_evening = at("2026-11-23", "23:50")
    hana = follow(late_evening)
    tick(at("2026-11-24", "00:05"))
    assert run_of(hana).next_at == at("2026-11-24", "09:00")


def test_months_end_and_weekdays() -> None:
    publish(step(30, "11:00"), step(1, "11:00", weekday="mon"), now=MONDAY)
    hana = follow(at("2026-01-31"))
    tick(at("2026-01-31"))
    tick(at("2026-03-02", "11:00"))
    assert planned(hana) == [(1, "03-02 11:00", "")]
    assert run_of(hana).next_at == at("2026-03-09", "11:00")


def test_quiet_hours_do_not_move_the_days() -> None:
    settings.change_shop({"quiet_from": "21:00", "quiet_until": "09:00"}, staff=None, wall=MONDAY)
    publish(step(1, "23:00"), step(1, "23:00"), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24", "23:00"))
    tick(at("2026-11-25", "23:00"))
    # When they leave is the sender's business; the plan keeps its times.
    assert planned(hana) == [(1, "11-24 23:00", ""), (2, "11-25 23:00", "")]


def test_three_days_without_a_server_are_no_flood() -> None:
    publish(step(1), step(1), step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-27", "10:30"))
    assert planned(hana) == [
        (1, "11-24 10:00", "late"),
        (2, "11-25 10:00", "late"),
        (3, "11-26 10:00", ""),
        (4, "11-27 10:00", ""),
    ]
    sent = Delivery.get(Delivery.state == DeliveryState.QUEUED)
    assert sent.expires_at == at("2026-11-28", "00:00")


def test_a_late_step_keeps_its_day_for_the_next() -> None:
    publish(step(1), step(7), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-29"))
    assert planned(hana) == [(1, "11-24 10:00", "late")]
    assert run_of(hana).next_at == at("2026-12-01", "10:00")


def test_blocking_ends_it_and_unblocking_neither_resumes_nor_restarts() -> None:
    publish(step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    Friend.update(status="blocked").where(Friend.id == hana.id).execute()
    journal.record(hana.id, "blocked", at=at("2026-11-23", "15:00"))
    tick(at("2026-11-23", "15:01"))
    assert (run_of(hana).state, run_of(hana).reason) == ("stopped", "blocked")
    Friend.update(status="friend").where(Friend.id == hana.id).execute()
    journal.record(hana.id, "unblocked", at=at("2026-11-23", "16:00"))
    journal.record(hana.id, "followed", at=at("2026-11-23", "16:00"))
    for day in range(24, 28):
        tick(at(f"2026-11-{day}", "12:00"))
    assert planned(hana) == []
    assert Enrolment.select().count() == 1


def test_blocking_and_coming_back_between_two_ticks_ends_it_too() -> None:
    publish(step(1), now=MONDAY)
    hana = follow(MONDAY)
    journal.record(hana.id, "blocked", at=MONDAY + timedelta(minutes=1))
    journal.record(hana.id, "unblocked", at=MONDAY + timedelta(minutes=2))
    tick(MONDAY + timedelta(minutes=5))
    assert run_of(hana).state == "stopped"


def test_an_old_block_does_not_end_what_began_after_it() -> None:
    sequence = publish(
        step(1), trigger={"tag_added": "VIP"}, branches=None, now=tagged(MONDAY), enabled=True
    )
    hana = make_friend()
    journal.record(hana.id, "blocked", at=MONDAY - timedelta(days=9))
    journal.record(hana.id, "tag.added", object_id=Tag.get().id, at=MONDAY)
    tick(MONDAY)
    assert run_of(hana).state == "active"
    assert run_of(hana).sequence == sequence


def tagged(moment: Any) -> Any:
    Tag.create(name="VIP", created_at=moment)
    return moment


def test_a_blocked_friend_is_not_started() -> None:
    publish(step(1), now=MONDAY)
    follow(MONDAY, status="blocked")
    tick(MONDAY)
    assert not Enrolment.select().exists()


def test_who_blocks_without_a_fact_is_noticed_when_a_step_is_due() -> None:
    publish(step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    Friend.update(status="blocked").execute()
    tick(at("2026-11-24"))
    assert planned(hana) == []
    assert run_of(hana).reason == "blocked"


def test_who_wants_no_notifications_is_left_out_step_by_step() -> None:
    publish(step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    Friend.update(opted_out_at=MONDAY).execute()
    tick(at("2026-11-24"))
    Friend.update(opted_out_at=None).execute()
    tick(at("2026-11-25"))
    assert planned(hana) == [(1, "11-24 10:00", "opted_out"), (2, "11-25 10:00", "")]


def test_the_cap_leaves_a_step_out_and_keeps_its_day() -> None:
    settings.change_shop({"cap_messages": 1, "cap_days": 7}, staff=None, wall=MONDAY)
    publish(step(1), step(3), step(7), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    for day in ("11-24", "11-27", "12-04"):
        tick(at(f"2026-{day}"))
    assert planned(hana) == [
        (1, "11-24 10:00", ""),
        (2, "11-27 10:00", "cap"),
        (3, "12-04 10:00", ""),
    ]


def test_a_disabled_sequence_stands_still_and_goes_on() -> None:
    sequence = publish(step(1), step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    actions.disable(sequence.id, staff=None, wall=MONDAY)
    taro = follow(at("2026-11-24", "13:00"))
    tick(at("2026-11-25"))
    assert len(planned(hana)) == 1
    assert advance.may_send({sequence.id}, MONDAY) == set()
    actions.enable(sequence.id, staff=None, wall=MONDAY)
    assert advance.may_send({sequence.id}, MONDAY) == {sequence.id}
    tick(at("2026-11-26", "12:00"))
    # The second step's day ended half a day ago: still of use. Who came meanwhile is not started.
    assert [line[0] for line in planned(hana)] == [1, 2, 3]
    assert planned(taro) == []
    assert not Enrolment.select().where(Enrolment.friend_id == taro.id).exists()


def test_friends_start_within_the_period_only_and_finish_after_it() -> None:
    sequence = publish(step(7), now=MONDAY)
    actions.change_settings(
        sequence.id,
        name=sequence.name,
        period_from=at("2026-11-23").date(),
        period_until=at("2026-11-24").date(),
        version=None,
        staff=None,
        wall=MONDAY,
    )
    early = follow(at("2026-11-22", "23:59"))
    first = follow(at("2026-11-23", "00:00"))
    last = follow(at("2026-11-24", "23:59"))
    late = follow(at("2026-11-25", "00:00"))
    tick(at("2026-11-25", "00:01"))
    started = {row.friend_id for row in Enrolment.select()}
    assert started == {first.id, last.id}
    assert early.id not in started
    assert late.id not in started
    tick(at("2026-12-01"))
    assert [line[0] for line in planned(last)] == [1]


def test_chosen_sources_and_the_source_nobody_knows() -> None:
    shop = Source.create(code="storefront", name="門市", created_at=MONDAY)
    other = Source.create(code="line_pay", name="LINE Pay", created_at=MONDAY)
    publish(step(1), trigger={"follow": ["storefront", "unknown"]}, now=MONDAY)
    friends = [follow(MONDAY, source=source) for source in (shop, other, None)]
    tick(MONDAY)
    started = {row.friend_id for row in Enrolment.select()}
    assert started == {friends[0].id, friends[2].id}


def test_other_triggers() -> None:
    vip = Tag.create(name="VIP", created_at=MONDAY)
    other = Tag.create(name="other", created_at=MONDAY)
    publish(step(1), trigger={"tag_added": "VIP"}, now=MONDAY)
    hana, taro = make_friend(), make_friend()
    journal.record(hana.id, "tag.added", object_id=vip.id, at=MONDAY)
    journal.record(taro.id, "tag.added", object_id=other.id, at=MONDAY)
    tick(MONDAY)
    assert [row.friend_id for row in Enrolment.select()] == [hana.id]


def test_the_first_branch_that_fits_takes_a_friend() -> None:
    young = {"field": "age", "op": "less_than", "value": 25}
    female = {"field": "gender", "op": "is", "value": "female"}
    publish(
        branches=[
            {"name": "25 歲以下", "where": young, "steps": [step(1)]},
            {"name": "女生", "where": female, "steps": [step(2)]},
            {"name": "其他好友", "otherwise": True, "steps": [step(3)]},
        ],
        now=MONDAY,
    )
    both = follow(MONDAY, birth_year=2010, gender="female")
    second = follow(MONDAY, birth_year=1990, gender="female")
    rest = follow(MONDAY)
    tick(MONDAY)
    assert [run_of(one).branch for one in (both, second, rest)] == [0, 1, 2]
    assert run_of(rest).branch_reason == {"branch": "其他好友", "decided": "enrolment"}
    tick(at("2026-11-26"))
    origin = Delivery.get(Delivery.friend_id == second.id).origin_run
    assert advance.place_of(origin) == (1, 1)


def test_a_friend_finishes_on_the_version_she_started() -> None:
    sequence = publish(step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    new = {
        "trigger": {"follow": "any"},
        "branches": [{"steps": [step(1, messages=[{"text": "new"}])]}],
    }
    drafts.save_draft(sequence.id, new, version=None, staff=None, wall=MONDAY)
    actions.publish(sequence.id, version=None, staff=None, now=MONDAY, wall=MONDAY, public_url=None)
    taro = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    tick(at("2026-11-25"))
    said = {
        row.friend_id: row.content.parts
        for row in Delivery.select().order_by(Delivery.id)
        if row.friend_id in (hana.id, taro.id)
    }
    assert said == {hana.id: [{"text": "hello"}], taro.id: [{"text": "new"}]}
    assert len(planned(hana)) == 2
    assert len(planned(taro)) == 1


def test_ten_steps_thirty_days_apart_come_on_days_30_to_300() -> None:
    publish(*[step(30)] * 10, now=MONDAY)
    hana = follow(MONDAY)
    for month in range(11):
        tick(MONDAY + timedelta(days=30 * month))
    days = [MONDAY + timedelta(days=30 * month) for month in range(1, 11)]
    assert planned(hana) == [(n, f"{day:%m-%d} 10:00", "") for n, day in enumerate(days, 1)]
    assert run_of(hana).state == enrolments.FINISHED


def test_two_sequences_at_once() -> None:
    publish(step(1), now=MONDAY, name="每週")
    publish(step(1, "09:00"), now=MONDAY, name="活動")
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    assert sorted(line[1] for line in planned(hana)) == ["11-24 09:00", "11-24 10:00"]


def test_archiving_lets_everybody_go_and_takes_back_what_waits() -> None:
    sequence = publish(step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24"))
    actions.archive(sequence.id, staff=None, now=at("2026-11-24"), wall=MONDAY)
    tick(at("2026-11-24"))
    assert run_of(hana).reason == "archived"
    assert Delivery.get().state == DeliveryState.CANCELED
    assert not Sequence.get_by_id(sequence.id).enabled


def test_what_a_restore_put_on_hold_goes_on_when_staff_release_it() -> None:
    sequence = publish(step(1), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    Enrolment.update(state="held").execute()
    tick(at("2026-11-24"))
    assert planned(hana) == []
    assert actions.release_held(sequence.id, staff=None, now=MONDAY, wall=MONDAY) == 1
    tick(at("2026-11-24", "13:00"))
    assert planned(hana) == [(1, "11-24 10:00", "")]


def test_a_condition_that_makes_no_sense_holds_up_nobody_else() -> None:
    broken = publish(
        branches=[
            {
                "name": "a",
                "where": {"field": "age", "op": "at_least", "value": 3},
                "steps": [step(1)],
            },
            {"name": "b", "otherwise": True, "steps": [step(1)]},
        ],
        now=MONDAY,
    )
    from lineadmin.segments.models import Segment

    loop = {"field": "segment", "op": "is", "value": "loop"}
    Segment.create(name="loop", tree=loop, created_at=MONDAY)
    from lineadmin.sequences.models import SequenceVersion

    version = SequenceVersion.get_by_id(broken.live_version)
    version.definition["branches"][0]["where"] = loop
    version.save()
    fine = publish(step(1), now=MONDAY)
    follow(MONDAY)
    tick(MONDAY)
    assert [row.sequence_id for row in Enrolment.select()] == [fine.id]


def test_thousands_who_join_at_once_all_start_and_all_get_their_step() -> None:
    publish(step(1), now=MONDAY)
    ids = make_friends(12_000)
    journal.record_many(ids, "followed", at=MONDAY)
    assert triggers.advance(MONDAY, MONDAY) == 12_000
    assert Enrolment.select().count() == 12_000
    assert advance.advance(at("2026-11-24"), MONDAY) == 12_000
    assert Delivery.select().count() == 12_000
    assert advance.advance(at("2026-11-24"), MONDAY) == 0
    assert enrolments.counts([1])[1]["finished"] == 10_001  # more than 10,000
    assert enrolments.counts([1], most=20_000)[1] == {
        "active": 0,
        "finished": 12_000,
        "stopped": 0,
        "held": 0,
    }


def test_a_tag_that_is_added_by_the_trigger_of_a_reply_counts_once() -> None:
    vip = Tag.create(name="VIP", created_at=MONDAY)
    publish(step(1), trigger={"tag_added": "VIP"}, now=MONDAY)
    hana = make_friend()
    for _ in range(3):
        journal.record(hana.id, "tag.added", object_id=vip.id, at=MONDAY)
    FriendTag.create(friend=hana, tag=vip, at=MONDAY)
    tick(MONDAY)
    assert Enrolment.select().count() == 1
