"""The screen of sources: links and QR codes, numbers, putting away, merging."""

from __future__ import annotations

import html
import re

import pytest

from lineadmin import shopfile
from lineadmin.checkup import look as checkup
from lineadmin.checkup.look import Finding
from lineadmin.coupons.issue import issue_one
from lineadmin.coupons.models import CouponIssue
from lineadmin.errors import DomainError
from lineadmin.friends import source_actions
from lineadmin.friends.models import Friend, Source
from lineadmin.shopfile.errors import ShopFileError
from lineadmin.staff.models import Audit
from lineadmin.tracking import entry
from tests.conftest import NOON
from tests.coupons.making import make_coupon
from tests.factories import make_friend, make_friends
from tests.panel import flashes_of, hidden_of, panel_of

MOMENT = {"staff": None, "now": NOON, "wall": NOON}


@pytest.fixture
def panel(app, clock):
    checkup.keep([Finding("account", "ok", "account", {"id": "@bento"})], wall=NOON)
    return panel_of(app, "manager")


def cells(page):
    body = page.text.split("<tbody>")[1].split("</tbody>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in body.split("</tr>")[:-1]]
    return [[" ".join(re.sub("<[^>]+>", "", cell).split()) for cell in row] for row in rows]


def test_a_source_is_made_with_a_code_of_its_own_and_shows_its_links(panel):
    page = panel.post("/admin/sources/new/", {"name": "Flyer 春"}, follow_redirects=True)
    assert Source.get().code == "flyer"
    assert html.escape(entry.code_link("@bento", "flyer")) in page.text
    assert page.text.count("<svg") >= 1
    assert "liff.line.me" not in page.text
    sheet = panel.get(f"/admin/sources/{Source.get().id}/sheet/message").text
    for words in ("加入我們的 LINE", "用 LINE 或相機掃描", "傳送已經輸入好的訊息", "@bento"):
        assert words in sheet
    assert panel.get(f"/admin/sources/{Source.get().id}/sheet/liff").status_code == 404
    assert Audit.select().where(Audit.action == "source.create").count() == 1


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("", "a", "請填寫這個欄位"),
        ("門市", "有中文", "小寫"),
        ("門市", "unknown", "沒有來源的好友"),
        ("門市", "taken", "已經有"),
        ("長" * 61, "a", "60"),
    ],
)
def test_what_cannot_be_a_source_is_told_beside_the_field(panel, name, code, sentence):
    source_actions.create_source("有", "taken", **MOMENT)
    page = panel.post("/admin/sources/new/", {"name": name, "code": code})
    assert sentence in page.text
    assert Source.select().count() == 1


def test_the_numbers_of_each_source(panel):
    one = source_actions.create_source("門市", "storefront", **MOMENT)
    source_actions.create_source("網站", "web", **MOMENT)
    entry.looked(one, campaign={}, now=NOON)
    ids = make_friends(4, source=one)
    Friend.update(status="blocked").where(Friend.id == ids[0]).execute()
    make_friend("不明")
    issue_one(make_coupon(), ids[1], origin="staff", now=NOON)
    CouponIssue.update(redeemed_at=NOON).execute()
    page = panel.get("/admin/sources/")
    assert sorted(cells(page)) == [
        ["網站", "web", "0", "0", "0", "0"],
        ["門市", "storefront", "1", "4", "1 25%", "1 25%"],
    ]
    assert "來源不明" in page.text
    assert "占好友 25%" in panel.get(f"/admin/sources/{one.id}/").text


def test_a_source_is_renamed_and_two_tabs_do_not_overwrite_each_other(panel):
    row = source_actions.create_source("門市", "storefront", **MOMENT)
    address = f"/admin/sources/edit/?id={row.id}"
    first = hidden_of(panel.get(address).text)
    assert panel.post(address, {**first, "name": "門市 A"}).status_code == 302
    assert panel.post(address, {**first, "name": "門市 B"}).status_code == 409
    assert Source.get().name == "門市 A"


def test_a_source_put_away_cannot_be_chosen_and_still_works(panel):
    row = source_actions.create_source("門市", "storefront", **MOMENT)
    address = f"/admin/sources/{row.id}/archive"
    panel.post(address, {"archived": "1"})
    assert Source.get().archived_at is not None
    assert entry.code_in("#storefront") == row
    assert [row for row in cells(panel.get("/admin/sources/?state=away"))]
    panel.post(address, {"archived": ""})
    assert Source.get().archived_at is None


def test_merging_asks_first_and_moves_everybody(panel):
    old = source_actions.create_source("舊", "old", **MOMENT)
    new = source_actions.create_source("新", "new", **MOMENT)
    make_friends(3, source=old)
    address = f"/admin/sources/{old.id}/merge"
    asked = panel.post(address, {"into": new.id}).text
    assert "把「舊」併入「新」？" in asked
    assert Friend.select().where(Friend.source == old).count() == 3
    done = panel.post(address, {"into": new.id, "confirmed": "1"}, follow_redirects=True)
    assert "已移動 3 位好友。" in flashes_of(done.text)
    assert Friend.select().where(Friend.source == new).count() == 3
    assert entry.code_in("#old") == new
    with pytest.raises(DomainError):
        source_actions.merge_sources(new, old, **MOMENT)
    with pytest.raises(DomainError):
        source_actions.archive_source(Source.get_by_id(old.id), archived=False, **MOMENT)


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_who_only_reads_changes_nothing(app, panel, role):
    row = source_actions.create_source("門市", "storefront", **MOMENT)
    reader = panel_of(app, role)
    assert reader.get("/admin/sources/").status_code == 200
    assert reader.get(f"/admin/sources/{row.id}/").status_code == 200
    for address in ("new/", f"{row.id}/archive", f"{row.id}/merge"):
        assert reader.post(f"/admin/sources/{address}", {"name": "x"}).status_code == 403


def test_the_file_puts_away_and_merges_and_writes_it_back(db):
    file = {
        "version": 1,
        "sources": [
            {"code": "old", "name": "舊", "merged_into": "shop"},
            {"code": "gone", "name": "收", "archived": True},
            {"code": "shop", "name": "門市"},
        ],
    }
    moment = {"staff": None, "now": NOON, "wall": NOON}
    text = str(file).replace("True", "true")
    shopfile.load(text, **moment)
    assert not shopfile.load(text, **moment).changed
    written = {item["code"]: item for item in shopfile.as_data()["sources"]}
    assert written == {item["code"]: item for item in file["sources"]}
    with pytest.raises(ShopFileError):
        shopfile.load("{version: 1, sources: [{code: a, merged_into: nowhere}]}", **moment)
    assert not Source.select().where(Source.code == "a").exists()
