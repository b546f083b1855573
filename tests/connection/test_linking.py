"""A staff member's own LINE: bound by a code that is hard to guess and works once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock
from lineadmin.staff import linking
from lineadmin.staff.models import Audit, LinkCode, Staff
from tests.factories import make_friend, make_staff


def test_the_code_binds_the_phone_that_typed_it(db: Any) -> None:
    staff, hana, wall = make_staff("manager"), make_friend("Hana"), clock.wall()
    code = linking.issue_code(staff, wall=wall).code
    assert len(code) == 6
    assert code.isdigit()
    bound = linking.claim_code(code, hana.id, wall=wall)
    assert bound is not None
    assert (bound.id, Staff.get_by_id(staff.id).friend_id) == (staff.id, hana.id)
    assert Audit.get().action == "profile.link"
    assert linking.claim_code(code, hana.id, wall=wall) is None, "a code works once"


@pytest.mark.parametrize("written", ["{a} {b}", "{a}-{b}", " {a}{b}\n", "full"])
def test_a_phone_may_write_the_digits_its_own_way(db: Any, written: str) -> None:
    staff, hana, wall = make_staff(), make_friend(), clock.wall()
    code = linking.issue_code(staff, wall=wall).code
    wide = code.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    text = wide if written == "full" else written.format(a=code[:3], b=code[3:])
    assert linking.claim_code(text, hana.id, wall=wall) is not None


def test_other_texts_are_no_codes(db: Any) -> None:
    staff, hana, wall = make_staff(), make_friend(), clock.wall()
    assert linking.claim_code("123456", hana.id, wall=wall) is None
    code = linking.issue_code(staff, wall=wall).code
    for text in ("", "菜單", code[:5], f"{code}1", f"代碼 {code}", "٣٤٥٦٧٨"):
        assert linking.claim_code(text, hana.id, wall=wall) is None
    assert linking.claim_code(code, hana.id, wall=wall) is not None


def test_a_code_ends_after_a_while_and_with_the_next_one(db: Any) -> None:
    staff, hana, wall = make_staff(), make_friend(), clock.wall()
    old = linking.issue_code(staff, wall=wall).code
    new = linking.issue_code(staff, wall=wall).code
    assert LinkCode.select().count() == 1
    if old != new:
        assert linking.claim_code(old, hana.id, wall=wall) is None
    assert linking.waiting_code(staff, wall=wall + linking.LIFE) is None
    assert linking.claim_code(new, hana.id, wall=wall + linking.LIFE) is None


def test_guessing_is_slowed_down_for_the_guesser_only(db: Any) -> None:
    staff, bad, good, wall = make_staff(), make_friend(), make_friend(), clock.wall()
    code = linking.issue_code(staff, wall=wall).code
    guesses = [f"{number:06}" for number in range(20) if f"{number:06}" != code]
    for guess in guesses:
        assert linking.claim_code(guess, bad.id, wall=wall) is None
    assert linking.claim_code(code, bad.id, wall=wall) is None, "blocked for a while"
    assert linking.claim_code(code, good.id, wall=wall + timedelta(seconds=1)) is not None


def test_one_phone_belongs_to_one_person(db: Any) -> None:
    first, second, hana, wall = make_staff(), make_staff("manager"), make_friend(), clock.wall()
    for staff in (first, second):
        code = linking.issue_code(staff, wall=wall).code
        assert linking.claim_code(code, hana.id, wall=wall) is not None
    assert Staff.get_by_id(first.id).friend_id is None
    assert Staff.get_by_id(second.id).friend_id == hana.id
    assert linking.unlink(Staff.get_by_id(second.id), wall=wall)
    assert not linking.unlink(second, wall=wall)
    assert Staff.get_by_id(second.id).friend_id is None
