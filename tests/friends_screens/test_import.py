"""Friends from a file: nothing changes before the button, and every bad row is told."""

from __future__ import annotations

import io
import re
import time

import pytest

from lineadmin import config
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.staff.models import Audit
from tests.factories import make_friend
from tests.panel import flashes_of, hidden_of, panel_of

IMPORT = "/admin/friends/import/"
ONE, TWO, THREE = ("U" + letter * 32 for letter in "abc")
GOOD = f"""line_user_id,display_name,gender,tags
{ONE},小花,女,常客|會員
{TWO},太郎,male,
"""
MIXED = f"""line_user_id,display_name,gender,tags
{ONE},小花,女,常客
nonsense,太郎,male,
{THREE},三郎,maybe,會員
"""


def upload(panel, text, name="friends.csv"):
    raw = text if isinstance(text, bytes) else text.encode()
    return panel.post(
        IMPORT + "preview/",
        {"file": (io.BytesIO(raw), name), "url": IMPORT},
        content_type="multipart/form-data",
        follow_redirects=True,
    )


def kept_files():
    return list((config.current().var_dir / "imports").glob("*.csv"))


def figures(page):
    return [int(one) for one in re.findall(r'<div class="card kpi">.*?<b>(\d+)</b>', page, re.S)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp950"])
def test_a_file_is_shown_first_and_imported_on_the_button(manager, encoding):
    make_friend("小花", line_user_id=ONE)
    page = upload(manager, GOOD.encode(encoding)).text
    assert "匯入「friends.csv」的預覽" in page
    assert figures(page) == [1, 1, 0, 2]
    assert "太郎" in page
    assert Friend.select().count() == 1
    assert Tag.select().count() == 0

    result = manager.post(IMPORT + "run/", hidden_of(page)).text
    assert "已匯入「friends.csv」" in result
    assert figures(result) == [1, 1, 0, 0]
    assert Friend.get(Friend.line_user_id == TWO).display_name == "太郎"
    assert FriendTag.select().count() == 2
    line = Audit.get(Audit.action == "friend.import")
    assert (line.object_label, line.after["created"]) == ("friends.csv", 1)
    assert kept_files() == []


def test_bad_rows_are_told_by_line_and_column_before_and_after(manager):
    page = upload(manager, MIXED).text
    assert figures(page) == [1, 0, 2, 1]
    for piece in ("<code>line_user_id</code>", "<code>gender</code>", "性別請填"):
        assert piece in page
    assert re.search(r'<td class="num r">3</td><td><code>line_user_id', page)
    assert re.search(r'<td class="num r">4</td><td><code>gender', page)
    result = manager.post(IMPORT + "run/", hidden_of(page)).text
    assert figures(result) == [1, 0, 0, 2]
    assert re.search(r'<td class="num r">4</td><td><code>gender', result)
    assert Friend.select().count() == 1


def test_the_same_file_again_changes_nothing(manager):
    for _round in range(2):
        page = upload(manager, GOOD).text
        result = manager.post(IMPORT + "run/", hidden_of(page)).text
    assert figures(result) == [0, 0, 2, 0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "檔案是空的"),
        ("name,age\na,1\n", "不認得欄位「name」"),
        ("display_name\n小花\n", "line_user_id"),
        (b"\xff\xfe\x00\x80\x81", "不是 UTF-8 也不是 Big5"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_reason(manager, content, sentence):
    page = upload(manager, content).text
    assert any(sentence in said for said in flashes_of(page)), flashes_of(page)
    assert "選擇檔案" in page
    assert kept_files() == []


def test_no_file_at_all_is_asked_for(manager):
    page = manager.post(IMPORT + "preview/", {"url": IMPORT}, follow_redirects=True).text
    assert flashes_of(page) == ["請先選擇檔案。"]


def test_the_button_works_once_and_only_for_who_uploaded(app, manager):
    page = upload(manager, GOOD).text
    form = hidden_of(page)
    del form["csrf_token"]
    stranger = panel_of(app, "manager")
    refused = stranger.post(IMPORT + "run/", form, follow_redirects=True).text
    assert "已超過一小時" in flashes_of(refused)[0]
    assert Friend.select().count() == 0
    manager.post(IMPORT + "run/", form)
    again = manager.post(IMPORT + "run/", form, follow_redirects=True).text
    assert "這個檔案已經匯入過" in flashes_of(again)[0]
    assert manager.post(IMPORT + "run/", {"token": "../../etc/passwd"}).status_code == 400


def test_files_nobody_came_back_for_are_thrown_away(manager, monkeypatch):
    upload(manager, GOOD)
    assert len(kept_files()) == 1
    later = time.time() + 3700
    monkeypatch.setattr("lineadmin.admin.friend_import.time.time", lambda: later)
    upload(manager, GOOD)
    assert len(kept_files()) == 1


def test_the_template_is_a_file_the_import_takes(manager):
    template = manager.get(IMPORT + "template.csv")
    assert template.mimetype == "text/csv"
    page = upload(manager, template.data).text
    assert figures(page)[:3] == [1, 0, 0]


def test_only_who_may_import_sees_it(app):
    assert panel_of(app, "manager").get(IMPORT).status_code == 200
    staff = panel_of(app, "staff")
    assert staff.get(IMPORT).status_code == 403
    assert staff.post(IMPORT + "run/", {"token": "a" * 32}).status_code == 403
    assert "匯入 CSV" not in staff.get("/admin/friends/").text
