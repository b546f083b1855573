"""Drafts keep themselves, and can be walked back and forth; versions can be gone back to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin.errors import Conflict, DomainError
from lineadmin.sequences import actions, drafts, edit
from lineadmin.sequences.definition import DefinitionError, dump
from lineadmin.sequences.models import DraftState, Sequence, SequenceVersion
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.sequences.stage import publish, step

pytestmark = pytest.mark.usefixtures("db")
YOUNG = {"field": "age", "op": "less_than", "value": 25}


def make() -> Sequence:
    return actions.create_sequence("新好友", staff=None, now=NOON, wall=NOON)


def days(row: Sequence) -> list[int]:
    """Days of the steps of the first branch, as the editor has them."""
    definition = actions.definition_of(Sequence.get_by_id(row.id))
    return [one.after_days for one in definition.branches[0].steps]


def save(row: Sequence, *after_days: int, seconds: float = 0, about: str = "", **more: Any) -> int:
    raw = {
        "trigger": {"follow": "any"},
        "branches": [{"steps": [step(one, messages=[]) for one in after_days]}],
    }
    wall = NOON + timedelta(seconds=seconds)
    return drafts.save_draft(
        row.id, raw, **{"version": None, "staff": None, "wall": wall, "about": about, **more}
    )


def walk(row: Sequence, way: Any) -> bool:
    return bool(way(row.id, version=None, staff=None, wall=NOON))


def test_what_was_done_is_undone_and_done_again() -> None:
    row = make()
    save(row, 2)
    save(row, 2, 3)
    assert drafts.reach(Sequence.get_by_id(row.id)) == (True, False)
    assert walk(row, drafts.undo)
    assert days(row) == [2]
    assert walk(row, drafts.undo)
    assert days(row) == [1]  # as it was made
    assert not walk(row, drafts.undo)
    assert walk(row, drafts.redo)
    assert days(row) == [2]
    save(row, 9)
    assert not walk(row, drafts.redo)  # another way was taken
    assert days(row) == [9]


def test_what_is_typed_in_one_place_in_one_go_is_undone_as_one() -> None:
    row = make()
    for seconds, number in enumerate((2, 3, 4)):
        save(row, number, seconds=seconds, about="0-1")
    save(row, 5, seconds=600, about="0-1")  # came back to it later
    assert Audit.select().where(Audit.action == "sequence.edit").count() == 2
    walk(row, drafts.undo)
    assert days(row) == [4]
    walk(row, drafts.undo)
    assert days(row) == [1]


def test_only_the_last_states_are_kept() -> None:
    row = make()
    for number in range(1, drafts.MOST_STATES + 20):
        save(row, number % 30 + 1, number % 7 + 1)
    assert DraftState.select().count() == drafts.MOST_STATES


def test_who_saves_over_somebody_elses_change_is_told_and_nothing_is_kept() -> None:
    row = make()
    opened = row.version
    save(row, 2)
    with pytest.raises(Conflict):
        save(row, 3, version=opened)
    assert days(row) == [2]
    with pytest.raises(Conflict):
        drafts.undo(row.id, version=opened, staff=None, wall=NOON)
    assert days(row) == [2]


def test_discarding_goes_back_to_what_is_live_and_can_be_undone() -> None:
    row = publish(step(1), now=NOON)
    save(row, 5)
    drafts.discard_draft(row.id, version=None, staff=None, wall=NOON)
    assert Sequence.get_by_id(row.id).draft is None
    walk(row, drafts.undo)
    assert days(row) == [5]


def test_an_earlier_version_becomes_the_draft_and_nothing_else() -> None:
    row = publish(step(1), now=NOON)
    save(row, 2, 3)
    drafts.save_draft(
        row.id,
        {"trigger": {"follow": "any"}, "branches": [{"steps": [step(2), step(3)]}]},
        version=None,
        staff=None,
        wall=NOON,
    )
    actions.publish(row.id, version=None, staff=None, now=NOON, wall=NOON, public_url="https://x")
    drafts.restore_version(row.id, 1, version=None, staff=None, wall=NOON)
    row = Sequence.get_by_id(row.id)
    assert days(row) == [1]
    assert SequenceVersion.get_by_id(row.live_version).number == 2
    drafts.restore_version(row.id, 2, version=None, staff=None, wall=NOON)
    assert Sequence.get_by_id(row.id).draft is None  # the same as what is live
    with pytest.raises(DomainError):
        drafts.restore_version(row.id, 3, version=None, staff=None, wall=NOON)


# -- what the canvas does ----------------------------------------------------------------------


def raw(*steps: Any) -> dict[str, Any]:
    return {"trigger": {"follow": "any"}, "branches": [{"steps": list(steps)}]}


def test_a_new_step_comes_at_the_hour_and_in_the_rhythm_of_those_before() -> None:
    draft = raw(step(1, "11:00", weekday="mon"))
    assert edit.add_step(draft, 0, 1) == 2
    assert edit.add_step(draft, 0, 2) == 3
    steps = draft["branches"][0]["steps"]
    assert [(one["after_days"], one["at"], one["weekday"]) for one in steps] == [
        (1, "11:00", "mon"),
        (7, "11:00", "mon"),
        (7, "11:00", "mon"),
    ]
    assert steps[2]["messages"] == []
    assert edit.copy_step(draft, 0, 1) == 2
    assert steps[1]["messages"] == steps[0]["messages"]
    for gone in (0, 9):
        with pytest.raises(DefinitionError):
            edit.delete_step(draft, 0, gone)


def test_the_first_branch_splits_and_the_last_one_joins_again() -> None:
    draft = raw(step(1), step(2))
    assert edit.add_branch(draft) == 0
    edit.describe_branch(draft, 0, name="", where=YOUNG)
    assert [(one["name"], len(one["steps"])) for one in draft["branches"]] == [
        ("年齡未滿 25", 2),
        ("其他好友", 2),
    ]
    draft["branches"][0]["steps"][0]["at"] = "09:00"
    assert draft["branches"][1]["steps"][0]["at"] == "10:00"  # a copy, not the same
    with pytest.raises(DefinitionError):
        edit.delete_branch(draft, 1)
    edit.delete_branch(draft, 0)
    assert draft == raw(step(1), step(2))


def test_a_branch_is_called_what_its_condition_says_until_staff_say_otherwise() -> None:
    draft = raw(step())
    edit.add_branch(draft)
    edit.describe_branch(draft, 0, name="", where=YOUNG)
    older = {**YOUNG, "value": 30}
    edit.describe_branch(draft, 0, name="年齡未滿 25", where=older)
    assert draft["branches"][0]["name"] == "年齡未滿 30"
    edit.describe_branch(draft, 0, name="年輕人", where=YOUNG)
    assert draft["branches"][0]["name"] == "年輕人"
    edit.add_branch(draft)
    with pytest.raises(DefinitionError, match="同名"):
        edit.describe_branch(draft, 1, name="年輕人", where=None)


def test_branches_change_places_but_everyone_else_stays_last() -> None:
    draft = raw(step())
    for number, value in enumerate((20, 30)):
        edit.add_branch(draft)
        edit.describe_branch(draft, number, name=str(value), where={**YOUNG, "value": value})
    assert edit.move_branch(draft, 1, left=True) == 0
    assert edit.move_branch(draft, 0, left=True) == 0
    assert edit.move_branch(draft, 1, left=False) == 1
    assert [one["name"] for one in draft["branches"]] == ["30", "20", "其他好友"]
    assert edit.copy_branch(draft, 2) == 2
    assert dump(actions.EMPTY)["branches"]  # the starting point was not touched
    assert draft["branches"][2]["where"] == edit.UNCHOSEN
