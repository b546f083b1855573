"""Friends from a file: nothing changes before the button, and every bad row is told."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest

from lineadmin import clock as shop_clock
from lineadmin.friends import csv_job
from lineadmin.friends.csv_export import export_csv
from lineadmin.friends.models import Field, Friend, FriendImport, FriendTag, Tag
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
    return list(FriendImport.select().where(FriendImport.data != b""))


def run(panel, page):
    """Press the button under the preview; what the last page says."""
    form = {**hidden_of(page), "column": columns_of(page)}
    return panel.post(IMPORT + "run/", form, follow_redirects=True)


def columns_of(page):
    """What each column of the file goes to, as the preview shows it."""
    return re.findall(r'<input type="hidden" name="column" value="([^"]*)"', page)


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

    result = run(manager, page).text
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
    for piece in ("<td>LINE 用戶 ID</td>", "<td>性別</td>", "性別請填"):
        assert piece in page
    assert re.search(r'<td class="num r">3</td><td>LINE 用戶 ID<', page)
    assert re.search(r'<td class="num r">4</td><td>性別<', page)
    result = run(manager, page).text
    assert figures(result) == [1, 0, 0, 2]
    assert re.search(r'<td class="num r">4</td><td>性別<', result)
    assert Friend.select().count() == 1


def test_the_same_file_again_changes_nothing(manager):
    for _round in range(2):
        page = upload(manager, GOOD).text
        result = run(manager, page).text
    assert figures(result) == [0, 0, 2, 0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "檔案是空的"),
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
    form = {**hidden_of(page), "column": columns_of(page)}
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
    later = shop_clock.wall() + timedelta(seconds=3700)
    monkeypatch.setattr(shop_clock, "wall", lambda: later)
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


ELSEWHERE = f"""使用者ID,姓名,備註,標籤,過敏
{ONE},小花,常客,會員,花生
{TWO},太郎,,,
"""


def test_columns_of_another_program_are_mapped(manager):
    Field.create(key="allergy", name="過敏", type="text", position=1, created_at=shop_clock.wall())
    page = upload(manager, ELSEWHERE.encode("cp950")).text
    assert columns_of(page) == ["line_user_id", "display_name", "", "tags", "allergy"]
    assert figures(page) == [2, 0, 0, 1]
    # 備註 holds what the shop uses as tags: the same file, its columns chosen anew.
    chosen = {**hidden_of(page), "column": ["line_user_id", "display_name", "tags", "", "allergy"]}
    page = manager.post(IMPORT + "preview/", chosen).text
    assert figures(page) == [2, 0, 0, 1]
    assert "常客" in page
    assert run(manager, page).status_code == 200
    assert [tag.name for tag in Tag.select()] == ["常客"]
    assert FriendImport.get().columns == chosen["column"]


def test_a_file_without_the_id_waits_until_its_column_is_chosen(manager):
    page = upload(manager, f"代號,姓名\n{ONE},小花\n").text
    assert "請選擇哪一欄是 LINE 用戶 ID" in page
    assert "匯入 1 列" not in page
    chosen = {**hidden_of(page), "column": ["line_user_id", "display_name"]}
    page = manager.post(IMPORT + "preview/", chosen).text
    assert figures(page) == [1, 0, 0, 0]
    twice = {**chosen, "column": ["line_user_id", "line_user_id"]}
    assert "出現了兩次" in manager.post(IMPORT + "preview/", twice).text
    forged = {**chosen, "column": ["", ""]}
    manager.post(IMPORT + "run/", forged)
    assert Friend.select().count() == 0


def many(rows):
    tag = ("", "常客")
    lines = [f"U{number:032x},第 {number} 位,{tag[number % 2]}" for number in range(rows)]
    lines[7] = "nonsense,壞的,"
    return "line_user_id,display_name,tags\n" + "\n".join(lines) + "\n"


def test_a_large_file_is_left_to_the_worker(manager, monkeypatch):
    page = upload(manager, many(2600)).text
    assert "2,600 列中前 2,000 列" in page
    under_way = run(manager, page).text
    assert "正在匯入「friends.csv」" in under_way
    assert "data-reload" in under_way
    assert Friend.select().count() == 0  # nothing happened within the request

    # The worker goes on a slice at a time; here it is cut off after the first piece.
    monkeypatch.setattr(csv_job, "SLICE_SECONDS", 0.0)
    now, wall = shop_clock.now(), shop_clock.wall()
    assert csv_job.run_due(now, wall) == 500
    job = FriendImport.get()
    assert (job.rows_done, Friend.select().count()) == (500, 499)
    address = f"{IMPORT}{job.token}/"
    assert "已完成 500 / 2,600 列" in manager.get(address).text
    assert re.search(rf'href="{address}">friends.csv</a>.*進行中', manager.get(IMPORT).text)
    monkeypatch.undo()
    while csv_job.run_due(now, wall):
        pass
    done = manager.get(address).text
    assert "<b>2,599</b>" in done
    assert re.search(r'<td class="num r">9</td><td>LINE 用戶 ID<', done)
    assert "data-reload" not in done
    assert Friend.select().count() == 2599
    assert FriendTag.select().count() == 1299
    assert Audit.select().where(Audit.action == "friend.import").count() == 1
    assert kept_files() == []


def test_two_workers_at_the_same_file_count_every_row_once(manager, monkeypatch):
    run(manager, upload(manager, many(2100)).text)
    monkeypatch.setattr(csv_job, "SLICE_SECONDS", 0.0)
    now, wall = shop_clock.now(), shop_clock.wall()
    stale = FriendImport.get()
    assert csv_job.run_due(now, wall) == 500
    assert csv_job.run(stale, now=now, wall=wall, seconds=0.0) == 0  # taken back
    while csv_job.run_due(now, wall):
        pass
    assert csv_job.result_of(FriendImport.get()).created == 2099


def test_another_person_sees_nothing_of_it(app, manager):
    run(manager, upload(manager, GOOD).text)
    address = f"{IMPORT}{FriendImport.get().token}/"
    assert manager.get(address).status_code == 200
    assert panel_of(app, "manager").get(address).status_code == 404
    assert manager.get(IMPORT + "x/").status_code == 404


def test_what_is_exported_comes_in_again_as_the_same(manager):
    tricky = GOOD.replace("小花", "=1+1").replace("太郎", "'@x")
    run(manager, upload(manager, tricky).text)
    exported = "".join(export_csv())
    assert "'=1+1" in exported
    Friend.delete().execute()
    run(manager, upload(manager, exported).text)
    assert "".join(export_csv()) == exported
    assert sorted(friend.display_name for friend in Friend.select()) == ["=1+1", "@x"]
