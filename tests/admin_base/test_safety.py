"""CSRF, the content security policy, and error pages that tell nothing they should not."""

from __future__ import annotations

import logging
import re

import pytest

from lineadmin.db import is_postgres
from tests.factories import make_friend
from tests.panel import panel_of


def test_a_post_without_its_token_is_refused_in_words(app):
    panel = panel_of(app)
    answer = panel.client.post("/admin/profile/", data={"name": "x", "locale": "ja"})
    assert answer.status_code == 400
    assert "這個表單已經過期" in answer.text


def test_a_token_of_another_session_is_refused(app):
    mine, other = panel_of(app), panel_of(app)
    data = {"name": "x", "locale": "ja", "csrf_token": other.csrf()}
    assert mine.client.post("/admin/profile/", data=data).status_code == 400


def test_every_page_forbids_inline_scripts_and_framing(app):
    panel = panel_of(app)
    for address in ("/admin/profile/", "/admin/people/", "/admin/nothing", "/admin/sign-in"):
        policy = panel.get(address).headers["Content-Security-Policy"]
        scripts = re.search(r"script-src ([^;]+)", policy).group(1)
        assert "'self'" in scripts
        assert "unsafe" not in scripts
        assert "frame-ancestors 'none'" in policy
        assert "object-src 'none'" in policy


def test_the_nonce_changes_with_every_answer(app):
    panel = panel_of(app)
    nonces = {
        re.search(
            r"nonce-([\w-]+)", panel.get("/admin/profile/").headers["Content-Security-Policy"]
        )
        for _ in range(2)
    }
    assert len({found.group(1) for found in nonces}) == 2


INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|\son[a-z]+=\"", re.I)


def test_no_screen_carries_inline_scripts_or_handlers(app):
    panel = panel_of(app)
    for view in app.extensions["admin"][0]._views:
        address = getattr(view, "url", None)
        if address:
            page = panel.get(f"{address}/").text
            assert INLINE.search(page) is None, address


def test_pages_are_not_kept_by_browsers_or_proxies(app):
    assert panel_of(app).get("/admin/profile/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "address",
    [
        "/admin/nothing",
        "/nothing",
        "/admin/people/edit/?id=999",
        f"/admin/friends/{2**31}/",
        f"/admin/friends/{10**30}/",
    ],
)
def test_what_is_not_there_is_told_in_words(app, address):
    answer = panel_of(app).get(address)
    assert answer.status_code == 404
    assert "這裡沒有東西" in answer.text
    assert "Not Found" not in answer.text


@pytest.mark.parametrize(
    "query", ["id=abc", "id=", "id=-1", "id=99999999999999999999999", "id=1%00", "id=١"]
)
def test_a_key_that_is_none_is_not_found(app, query):
    assert panel_of(app).get(f"/admin/people/edit/?{query}").status_code == 404


def test_a_number_no_row_can_have_is_not_found(app):
    if is_postgres():
        pytest.skip("PostgreSQL compares any number with its keys")
    friend = make_friend()
    panel = panel_of(app)
    huge = 10**30
    assert panel.get(f"/admin/coupon_codes/?id={huge}").status_code == 404
    answer = panel.post(f"/admin/friends/{friend.id}/tag/", {"tag": huge})
    assert answer.status_code == 404
    assert "這裡沒有東西" in answer.text


def test_an_error_of_ours_shows_no_traceback(app, monkeypatch, caplog):
    from lineadmin.admin import profile

    def fail(*_arguments, **_more):
        raise RuntimeError("secret detail")

    panel = panel_of(app)
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(profile.sessions, "of", fail)
    with caplog.at_level(logging.ERROR):
        answer = panel.get("/admin/profile/")
    assert answer.status_code == 500
    assert "系統發生問題" in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    assert "secret detail" in caplog.text


def test_a_database_that_is_gone_is_told_as_such(app, monkeypatch):
    from peewee import OperationalError

    from lineadmin.admin import profile

    def fail(*_arguments, **_more):
        raise OperationalError("unable to open database file")

    panel = panel_of(app)
    monkeypatch.setattr(profile.sessions, "of", fail)
    answer = panel.get("/admin/profile/")
    assert answer.status_code == 503
    assert "資料庫沒有回應" in answer.text
    assert "unable to open" not in answer.text


def test_a_script_gets_its_error_as_json(app):
    answer = panel_of(app, "viewer").get("/admin/people/", headers={"Accept": "application/json"})
    assert answer.status_code == 403
    assert "管理員工" in answer.json["error"]


def test_a_wrong_method_is_told_in_words(app):
    answer = panel_of(app).get("/admin/sign-out")
    assert answer.status_code == 405
    assert "Method Not Allowed" not in answer.text
