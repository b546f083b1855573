"""Lotteries on the managers' screens, without JavaScript."""

from __future__ import annotations

import csv
import io

import pytest

from lineadmin.coupons.models import Coupon
from lineadmin.lottery.draw import draw
from lineadmin.lottery.models import Lottery, LotteryDraw, LotteryPrize
from lineadmin.shopfile.dump import as_data, dump
from lineadmin.shopfile.errors import ShopFileError, ShopFileErrors
from lineadmin.shopfile.load import load
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.coupons.making import make_coupon
from tests.factories import make_friend, make_friends
from tests.lottery.making import make_lottery
from tests.panel import flashes_of, hidden_of, panel_of

NEW = {
    "title": "開幕抽獎",
    "rule": "once",
    "way": "page",
    "last_day": "2026-12-31",
    "prizes-0-name": "頭獎",
    "prizes-0-coupon": "bento20",
    "prizes-0-percent": "0.5",
    "prizes-0-stock": "3",
    "prizes-1-name": "安慰獎",
    "prizes-1-coupon": "bento20",
    "prizes-1-percent": "40",
    "prizes-consolation": "1",
}


@pytest.fixture
def manager(app, clock):
    return panel_of(app, "manager")


def test_a_lottery_is_set_up_and_its_page_shows_it(manager):
    make_coupon()
    answer = manager.post("/admin/lotteries/new/", NEW)
    lottery = Lottery.get()
    assert answer.location.endswith(f"/admin/lotteries/details/?id={lottery.id}")
    prizes = list(LotteryPrize.select().order_by(LotteryPrize.position))
    assert [(one.name, one.odds, one.stock, one.consolation) for one in prizes] == [
        ("頭獎", 5_000, 3, False),
        ("安慰獎", 400_000, None, True),
    ]
    assert f"{lottery.ends_at:%Y-%m-%dT%H:%MZ}" == "2026-12-31T16:00Z"
    page = manager.get(answer.location).text
    assert "頭獎" in page
    assert lottery.seed_hash in page
    assert lottery.seed not in page
    assert "開幕抽獎" in manager.get("/admin/lotteries/").text
    log = Audit.get(Audit.action == "lottery.create")
    assert lottery.seed not in str(log.after)


def test_odds_above_the_hundred_come_back_with_everything_that_was_typed(manager):
    make_coupon()
    answer = manager.post("/admin/lotteries/new/", NEW | {"prizes-0-percent": "61"})
    assert "機率加總為 101%" in answer.text
    assert 'value="61"' in answer.text
    assert not Lottery.select().exists()


def test_after_a_draw_odds_are_locked_and_stock_is_not(manager):
    lottery = make_lottery()
    draw(lottery.id, make_friend().id, how="page", now=NOON)
    address = f"/admin/lotteries/edit/?id={lottery.id}"
    hidden = hidden_of(manager.get(address).text)
    typed = {"title": "開幕大抽獎", "way": "page", "prizes-0-name": "頭獎", "prizes-0-stock": "9"}
    typed |= {"prizes-0-percent": "99", "prizes-1-name": "安慰獎", "prizes-1-stock": ""}
    answer = manager.post(address, hidden | typed)
    assert answer.status_code == 302, answer.text
    first = LotteryPrize.get(LotteryPrize.position == 1)
    assert (first.odds, first.stock) == (200_000, 9)
    assert Lottery.get().title == "開幕大抽獎"
    assert manager.post(address, hidden | typed | {"title": "別的"}).status_code == 409


def test_draws_are_listed_rechecked_and_exported(manager):
    lottery = make_lottery()
    for friend in make_friends(60):
        draw(lottery.id, friend, how="page", now=NOON)
    make_friend("=2+2")
    page = manager.get(f"/admin/lotteries/details/?id={lottery.id}&recheck=1").text
    assert "60 筆抽獎全部符合密數" in page
    assert "after=" in page
    text = manager.get(f"/admin/lotteries/log/?id={lottery.id}").get_data(as_text=True)
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 61
    assert Audit.get(Audit.action == "lottery.export").after == {"rows": 60}
    lost = LotteryDraw.select().where(LotteryDraw.prize.is_null()).first()
    LotteryDraw.update(number=0).where(LotteryDraw.id == lost.id).execute()
    page = manager.get(f"/admin/lotteries/details/?id={lottery.id}&recheck=1").text
    assert "1 筆抽獎與密數不符" in page


def test_closing_asks_first_and_is_for_good(manager):
    lottery = make_lottery()
    state = "/admin/lotteries/state/"
    asked = manager.post(state, {"id": lottery.id, "state": "closed"})
    assert "密數會公開" in asked.text
    assert Lottery.get().state == "active"
    manager.post(state, {"id": lottery.id, "state": "closed", "confirmed": "1"})
    assert Lottery.get().state == "closed"
    page = manager.get(f"/admin/lotteries/details/?id={lottery.id}").text
    assert Lottery.get().seed in page
    answer = manager.post(state, {"id": lottery.id, "state": "active"}, follow_redirects=True)
    assert flashes_of(answer.text) == ["已關閉的抽獎不能再開啟。"]


def test_pausing_and_resuming(manager):
    lottery = make_lottery()
    for wanted in ("paused", "active"):
        manager.post("/admin/lotteries/state/", {"id": lottery.id, "state": wanted})
        assert Lottery.get().state == wanted


def test_staff_and_viewers_read_only(app, clock):
    lottery = make_lottery()
    for role in ("staff", "viewer"):
        person = panel_of(app, role)
        assert person.get(f"/admin/lotteries/details/?id={lottery.id}").status_code == 200
        assert person.get(f"/admin/lotteries/log/?id={lottery.id}").status_code == 403
        assert person.get("/admin/lotteries/new/").status_code in (403, 404)
        refused = person.post("/admin/lotteries/state/", {"id": lottery.id, "state": "paused"})
        assert refused.status_code == 403
    assert Coupon.select().count() == 2


# The shop file --------------------------------------------------------------------------------

FILE = """
version: 1
coupons:
  - {code: bento20, title: 雙拼便當 8 折, benefit: {type: percent, value: 20}, valid: {days: 7}}
lotteries:
  - code: opening
    title: 開幕抽獎
    rule: daily
    until: 2026-12-31
    prizes:
      - {name: 頭獎, coupon: bento20, odds: 0.1, stock: 3}
      - {name: 安慰獎, coupon: bento20, odds: 40, consolation: true}
greeting: {messages: [{text: 歡迎}, {lottery: opening}]}
"""


def load_file(text):
    return load(text, staff=None, now=NOON, wall=NOON)


def test_the_shop_file_makes_and_dumps_lotteries(db):
    load_file(FILE)
    lottery = Lottery.get()
    assert (lottery.rule, lottery.way) == ("daily", "page")
    assert load_file(FILE).created == load_file(FILE).changed == []
    dumped = as_data()["lotteries"][0]
    assert dumped["until"] == "2026-12-31"
    assert [prize["odds"] for prize in dumped["prizes"]] == [0.1, 40]
    assert lottery.seed not in dump()
    assert load_file(dump()).changed == []
    load_file("version: 1\nlotteries: [{code: opening, state: closed}]")
    assert as_data()["lotteries"][0]["state"] == "closed"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("odds: 40", "odds: 99.95"), 10),
        (("coupon: bento20, odds: 0.1", "coupon: nowhere, odds: 0.1"), 10),
        (("{lottery: opening}", "{lottery: closing}"), 13),
        (("rule: daily", "rule: weekly"), 8),
    ],
)
def test_a_mistake_in_the_file_names_its_line_and_changes_nothing(db, change, line):
    with pytest.raises((ShopFileError, ShopFileErrors)) as refused:
        load_file(FILE.replace(*change))
    first = getattr(refused.value, "errors", [refused.value])[0]
    assert first.line == line
    assert not Lottery.select().exists()
