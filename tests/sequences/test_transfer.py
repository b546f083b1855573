"""Friends underway when a new version is published: they finish on theirs, or are moved."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin.errors import DomainError
from lineadmin.outbox.models import Delivery
from lineadmin.sequences import actions, advance, drafts, enrolments, moves, transfer
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion, VersionMove
from tests.sequences.rehearsing import rehearse
from tests.sequences.rehearsing import told as rehearsed
from tests.sequences.stage import TAIPEI, at, follow, planned, publish, run_of, step, tick

pytestmark = pytest.mark.usefixtures("db")
MONDAY = at("2026-11-23")
LATER = at("2026-11-24", "15:00")
YOUNG = {"field": "age", "op": "less_than", "value": 25}


def again(sequence: Sequence, *branches: Any, now: Any = LATER, **more: Any) -> None:
    """Publish other branches; a list of steps is a branch for everyone."""
    listed = [one if isinstance(one, dict) else {"steps": one} for one in branches]
    raw = {"trigger": {"follow": "any"}, "branches": listed, **more}
    drafts.save_draft(sequence.id, raw, version=None, staff=None, wall=now)
    actions.publish(sequence.id, version=None, staff=None, now=now, wall=now, public_url=None)


def move(sequence: Sequence, now: Any = LATER) -> transfer.Outlook:
    """Confirmed, and done by the worker."""
    row = moves.start(sequence.id, staff=None, now=now, wall=now)
    if row is None:
        return transfer.Outlook()
    moves.advance(now)
    return told(row)


def told(row: VersionMove) -> transfer.Outlook:
    row = VersionMove.get_by_id(row.id)
    assert row.state == moves.DONE
    return transfer.Outlook(row.moved, row.finished, row.stayed)


def branch(name: str, *steps: Any, where: Any = None) -> dict[str, Any]:
    if where is None:
        return {"name": name, "otherwise": True, "steps": list(steps)}
    return {"name": name, "where": where, "steps": list(steps)}


def next_of(friend: Any) -> str:
    return f"{run_of(friend).next_at.astimezone(TAIPEI):%m-%d %H:%M}"


def test_a_moved_friend_gets_the_next_step_counted_from_her_last() -> None:
    sequence = publish(step(1), step(7), step(7), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(LATER)  # step 1 went out on the 24th
    again(sequence, [step(1), step(3, "18:00"), step(5)])
    assert next_of(hana) == "12-01 10:00"
    assert move(sequence) == transfer.Outlook(1, 0, 0)
    assert next_of(hana) == "11-27 18:00"
    tick(at("2026-11-27", "18:00"))
    tick(at("2026-12-02", "10:00"))
    assert [one[:2] for one in planned(hana)] == [
        (1, "11-24 10:00"),
        (2, "11-27 18:00"),
        (3, "12-02 10:00"),
    ]
    assert run_of(hana).state == enrolments.FINISHED


def test_moving_twice_moves_nobody_twice() -> None:
    sequence = publish(step(1), step(7), now=MONDAY)
    follow(MONDAY)
    tick(MONDAY)
    again(sequence, [step(2), step(7)])
    assert move(sequence).move == 1
    assert move(sequence) == transfer.Outlook(0, 0, 0)


def test_branches_are_known_by_name_wherever_they_stand() -> None:
    first = publish(
        branches=[branch("年輕人", step(1), where=YOUNG), branch("其他好友", step(1), step(7))],
        now=MONDAY,
    )
    hana = follow(MONDAY, birth_year=2010)
    taro = follow(MONDAY)
    tick(MONDAY)
    assert (run_of(hana).branch, run_of(taro).branch) == (0, 1)
    old = {"field": "age", "op": "at_least", "value": 65}
    again(
        first,
        branch("長輩", step(4), where=old),
        branch("年輕人", step(2, "20:00"), where=YOUNG),
        branch("其他好友", step(3)),
        now=MONDAY,
    )
    assert move(first, MONDAY) == transfer.Outlook(2, 0, 0)
    assert (run_of(hana).branch, next_of(hana)) == (1, "11-25 20:00")
    assert (run_of(taro).branch, next_of(taro)) == (2, "11-26 10:00")


def test_whose_branch_is_gone_finishes_on_her_version() -> None:
    sequence = publish(
        branches=[branch("年輕人", step(1), where=YOUNG), branch("其他好友", step(1))], now=MONDAY
    )
    hana = follow(MONDAY, birth_year=2010)
    tick(MONDAY)
    again(sequence, [step(9)], now=MONDAY)
    before = run_of(hana)
    live = actions.live_definition(Sequence.get_by_id(sequence.id))
    assert transfer.outlook(transfer.standing(sequence.id), live) == transfer.Outlook(0, 0, 1)
    assert moves.start(sequence.id, staff=None, now=MONDAY, wall=MONDAY) is None  # nobody to move
    assert run_of(hana).version_id == before.version_id
    tick(LATER)
    assert [one[:2] for one in planned(hana)] == [(1, "11-24 10:00")]


def test_who_has_had_as_many_steps_is_finished() -> None:
    sequence = publish(step(1), step(7), step(7), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(LATER)
    again(sequence, [step(1)])
    assert move(sequence) == transfer.Outlook(0, 1, 0)
    assert run_of(hana).state == enrolments.FINISHED
    tick(at("2026-12-20"))
    assert len(planned(hana)) == 1


def test_those_on_hold_after_a_restore_are_moved_and_stay_on_hold() -> None:
    sequence = publish(step(1), step(7), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    Enrolment.update(state=enrolments.HELD).execute()
    again(sequence, [step(3), step(7)])
    move(sequence)
    assert (run_of(hana).state, next_of(hana)) == (enrolments.HELD, "11-26 10:00")


def test_whose_branch_is_not_decided_yet_is_decided_on_the_new_version() -> None:
    groups = [branch("年輕人", step(5), where=YOUNG), branch("其他好友", step(5))]
    sequence = publish(branches=groups, now=MONDAY, decide="first_step")
    hana = follow(MONDAY, birth_year=2010)
    tick(MONDAY)
    again(
        sequence,
        branch("學生", step(1, "09:00"), where=YOUNG),
        branch("其他好友", step(2)),
        now=MONDAY,
        decide="first_step",
    )
    assert move(sequence, MONDAY).move == 1
    tick(at("2026-11-24", "09:00"))
    assert [one[:2] for one in planned(hana)] == [(1, "11-24 09:00")]
    assert SequenceVersion.get_by_id(run_of(hana).version_id).number == 2


# -- by the worker, in portions ----------------------------------------------------------------


def begin(sequence: Sequence, now: Any = LATER) -> VersionMove:
    row = moves.start(sequence.id, staff=None, now=now, wall=now)
    assert row is not None
    return row


def test_portions_go_on_from_the_cursor_and_count_what_they_did() -> None:
    sequence = publish(
        branches=[
            branch("年輕人", step(1), step(7), where=YOUNG),
            branch("其他好友", step(1), step(7)),
        ],
        now=MONDAY,
    )
    friends = [follow(MONDAY, birth_year=2010 if n % 2 else None) for n in range(6)]
    tick(MONDAY)
    again(sequence, branch("學生", step(2), where=YOUNG), branch("其他好友", step(2)), now=MONDAY)
    row = begin(sequence, MONDAY)
    assert row.expected == 6
    moves.advance_chunk(row, MONDAY, limit=4)
    moves.advance_chunk(row, MONDAY, limit=4)  # a portion that is repeated moves nobody
    half = VersionMove.get_by_id(row.id)
    assert (half.moved, half.stayed, moves.progress(half)) == (1, 3, 66)
    assert moves.is_due()
    moves.advance(MONDAY)
    assert told(row) == transfer.Outlook(3, 0, 3)
    assert moves.progress(VersionMove.get_by_id(row.id)) == 100
    assert not moves.is_due()
    assert [next_of(one) for one in friends] == ["11-25 10:00", "11-24 10:00"] * 3


def test_who_is_due_before_her_turn_gets_no_step_of_the_version_she_leaves() -> None:
    sequence = publish(step(1), step(1, "18:00"), now=MONDAY)
    hana, taro = follow(MONDAY), follow(MONDAY)
    tick(MONDAY)
    tick(at("2026-11-24", "10:00"))  # the first step is planned for both: it stays theirs
    later = at("2026-11-25", "18:00")
    again(sequence, [step(1), step(3, "09:00", messages=[{"text": "new"}])], now=later)
    row = begin(sequence, later)
    # The worker has not come to them, and the second step of the old version is due now.
    advance.advance(later, later)
    assert [len(planned(one)) for one in (hana, taro)] == [1, 1]
    assert [next_of(one) for one in (hana, taro)] == ["11-27 09:00"] * 2
    moves.advance(later)
    assert told(row) == transfer.Outlook(2, 0, 0)
    tick(at("2026-11-27", "09:00"))
    assert [one[:2] for one in planned(hana)] == [(1, "11-24 10:00"), (2, "11-27 09:00")]
    assert Delivery.select().order_by(Delivery.id.desc()).get().content.summary == "new"


def test_a_dry_run_shows_what_comes_after_the_move() -> None:
    sequence = publish(step(1), step(7), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    again(sequence, [step(4, "18:00")], now=MONDAY)
    begin(sequence, MONDAY)
    row = Sequence.get_by_id(sequence.id)
    assert rehearsed(rehearse(row, hana, now=MONDAY)) == [(1, "11-27 18:00", "")]
    assert next_of(hana) == "11-24 10:00"  # a dry run moves nobody


def test_a_step_whose_day_has_passed_comes_on_the_next_possible_day() -> None:
    sequence = publish(step(1), step(20), step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    tick(LATER)
    again(sequence, [step(1), step(2), step(7, weekday="mon")])
    friday = at("2026-11-27", "15:00")
    move(sequence, friday)
    assert next_of(hana) == "11-28 10:00"
    tick(at("2026-11-28", "10:00"))
    assert [one[:2] for one in planned(hana)][-1] == (2, "11-28 10:00")
    assert next_of(hana) == "12-07 10:00"


def test_what_the_server_missed_is_no_less_late_for_the_move() -> None:
    sequence = publish(step(1), step(7), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    back = at("2026-11-27", "12:00")
    again(sequence, [step(1), step(9)], now=back)
    move(sequence, back)
    tick(back)
    assert planned(hana) == [(1, "11-24 10:00", "late")]
    assert next_of(hana) == "12-03 10:00"


def test_one_version_after_the_other() -> None:
    sequence = publish(step(1), now=MONDAY)
    hana = follow(MONDAY)
    tick(MONDAY)
    again(sequence, [step(2)], now=MONDAY)
    first = begin(sequence, MONDAY)
    with pytest.raises(DomainError):
        begin(sequence, MONDAY)
    taro = follow(MONDAY)
    tick(MONDAY)
    again(sequence, [step(5)], now=MONDAY)
    ken = follow(MONDAY)
    tick(MONDAY)
    # Published without moving anybody: who was on her way to version 2 still comes there,
    # and who began on version 3 is not taken back.
    moves.advance(MONDAY)
    assert told(first) == transfer.Outlook(1, 0, 0)
    assert [next_of(one) for one in (hana, taro, ken)] == [
        "11-25 10:00",
        "11-25 10:00",
        "11-28 10:00",
    ]
    assert move(sequence, MONDAY) == transfer.Outlook(2, 0, 0)
    assert {next_of(one) for one in (hana, taro, ken)} == {"11-28 10:00"}


def test_stopped_half_way_who_was_moved_stays_there() -> None:
    sequence = publish(step(1), now=MONDAY)
    hana, taro = follow(MONDAY), follow(MONDAY)
    tick(MONDAY)
    again(sequence, [step(2)], now=MONDAY)
    row = begin(sequence, MONDAY)
    moves.advance_chunk(row, MONDAY, limit=1)
    assert moves.stop(sequence.id, staff=None, now=MONDAY, wall=MONDAY)
    assert not moves.stop(sequence.id, staff=None, now=MONDAY, wall=MONDAY)
    moves.advance(MONDAY)
    assert [next_of(one) for one in (hana, taro)] == ["11-25 10:00", "11-24 10:00"]


def test_without_branches_any_more_the_undecided_come_along() -> None:
    groups = [branch("年輕人", step(5), where=YOUNG), branch("其他好友", step(5))]
    sequence = publish(branches=groups, now=MONDAY, decide="first_step")
    hana = follow(MONDAY)
    tick(MONDAY)
    again(sequence, [step(2)], now=MONDAY)
    assert move(sequence, MONDAY).move == 1
    tick(at("2026-11-25"))
    assert planned(hana) == [(1, "11-25 10:00", "")]
