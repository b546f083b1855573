"""The people screen, click by click."""

from __future__ import annotations

import re

import pytest

from lineadmin.staff.models import Audit, Staff
from tests.factories import make_staff
from tests.panel import flashes_of, hidden_of, panel_of


@pytest.fixture
def owner(app):
    return panel_of(app)


def fresh(staff):
    return Staff.get_by_id(staff.id)


def test_a_person_is_added_and_the_password_shown_once(owner):
    data = {"name": "小美", "email": "Mei@example.com", "role": "manager"}
    page = owner.post("/admin/people/new/", data)
    assert page.status_code == 200
    password = re.search(r'id="password-once">([^<]+)<', page.text).group(1)
    mei = Staff.get(Staff.email == "mei@example.com")
    assert (mei.role, mei.must_change_password) == ("manager", True)
    assert password not in owner.get("/admin/people/").text
    assert password not in str(
        [(line.before, line.after) for line in Audit.select().order_by(Audit.id)]
    )


def test_a_taken_address_is_told_beside_its_field_and_the_input_kept(owner):
    data = {"name": "小美", "email": owner.staff.email, "role": "manager"}
    page = owner.post("/admin/people/new/", data)
    assert "已經有人使用" in page.text.split('id="email-error"')[1][:200]
    assert 'value="小美"' in page.text


def test_missing_fields_are_named_in_traditional_chinese(owner):
    page = owner.post("/admin/people/new/", {"role": "manager"}).text
    assert page.count("請填寫這個欄位。") == 2
    assert "该" not in page


def test_name_address_and_role_are_edited_in_one_save(owner):
    mei = make_staff("manager", name="小美")
    address = f"/admin/people/edit/?id={mei.id}"
    hidden = hidden_of(owner.get(address).text)
    data = {**hidden, "name": "美美", "email": "mm@example.com", "role": "staff"}
    data.pop("csrf_token")
    assert owner.post(address, data).status_code == 302
    assert (fresh(mei).name, fresh(mei).email, fresh(mei).role) == (
        "美美",
        "mm@example.com",
        "staff",
    )


def test_two_tabs_the_second_is_told_what_changed_and_nothing_is_overwritten(app, owner):
    mei = make_staff("manager", name="小美", email="mei@example.com")
    address = f"/admin/people/edit/?id={mei.id}"
    second = panel_of(app)
    mine, theirs = hidden_of(owner.get(address).text), hidden_of(second.get(address).text)

    def save(panel, hidden, **changes):
        kept = {name: hidden[name] for name in ("version", "seen")}
        form = {"name": "小美", "email": "mei@example.com", "role": "manager", **changes}
        return panel.post(address, {**kept, **form})

    assert save(second, theirs, role="viewer").status_code == 302
    told = save(owner, mine, name="美美")
    assert told.status_code == 409
    assert "有人在這段期間先儲存了" in told.text
    assert "管理員" in told.text.split('class="diff"')[1]
    assert "檢視者" in told.text.split('class="diff"')[1]
    assert (fresh(mei).name, fresh(mei).role) == ("小美", "viewer")
    # The form now holds the newer role and what was typed; saving it again is on purpose.
    assert 'value="美美"' in told.text
    assert re.search(r'<input[^>]*checked[^>]*value="viewer"', told.text)
    assert save(owner, hidden_of(told.text), name="美美", role="viewer").status_code == 302
    assert (fresh(mei).name, fresh(mei).role) == ("美美", "viewer")


def test_deactivating_asks_first_and_needs_no_javascript(owner):
    mei = make_staff("manager", name="小美")
    data = {"id": mei.id, "version": 1}
    page = owner.post("/admin/people/active/", data)
    assert "要停用 小美 嗎？" in page.text
    assert fresh(mei).active
    answer = owner.post("/admin/people/active/", {**data, "confirmed": "1"})
    assert answer.location.endswith(f"/admin/people/edit/?id={mei.id}")
    assert not fresh(mei).active
    owner.post("/admin/people/active/", {"id": mei.id, "version": 2})
    assert fresh(mei).active


def test_the_last_owner_is_kept_and_told_why(owner):
    address = f"/admin/people/edit/?id={owner.staff.id}"
    hidden = hidden_of(owner.get(address).text)
    data = {"name": "小美", "email": owner.staff.email, "role": "viewer"}
    page = owner.post(address, {**data, "version": hidden["version"], "seen": hidden["seen"]})
    assert "店裡一定要有一位店主" in "".join(flashes_of(page.text))
    assert fresh(owner.staff).role == "owner"


def test_a_reset_asks_first_and_shows_the_password_once(owner):
    mei = make_staff("manager", name="小美")
    assert "新密碼嗎" in owner.post("/admin/people/password/", {"id": mei.id}).text
    page = owner.post("/admin/people/password/", {"id": mei.id, "confirmed": "1"})
    assert re.search(r'id="password-once">[a-z2-9]{4}(-[a-z2-9]{4}){3}<', page.text)
    assert fresh(mei).must_change_password


def test_ones_own_password_is_not_reset_here(owner):
    answer = owner.post("/admin/people/password/", {"id": owner.staff.id, "confirmed": "1"})
    assert answer.status_code == 302
    assert not fresh(owner.staff).must_change_password


def test_people_are_found_by_name_role_and_state(owner):
    make_staff("manager", name="林小美")
    make_staff("staff", name="阿德", active=False)
    page = owner.get("/admin/people/?search=林").text
    assert "林小美" in page
    assert "阿德" not in page
    page = owner.get("/admin/people/?active=0").text
    assert "阿德" in page
    assert "林小美" not in page
    assert "沒有符合條件的資料" in owner.get("/admin/people/?search=沒有人").text
