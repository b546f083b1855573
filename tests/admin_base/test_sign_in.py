"""The way in and out, as a browser sees it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lineadmin import clock
from lineadmin.staff import actions
from lineadmin.staff.models import Audit, Staff, StaffSession
from tests.panel import PASSWORD, csrf_of, flashes_of, panel_of, with_password


def sign_in(client, email, password=PASSWORD, target=""):
    page = client.get("/admin/sign-in")
    data = {"csrf_token": csrf_of(page.text), "email": email, "password": password}
    return client.post("/admin/sign-in", data={**data, "next": target})


def test_nobody_gets_in_without_signing_in_and_comes_back_to_the_page_wanted(client):
    answer = client.get("/admin/profile/?x=1")
    assert answer.status_code == 302
    assert answer.location == "/admin/sign-in?next=/admin/profile/?x%3D1"
    staff = with_password()
    answer = sign_in(client, staff.email, target="/admin/profile/?x=1")
    assert answer.location == "/admin/profile/?x=1"
    assert client.get("/admin/profile/").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/admin/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/admin\\@evil.example",
        "/webhook",
        "http:admin",
        "/admin/\r\nX: y",
        "http://[",
    ],
)
def test_after_signing_in_nobody_is_sent_elsewhere(client, target):
    staff = with_password()
    assert sign_in(client, staff.email, target=target).location == "/admin/"


def test_the_cookie_is_for_http_only_lax_and_secure_outside_the_simulator(client):
    staff = with_password()
    cookie = sign_in(client, staff.email).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie
    assert re.search(r"Expires=\w{3}, \d\d ", cookie)


def test_unknown_and_wrong_read_the_same_and_give_400(client):
    staff = with_password()
    unknown = sign_in(client, "nobody@example.com")
    wrong = sign_in(client, staff.email, "not this one at all")
    assert unknown.status_code == wrong.status_code == 400
    assert flashes_of(unknown.text) == flashes_of(wrong.text) == ["電子郵件或密碼不正確。"]
    assert PASSWORD not in wrong.text
    assert "not this one" not in wrong.text


def test_too_many_tries_are_told_to_wait(client):
    staff = with_password()
    for _ in range(5):
        sign_in(client, staff.email, "not this one at all")
    assert flashes_of(sign_in(client, staff.email).text) == ["嘗試太多次了，請等 1 分鐘再試。"]


def test_signing_out_ends_the_session_itself_and_not_only_the_cookie(app):
    panel = panel_of(app)
    assert panel.post("/admin/sign-out").location == "/admin/sign-in"
    assert StaffSession.get().ended_at is not None
    with panel.client.session_transaction() as session:
        session["_user_id"] = panel.token
    assert panel.get("/admin/profile/").status_code == 302


def test_a_session_that_idled_too_long_asks_again(app):
    panel = panel_of(app)
    StaffSession.update(last_seen_at=clock.wall() - timedelta(hours=12)).execute()
    assert panel.get("/admin/profile/").status_code == 302


def test_somebody_switched_off_is_out_with_the_next_click(app):
    owner, mei = panel_of(app), panel_of(app, "manager")
    actions.deactivate(mei.staff.id, by=owner.staff, version=1, wall=clock.wall())
    assert mei.get("/admin/profile/").status_code == 302


def test_a_new_role_counts_from_the_next_click(app):
    owner, mei = panel_of(app), panel_of(app, "manager")
    assert mei.get("/admin/people/").status_code == 403
    actions.set_role(mei.staff.id, "owner", by=owner.staff, version=1, wall=clock.wall())
    assert mei.get("/admin/people/").status_code == 200


def test_whoever_was_given_a_password_has_to_choose_one_first(app):
    mei = panel_of(app, "manager", must_change_password=True)
    assert mei.get("/admin/").location == "/admin/profile/password"
    assert mei.post("/admin/profile/", {"name": "x"}).location == "/admin/profile/password"
    assert "請先設定自己的密碼" in mei.get("/admin/profile/password").text


def test_the_sign_in_of_yesterdays_cookie_key_is_no_sign_in(app):
    panel = panel_of(app)
    app.config["SECRET_KEY"] = "another-key-altogether"
    assert panel.get("/admin/profile/").status_code == 302


def test_signing_in_is_in_the_audit_log_with_its_address(client):
    staff = with_password()
    sign_in(client, staff.email)
    line = Audit.get()
    assert (line.action, line.staff_id, line.address) == ("staff.sign_in", staff.id, "127.0.0.1")


def test_the_panel_speaks_the_language_of_the_person(app):
    assert "プロフィール" in panel_of(app, locale="ja").get("/admin/profile/").text
    page = panel_of(app, locale="en").get("/admin/profile/").text
    assert '<html lang="en">' in page
    assert "My profile" in page


def test_the_profile_changes_name_and_language_and_two_tabs_are_told(app):
    panel = panel_of(app)
    data = {"name": "王店長", "locale": "ja", "version": "1"}
    assert panel.post("/admin/profile/", data).status_code == 302
    staff = Staff.get_by_id(panel.staff.id)
    assert (staff.name, staff.locale, staff.version) == ("王店長", "ja", 2)
    panel.post("/admin/profile/", {**data, "name": "x"})
    assert Staff.get_by_id(panel.staff.id).name == "王店長"


def test_a_profile_with_mistakes_keeps_what_was_typed(app):
    answer = panel_of(app).post("/admin/profile/", {"name": "x" * 61, "locale": "tlh"})
    assert answer.status_code == 400
    assert "x" * 61 in answer.text


def test_changing_the_password_signs_other_devices_out(app):
    staff = with_password("staff")
    here, there = app.test_client(), app.test_client()
    sign_in(here, staff.email)
    sign_in(there, staff.email)
    page = here.get("/admin/profile/password").text
    new = "four other words here"
    data = {"csrf_token": csrf_of(page), "old_password": PASSWORD, "new_password": new}
    assert here.post("/admin/profile/password", data={**data, "again": "x"}).status_code == 400
    assert here.post("/admin/profile/password", data={**data, "again": new}).status_code == 302
    assert here.get("/admin/profile/").status_code == 200
    assert there.get("/admin/profile/").status_code == 302


def test_sessions_are_listed_and_end_from_here(app):
    panel = panel_of(app)
    other = type(panel)(app, panel.staff)
    page = panel.get("/admin/profile/").text
    assert page.count('data-label="裝置"') == 2
    mine, theirs = (row.id for row in StaffSession.select().order_by(StaffSession.id))
    panel.post("/admin/profile/sessions/end", {"id": mine})
    assert panel.get("/admin/profile/").status_code == 200
    panel.post("/admin/profile/sessions/end", {"id": theirs})
    assert other.get("/admin/profile/").status_code == 302


def test_sign_out_everywhere_leaves_this_browser_alone(app):
    panel = panel_of(app)
    other = type(panel)(app, panel.staff)
    panel.post("/admin/profile/sessions/end-all")
    assert panel.get("/admin/profile/").status_code == 200
    assert other.get("/admin/profile/").status_code == 302


def test_nobody_ends_somebody_elses_session(app):
    panel, other = panel_of(app, "viewer"), panel_of(app)
    theirs = StaffSession.get(StaffSession.staff == other.staff)
    assert panel.post("/admin/profile/sessions/end", {"id": theirs.id}).status_code == 404
    assert other.get("/admin/profile/").status_code == 200
