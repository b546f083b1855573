"""A second person looks: thresholds, who may agree, and what makes an approval void."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import settings
from lineadmin.broadcasts import actions, approval, states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.errors import Conflict, DomainError, NotAllowed
from lineadmin.outbox.models import Delivery
from lineadmin.segments.actions import change_segment, create_segment
from lineadmin.staff.models import Audit, Staff
from tests.broadcasts.stage import (
    EVERYONE,
    HELLO,
    MINUTE,
    cancel,
    confirm,
    draft,
    state,
    tagged,
    tick,
)
from tests.conftest import NOON
from tests.factories import make_friend, make_friends, make_staff
from tests.panel import Panel


@pytest.fixture
def people(db: Any) -> dict[str, Staff]:
    """A shop of five friends in which more than three recipients need a second person."""
    make_friends(5)
    settings.change_shop({"approval_recipients": 3}, staff=None, wall=NOON)
    return {
        "author": make_staff("manager", name="阿德"),
        "other": make_staff("manager", name="小美"),
        "viewer": make_staff("viewer"),
    }


def asked(people: dict[str, Staff], **fields: Any) -> Broadcast:
    row = draft(staff=people["author"], **fields)
    return confirm(row, staff=people["author"])


def agree(row: Broadcast, staff: Staff, *, now: Any = NOON, **more: Any) -> Broadcast:
    fresh = Broadcast.get_by_id(row.id)
    more.setdefault("seen_hash", fresh.frozen_hash)
    more.setdefault("expected", fresh.expected)
    return approval.approve(row.id, staff=staff, now=now, wall=now, **more)


def test_above_the_threshold_nothing_leaves_before_somebody_else_agrees(
    people: dict[str, Staff],
) -> None:
    row = asked(people)
    assert (row.state, row.leaves_at, row.expected) == (states.APPROVAL, None, 5)
    tick(NOON + timedelta(hours=5))
    assert not Delivery.select().exists()
    assert [one.id for one in approval.waiting()] == [row.id]

    row = agree(row, people["other"], now=NOON + 10 * MINUTE)
    assert (row.state, row.approved_by) == (states.SCHEDULED, people["other"].id)
    assert row.leaves_at == NOON + 15 * MINUTE
    tick(row.leaves_at)
    assert Delivery.select().count() == 5
    verbs = [
        line.action
        for line in Audit.select().where(Audit.object_kind == "broadcast").order_by(Audit.id)
    ]
    assert verbs == ["broadcast.create", "broadcast.ask_approval", "broadcast.approve"]


@pytest.mark.parametrize(("limit", "waits"), [(4, True), (5, False), (None, False)])
def test_the_threshold_itself_is_still_allowed(
    people: dict[str, Staff], limit: int | None, waits: bool
) -> None:
    settings.change_shop({"approval_recipients": limit}, staff=None, wall=NOON)
    assert asked(people).state == (states.APPROVAL if waits else states.SCHEDULED)


def test_money_is_a_threshold_of_its_own(people: dict[str, Staff]) -> None:
    settings.change_shop(
        {
            "approval_recipients": None,
            "approval_twd": 1,
            "plan_included": 0,
            "plan_extra_price": 0.2,
        },
        staff=None,
        wall=NOON,
    )
    assert asked(people).state == states.SCHEDULED  # five times 0.2
    make_friend()
    assert asked(people).state == states.APPROVAL


def test_who_had_a_hand_in_it_cannot_agree(people: dict[str, Staff]) -> None:
    row = draft(staff=people["author"])
    editor = make_staff("owner", name="改稿的人")
    fields = {"parts": [{"text": "改過"}], "audience": EVERYONE, "at": None}
    actions.edit_broadcast(
        row.id, name=row.name, version=row.version, staff=editor, wall=NOON, **fields
    )
    asker = make_staff("manager", name="送審的人")
    row = confirm(row, staff=asker)
    for hand in (people["author"], editor, asker, people["viewer"]):
        with pytest.raises(NotAllowed):
            agree(row, hand)
        assert state(row) == states.APPROVAL
    assert agree(row, people["other"]).state == states.SCHEDULED


def test_an_edit_voids_the_approval(people: dict[str, Staff]) -> None:
    row = agree(asked(people), people["other"])
    back = cancel(row)
    assert (back.state, back.approved_by, back.frozen_hash) == (states.DRAFT, None, "")
    fields = {"parts": [{"text": "改過的內容"}], "audience": EVERYONE, "at": None}
    actions.edit_broadcast(
        row.id, name=row.name, version=back.version, staff=people["author"], wall=NOON, **fields
    )
    assert confirm(row, staff=people["author"]).state == states.APPROVAL


def test_what_was_not_seen_is_not_approved(people: dict[str, Staff]) -> None:
    row = asked(people)
    with pytest.raises(Conflict):
        agree(row, people["other"], seen_hash="0" * 64)
    make_friend()
    with pytest.raises(DomainError, match="6"):
        agree(row, people["other"])
    assert state(row) == states.APPROVAL


def test_a_segment_that_changes_after_the_approval_asks_again(people: dict[str, Staff]) -> None:
    for number in range(5):
        make_friend(f"常客{number}", tags=("常客",))
    segment = create_segment("常客", tagged("常客"), staff=None, now=NOON, wall=NOON)
    to = {"field": "segment", "op": "is", "value": "常客"}
    row = agree(asked(people, audience=to), people["other"])
    change_segment(segment, EVERYONE, staff=None, wall=NOON)
    tick(row.leaves_at)
    assert state(row) == states.APPROVAL
    assert not Delivery.select().exists()
    assert Audit.select().where(Audit.action == "broadcast.void_approval").count() == 1
    make_staff("manager")
    assert agree(row, people["other"], expected=10).state == states.SCHEDULED


def test_what_grew_beyond_the_threshold_asks_before_it_leaves(people: dict[str, Staff]) -> None:
    for number in range(3):
        make_friend(f"常客{number}", tags=("常客",))
    row = confirm(draft(tagged("常客"), staff=people["author"]), staff=people["author"])
    assert row.state == states.SCHEDULED
    make_friend("第四位", tags=("常客",))
    tick(row.leaves_at)
    assert state(row) == states.APPROVAL


def test_it_goes_back_with_a_word(people: dict[str, Staff]) -> None:
    row = asked(people)
    with pytest.raises(DomainError):
        approval.send_back(row.id, " ", staff=people["other"], now=NOON, wall=NOON)
    approval.send_back(row.id, "價格寫錯", staff=people["other"], now=NOON, wall=NOON)
    back = Broadcast.get_by_id(row.id)
    assert (back.state, back.note) == (states.DRAFT, "價格寫錯")


def test_a_time_that_passed_while_waiting_is_refused(people: dict[str, Staff]) -> None:
    row = asked(people, at=NOON + timedelta(hours=1), parts=HELLO)
    with pytest.raises(DomainError):
        agree(row, people["other"], now=NOON + timedelta(hours=4))


def test_on_screen_the_other_person_is_asked_and_the_author_is_not(app: Any, clock: Any) -> None:
    make_friends(5)
    settings.change_shop({"approval_recipients": 3}, staff=None, wall=NOON)
    author = Panel(app, make_staff("manager", name="阿德"))
    other = Panel(app, make_staff("manager", name="小美"))
    row = draft(staff=author.staff, name="大群發")
    address = f"/admin/broadcasts/{row.id}"
    assert "送請審核" in author.get(f"{address}/confirm/").text
    sent = {"version": row.version, "expected": 5, "typed": "5"}
    assert author.post(f"{address}/confirm/", sent).status_code == 302
    assert "大群發" in other.get("/admin/").text
    assert "等待你審核" in other.get("/admin/profile/").text
    assert "等待你審核" not in author.get("/admin/profile/").text
    seen = {"seen_hash": Broadcast.get().frozen_hash, "expected": 5}
    author.post(f"{address}/approve/", seen)
    assert state(row) == states.APPROVAL
    assert "核准" in other.get(f"{address}/").text
    other.post(f"{address}/approve/", seen)
    assert state(row) == states.SCHEDULED
