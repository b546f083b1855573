"""Hiring, roles, switching off, passwords and signing in."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from lineadmin import db as database
from lineadmin.errors import Conflict, DomainError, NotAllowed
from lineadmin.staff import actions, sessions
from lineadmin.staff.models import Audit, Staff
from tests.factories import make_staff

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PASSWORD = "three words together"


@pytest.fixture
def owner(db):
    return make_staff("owner")


def hire(owner, email="mei@example.com", role="manager", password=PASSWORD):
    staff, _password = actions.create(email, "小美", role, by=owner, wall=NOON, password=password)
    return staff


def sign_in(email="mei@example.com", password=PASSWORD, at=NOON, address="10.0.0.1"):
    return actions.sign_in(email, password, address=address, browser="Chrome", wall=at)


def fresh(staff):
    return Staff.get_by_id(staff.id)


def test_a_new_person_gets_a_random_password_that_has_to_be_changed(owner):
    staff, password = actions.create(" Mei@Example.com ", "", "staff", by=owner, wall=NOON)
    assert (staff.email, staff.name) == ("mei@example.com", "Mei")
    assert staff.must_change_password
    assert sign_in(password=password)[0] == staff


def test_an_address_is_taken_once_whatever_its_case(owner):
    hire(owner)
    with pytest.raises(DomainError) as refused:
        hire(owner, email="MEI@example.com")
    assert refused.value.field == "email"


@pytest.mark.parametrize(
    ("email", "name", "role", "field"),
    [
        ("nobody", "小美", "staff", "email"),
        ("a b@c.de", "小美", "staff", "email"),
        ("a@b.de", "x" * 61, "staff", "name"),
        ("a@b.de", "小美", "king", "role"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(owner, email, name, role, field):
    with pytest.raises(DomainError) as refused:
        actions.create(email, name, role, by=owner, wall=NOON)
    assert refused.value.field == field


@pytest.mark.parametrize("role", ["manager", "staff", "viewer"])
def test_only_owners_manage_people(db, role):
    somebody, other = make_staff(role), make_staff("viewer")
    for change in (
        lambda: actions.create("x@y.de", "x", "staff", by=somebody, wall=NOON),
        lambda: actions.set_role(other.id, "owner", by=somebody, version=1, wall=NOON),
        lambda: actions.deactivate(other.id, by=somebody, version=1, wall=NOON),
        lambda: actions.reset_password(other.id, by=somebody, wall=NOON),
    ):
        with pytest.raises(NotAllowed):
            change()


def test_the_last_owner_stays_owner_and_active(owner):
    second = make_staff("owner")
    actions.deactivate(second.id, by=owner, version=1, wall=NOON)
    with pytest.raises(DomainError):
        actions.set_role(owner.id, "manager", by=owner, version=1, wall=NOON)
    with pytest.raises(DomainError):
        actions.deactivate(owner.id, by=owner, version=1, wall=NOON)
    assert (fresh(owner).role, fresh(owner).active) == ("owner", True)


def test_two_owners_demoting_each_other_at_once_leave_one(owner):
    second = make_staff("owner")
    start, refused = threading.Barrier(2), []

    def demote(who, by):
        database.ensure_connection()
        start.wait()
        try:
            actions.set_role(who.id, "viewer", by=by, version=1, wall=NOON)
        except DomainError as error:
            refused.append(error)
        finally:
            database.db.close()

    threads = [
        threading.Thread(target=demote, args=pair) for pair in ((owner, second), (second, owner))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert Staff.select().where(Staff.role == "owner").count() == 1


def test_switching_off_ends_sessions_at_once_and_back_on_keeps_the_password(owner):
    staff = hire(owner)
    _who, token = sign_in()
    actions.deactivate(staff.id, by=owner, version=1, wall=NOON)
    assert sessions.find(token, wall=NOON) is None
    with pytest.raises(DomainError):
        sign_in()
    actions.reactivate(staff.id, by=owner, version=2, wall=NOON)
    assert sessions.find(token, wall=NOON) is None
    assert sign_in()


def test_a_stale_version_is_a_conflict_and_changes_nothing(owner):
    staff = hire(owner)
    actions.set_role(staff.id, "staff", by=owner, version=1, wall=NOON)
    with pytest.raises(Conflict):
        actions.set_role(staff.id, "viewer", by=owner, version=1, wall=NOON)
    assert fresh(staff).role == "staff"


def test_a_reset_password_replaces_the_old_one_and_ends_sessions_and_throttling(owner):
    staff = hire(owner)
    _who, token = sign_in()
    for _ in range(6):
        with pytest.raises(DomainError):
            sign_in(password="wrong")
    password = actions.reset_password(staff.id, by=owner, wall=NOON)
    assert sessions.find(token, wall=NOON) is None
    assert sign_in(password=password)[0].must_change_password
    with pytest.raises(DomainError):
        sign_in()


def test_changing_ones_password_keeps_this_session_and_ends_the_others(owner):
    staff = hire(owner)
    here, there = sign_in()[1], sign_in()[1]
    kept = sessions.find(here, wall=NOON)
    actions.change_password(
        fresh(staff), PASSWORD, "four other words here", keep_session=kept.id, wall=NOON
    )
    assert sessions.find(here, wall=NOON)
    assert sessions.find(there, wall=NOON) is None
    assert sign_in(password="four other words here")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("wrong", "four other words here", "old_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, PASSWORD, "new_password"),
    ],
)
def test_a_refused_password_change_says_beside_which_field(owner, old, new, field):
    staff = hire(owner)
    with pytest.raises(DomainError) as refused:
        actions.change_password(staff, old, new, keep_session=None, wall=NOON)
    assert refused.value.field == field


def test_unknown_wrong_and_switched_off_are_refused_in_the_same_words(owner):
    staff = hire(owner)
    said = set()
    for email, password in (("no@example.com", PASSWORD), ("mei@example.com", "wrong")):
        with pytest.raises(DomainError) as refused:
            sign_in(email, password)
        said.add(str(refused.value))
    actions.deactivate(staff.id, by=owner, version=1, wall=NOON)
    with pytest.raises(DomainError) as refused:
        sign_in()
    said.add(str(refused.value))
    assert len(said) == 1


def test_after_five_failures_even_the_right_password_waits(owner):
    hire(owner)
    for _ in range(5):
        with pytest.raises(DomainError):
            sign_in(password="wrong")
    with pytest.raises(DomainError, match="1"):
        sign_in()
    assert sign_in(at=NOON + timedelta(minutes=1))


def test_many_guesses_at_the_same_moment_get_no_more_than_five_looks(owner, monkeypatch):
    hire(owner)
    looks, start = [], threading.Barrier(10)
    monkeypatch.setattr(
        actions.passwords, "is_right", lambda kept, given: bool(looks.append(given))
    )

    def guess():
        database.ensure_connection()
        start.wait()
        with pytest.raises(DomainError):
            sign_in(password="guess")
        database.db.close()

    threads = [threading.Thread(target=guess) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looks) == 5


def test_the_first_owner_comes_in_once(db):
    assert actions.ensure_first_owner("own@example.com", PASSWORD, wall=NOON).role == "owner"
    assert actions.ensure_first_owner("two@example.com", PASSWORD, wall=NOON) is None
    assert Staff.select().count() == 1


def test_a_profile_is_edited_by_its_owner_and_two_tabs_are_told(owner):
    actions.edit_profile(owner, name=" 王  店長 ", locale="ja", version=1, wall=NOON)
    assert (fresh(owner).name, fresh(owner).locale) == ("王 店長", "ja")
    with pytest.raises(Conflict):
        actions.edit_profile(owner, name="x", locale="ja", version=1, wall=NOON)
    with pytest.raises(DomainError):
        actions.edit_profile(owner, name="x", locale="tlh", version=2, wall=NOON)


def test_everything_that_happens_to_people_is_in_the_audit_log_without_secrets(owner):
    staff = hire(owner)
    sign_in()
    actions.set_role(staff.id, "staff", by=owner, version=1, wall=NOON)
    actions.edit(staff.id, name="美美", email="mm@example.com", by=owner, version=2, wall=NOON)
    password = actions.reset_password(staff.id, by=owner, wall=NOON)
    actions.deactivate(staff.id, by=owner, version=3, wall=NOON)
    lines = list(Audit.select().order_by(Audit.id))
    assert [line.action for line in lines] == [
        "staff.create",
        "staff.sign_in",
        "staff.role",
        "staff.edit",
        "staff.password_reset",
        "staff.deactivate",
    ]
    assert lines[2].before == {"role": "manager"}
    assert lines[2].after == {"role": "staff"}
    kept = str([(line.before, line.after) for line in lines])
    assert password not in kept
    assert "argon2" not in kept


def test_nobody_ends_another_persons_session(owner):
    staff = hire(owner)
    row = sessions.find(sign_in()[1], wall=NOON)
    with pytest.raises(NotAllowed):
        actions.end_own_session(owner, row, wall=NOON)
    assert actions.end_own_session(staff, row, wall=NOON)
