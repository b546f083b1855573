"""Purchases on the screens: entered at the counter, read from a till's file, found, taken back."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from lineadmin import settings
from lineadmin.friends.models import Field, FriendField
from lineadmin.journal.models import Fact
from lineadmin.members.models import Member
from lineadmin.outbox.models import Delivery, OriginKind
from lineadmin.purchases import actions, queries
from lineadmin.purchases.models import Purchase, PurchaseLine
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.coupons.making import give, make_coupon
from tests.factories import make_friend
from tests.panel import Panel, flashes_of, hidden_of, panel_of
from tests.purchases.selling import buy

LIST = "/admin/purchases/"


@pytest.fixture
def counter(app: Any, clock: Any) -> Panel:
    """A member of staff at the counter."""
    return panel_of(app, "staff")


def upload(panel: Panel, text: str, encoding: str = "utf-8") -> str:
    file = (io.BytesIO(text.encode(encoding)), "pos.csv")
    page: str = panel.post(
        f"{LIST}import/preview/", {"file": file}, content_type="multipart/form-data"
    ).text
    return page


def run_import(panel: Panel, page: str) -> str:
    columns = re.findall(r'<input type="hidden" name="column" value="([^"]*)"', page)
    data = {"token": hidden_of(page)["token"], "column": columns}
    result: str = panel.post(f"{LIST}import/run/", data, follow_redirects=True).text
    return result


def test_staff_find_her_by_name_coupon_or_number_and_enter_what_she_bought(counter: Panel) -> None:
    hana = make_friend("陳小花")
    phone = Field.create(key="phone", name="電話", type="text")
    FriendField.create(friend=hana, field=phone, text="0912345678", at=NOON)
    copy = give(make_coupon(), hana.id)
    member = Member.create(number="V-77", phone="0922111222", friend=hana, created_at=NOON)
    for text in ("小花", copy.code, "0912345678", member.number, "0922-111-222"):
        page = counter.get(f"{LIST}new/", query_string={"q": text}).text
        assert f"friend={hana.id}" in page, text
    assert "找不到" in counter.get(f"{LIST}new/?q=沒有這個人").text
    address = f"{LIST}new/?friend={hana.id}"
    typed = {
        "receipt_no": "AB-1",
        "amount": "",
        "status": "done",
        "branch": "信義店",
        "line-0-name": "雙拼便當",
        "line-0-category": "便當",
        "line-0-quantity": "2",
        "line-0-amount": "NT$240",
    }
    wrong = counter.post(address, {**typed, "line-0-amount": "", "amount": "很多"})
    assert (wrong.status_code, Purchase.select().count()) == (400, 0)
    for _twice in range(2):
        page = counter.post(address, typed, follow_redirects=True).text
    assert flashes_of(page) == ["這個單號先前已登錄。"]
    [row] = list(Purchase.select())
    assert (row.amount, row.branch, row.friend_id) == (240, "信義店", hana.id)
    assert (PurchaseLine.get().quantity, PurchaseLine.get().category.name) == (2, "便當")
    assert "共 1 次消費，合計 NT$240" in counter.get(f"/admin/friends/{hana.id}/").text
    assert [line.action for line in Audit.select().order_by(Audit.id)] == ["purchase.create"]


def test_the_list_is_searched_filtered_and_written_out(app: Any, clock: Any) -> None:
    panel = panel_of(app, "manager")
    hana, taro = make_friend("花子"), make_friend("太郎")
    buy(hana, 100, receipt="A-1", goods=("便當",), branch="信義店")
    buy(taro, 200, receipt="A-2", goods=("茶",), status="placed")
    gone = buy(taro, 300, receipt="B-3")
    actions.void(gone.id, reason="打錯", staff=None, now=NOON, wall=NOON)

    def shown(**query: str) -> set[str]:
        page = panel.get(LIST, query_string=query).text
        return {number for number in ("A-1", "A-2", "B-3") if f">{number}<" in page}

    assert shown() == {"A-1", "A-2", "B-3"}
    assert shown(search="A-") == {"A-1", "A-2"}
    assert shown(search="太郎") == {"A-2", "B-3"}
    assert shown(status="placed") == {"A-2"}
    assert shown(status="voided") == {"B-3"}
    assert shown(branch="信義店") == {"A-1"}
    tea = next(row for row in PurchaseLine.select() if row.category and row.category.name == "茶")
    assert shown(category=str(tea.category_id)) == {"A-2"}
    assert shown(**{"from": "2026-11-24"}) == set()
    file = panel.get(f"{LIST}export/csv/").get_data(as_text=True)
    assert "打錯" in file
    assert file.startswith("\ufeff單號")


def test_a_tills_file_is_mapped_checked_and_imported_once(app: Any, clock: Any) -> None:
    panel = panel_of(app, "manager")
    hana, taro = make_friend("花子"), make_friend("太郎")
    number = Field.create(key="member_no", name="會員編號", type="text")
    FriendField.create(friend=hana, field=number, text="M001", at=NOON)
    FriendField.create(friend=taro, field=number, text="M002", at=NOON)
    till = (
        "單號,日期,會員編號,品名,類別,小計,備註\n"
        "P1,115/11/20 12:30,M001,雙拼便當,便當,120,\n"
        "P1,115/11/20 12:30,M001,味噌湯,湯,30,\n"
        "P2,2026/11/21,M002,=1+1,茶,NT$50,\n"
        "P3,2026/11/21,M999,紅茶,茶,50,\n"
        "P4,昨天,M001,紅茶,茶,50,\n"
    )
    page = upload(panel, till, "cp950")
    assert "沒有好友對應「M999」" in page
    assert Purchase.select().count() == 0
    result = run_import(panel, page)
    assert "日期請寫成" in result
    rows = {row.receipt_no: row for row in Purchase.select()}
    assert {key: (row.friend_id, row.amount) for key, row in rows.items()} == {
        "P1": (hana.id, 150),
        "P2": (taro.id, 50),
    }
    assert f"{rows['P1'].at:%Y-%m-%d %H:%M}" == "2026-11-20 04:30"
    assert {line.category.name for line in PurchaseLine.select()} == {"便當", "湯", "茶"}
    before = [(row.receipt_no, row.version) for row in Purchase.select().order_by(Purchase.id)]
    facts = Fact.select().count()
    run_import(panel, upload(panel, "\ufeff" + till))
    assert [
        (row.receipt_no, row.version) for row in Purchase.select().order_by(Purchase.id)
    ] == before
    assert (PurchaseLine.select().count(), Fact.select().count()) == (3, facts)
    assert panel_of(app, "staff").get(f"{LIST}import/").status_code == 403


def test_a_till_may_know_friends_by_their_member_numbers(app: Any, clock: Any) -> None:
    hana = make_friend("花子")
    Member.create(number="V-77", friend=hana, created_at=NOON)
    Member.create(number="V-78", created_at=NOON)  # bound to nobody
    panel = panel_of(app, "manager")
    till = "單號,日期,會員編號,金額\nP1,2026-11-20,V-77,120\nP2,2026-11-20,V-78,90\n"
    page = upload(panel, till)
    assert "沒有好友對應「V-78」" in page
    run_import(panel, page)
    assert [(row.receipt_no, row.friend_id) for row in Purchase.select().order_by(Purchase.id)] == [
        ("P1", hana.id)
    ]


def test_a_file_can_move_orders_on_and_tells_each_status_once(app: Any, clock: Any) -> None:
    settings.change_shop({"order_notices": True}, staff=None, wall=NOON)
    panel = panel_of(app, "manager")
    hana = make_friend("花子")
    buy(hana, 200, receipt="W-1", status="preparing", at=NOON)
    head = (
        f"receipt_no,at,line_user_id,amount,status\nW-1,2026-11-23 12:00,{hana.line_user_id},200,"
    )
    for _twice in range(2):
        run_import(panel, upload(panel, f"{head}可領取\n"))
    run_import(panel, upload(panel, f"{head}\n"))  # says nothing about it
    assert Purchase.get().status == "ready"
    notices = Delivery.select().where(Delivery.origin_kind == int(OriginKind.NOTICE))
    assert [row.origin_run for row in notices.order_by(Delivery.id)] == [2, 3]


def test_two_people_move_one_order_and_the_second_is_told(counter: Panel) -> None:
    row = buy(make_friend("花子"), status="placed")
    data = {"status": "ready", "version": str(row.version)}
    counter.post(f"{LIST}{row.id}/status/", data)
    page = counter.post(
        f"{LIST}{row.id}/status/", {**data, "status": "done"}, follow_redirects=True
    ).text
    assert len(flashes_of(page)) == 2  # the first was saved, the second refused
    assert Purchase.get().status == "ready"
    assert [event.kind for event in queries.history(row.id)] == ["purchase", "purchase.status"]


def test_managers_take_back_after_a_question_and_staff_may_not(app: Any, counter: Panel) -> None:
    row = buy(make_friend("花子"), receipt="A-1")
    address = f"{LIST}{row.id}/void/"
    assert counter.post(address, {"reason": "打錯"}).status_code == 403
    manager = panel_of(app, "manager")
    assert "要作廢消費 A-1 嗎？" in manager.post(address, {"reason": "打錯"}).text
    assert Purchase.get().voided_at is None
    manager.post(address, {"reason": "打錯", "confirmed": "1"})
    assert Purchase.get().void_reason == "打錯"
    assert "已作廢" in manager.get(f"{LIST}{row.id}/").text


def test_a_wish_waits_on_the_home_page_until_somebody_answers(app: Any, counter: Panel) -> None:
    hana = make_friend("花子")
    order = buy(hana, receipt="W-1", status="placed")
    assert actions.ask_change(order, "飯少一點", now=NOON)
    assert not actions.ask_change(order, "飯少一點", now=NOON)
    assert "飯少一點" in counter.get("/admin/").text
    wish = queries.open_wishes()[0].row
    assert "飯少一點" in counter.get(f"{LIST}wishes/").text
    address = f"{LIST}wishes/{wish.id}/answer/"
    counter.post(address, {"do": "decline", "answer": ""})
    assert queries.open_count() == 1  # a no needs a word
    counter.post(address, {"do": "grant", "answer": "好的", "send": "1"})
    assert queries.open_count() == 0
    assert "飯少一點" not in counter.get("/admin/").text
    [sent] = list(Delivery.select().where(Delivery.origin_kind == int(OriginKind.NOTICE)))
    assert sent.content.parts == [{"text": "關於您的訂單 W-1：好的"}]
    again = counter.post(address, {"do": "grant"}, follow_redirects=True).text
    assert flashes_of(again) == ["已經有人回覆過了。"]
