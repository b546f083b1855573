"""One receipt, one purchase, in every count until it is taken back."""

from __future__ import annotations

import io
import re
import threading
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import db as database_module
from lineadmin import segments
from lineadmin.coupons import follow_up
from lineadmin.coupons.models import Redemption
from lineadmin.coupons.redeem import redeem, undo
from lineadmin.db import db, insert_rows, is_postgres
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend
from lineadmin.journal.models import Fact
from lineadmin.purchases import actions, record, with_coupon
from lineadmin.purchases.csv_import import import_csv
from lineadmin.purchases.entry import Entry
from lineadmin.purchases.models import Purchase, PurchaseLine
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.coupons.making import give, make_coupon
from tests.factories import make_friend, make_friends, make_staff
from tests.outbox.test_index_use import plan_of
from tests.purchases.selling import buy
from tests.sequences.stage import TAIPEI


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one."""


def fit(tree: dict[str, Any], now: Any = NOON) -> set[str]:
    """The names of the friends a condition picks, counted both ways."""
    found = []
    for per_friend in (False, True):
        condition = segments.where(tree, now=now, zone=TAIPEI, per_friend=per_friend)
        found.append({row.display_name for row in Friend.select().where(condition)})
    assert found[0] == found[1]
    return found[0]


def often(field: str, value: int, **more: Any) -> dict[str, Any]:
    return {"field": field, "op": "at_least", "value": value, **more}


def test_the_same_receipt_twice_is_one_purchase_and_changes_nothing() -> None:
    hana, taro = make_friend("花子"), make_friend("太郎")
    first = buy(hana, 120, receipt=" AB-1 ", goods=("便當", "湯"))
    lines = Audit.select().count()
    again = buy(hana, 120, receipt="AB-1", goods=("便當", "湯"))
    assert (again.id, Purchase.select().count()) == (first.id, 1)
    assert PurchaseLine.select().count() == 2
    assert Fact.select().where(Fact.kind == "purchase").count() == 1
    assert Audit.select().count() == lines
    for friend, amount in ((hana, 121), (taro, 120)):
        with pytest.raises(DomainError, match="另一位好友或金額"):
            buy(friend, amount, receipt="AB-1")


def test_three_purchases_of_enough_make_a_loyal_friend_and_two_do_not() -> None:
    loyal, nearly, small = (make_friend(name) for name in ("三次", "兩次", "小額"))
    for friend, times, amount in ((loyal, 3, 500), (nearly, 2, 900), (small, 3, 499)):
        for _ in range(times):
            buy(friend, amount)
    sum_of_all = {"all": [often("purchases", 3), often("spent", 1_500)]}
    each = often("purchase_amount", 500, at_least=3)
    assert fit(sum_of_all) == fit(each) == {"三次"}
    buy(nearly, 500)
    assert fit(sum_of_all) == fit(each) == {"三次", "兩次"}


def test_who_bought_one_category_and_not_another() -> None:
    both, one, none = (make_friend(name) for name in ("都買", "只買便當", "只買茶"))
    buy(both, goods=("便當",))
    drink = buy(both, goods=("湯",))
    buy(one, goods=("便當", "便當"))
    buy(none, goods=("茶",))
    tree = {
        "all": [
            {"field": "bought", "op": "is", "value": "便當"},
            {"field": "bought", "op": "is_not", "value": "湯"},
        ]
    }
    assert fit(tree) == {"只買便當"}
    actions.void(drink.id, reason="打錯", staff=None, now=NOON, wall=NOON)
    assert fit(tree) == {"都買", "只買便當"}


def test_a_purchase_taken_back_is_in_no_count_and_stays_to_be_seen() -> None:
    hana = make_friend("花子")
    buy(hana, 300, receipt="A")
    wrong = buy(hana, 9_000, receipt="B", goods=("便當",))
    asked = [
        often("purchases", 2),
        often("spent", 9_000),
        often("fact:purchase", 2),
        {"field": "bought", "op": "known"},
    ]
    assert [fit(tree) for tree in asked] == [{"花子"}] * 4
    with pytest.raises(DomainError):
        actions.void(wrong.id, reason=" ", staff=None, now=NOON, wall=NOON)
    actions.void(wrong.id, reason="掃錯會員", staff=None, now=NOON, wall=NOON)
    assert [fit(tree) for tree in asked] == [set()] * 4
    assert Purchase.get_by_id(wrong.id).void_reason == "掃錯會員"
    kinds = [fact.kind for fact in Fact.select().order_by(Fact.id)]
    assert kinds == ["purchase", "purchase.void", "purchase.voided"]
    with pytest.raises(DomainError):
        actions.void(wrong.id, reason="再一次", staff=None, now=NOON, wall=NOON)
    with pytest.raises(DomainError):
        buy(hana, 9_000, receipt="B")


def test_a_cancelled_order_does_not_count_until_it_is_on_again() -> None:
    hana = make_friend("花子")
    order = buy(hana, 300, status="placed", goods=("便當",))
    asked = [often("purchases", 1), often("fact:purchase", 1), {"field": "bought", "op": "known"}]

    def moved(status: str) -> list[set[str]]:
        moment: dict[str, Any] = {"now": NOON, "wall": NOON}
        assert actions.set_status(order.id, status, version=None, staff=None, **moment)
        return [fit(tree) for tree in asked]

    assert moved("cancelled") == [set()] * 3
    assert moved("preparing") == [{"花子"}] * 3


@pytest.mark.parametrize("receipt_first", [True, False])
def test_a_redemption_with_an_amount_and_its_receipt_are_one_purchase(receipt_first: bool) -> None:
    follow_up.register("purchases", with_coupon.follow, with_coupon.take_back)
    hana, staff = make_friend("花子"), make_staff("staff")
    copy = give(make_coupon(), hana.id)

    def at_the_counter() -> Redemption:
        done = redeem(
            copy,
            staff=staff,
            how="code",
            request_key=f"key-{Redemption.select().count():08}",
            now=NOON,
            wall=NOON,
            amount=250,
        )
        return done.redemption

    if receipt_first:
        buy(hana, 250, receipt="POS-7", goods=("便當",), at=NOON - timedelta(hours=1))
        used = at_the_counter()
    else:
        used = at_the_counter()
        assert Purchase.get().receipt_no == f"redemption:{used.id}"
        buy(hana, 250, receipt="POS-7", goods=("便當",), at=NOON, now=NOON + timedelta(hours=9))
    [only] = list(Purchase.select())
    assert (only.receipt_no, only.redemption_id) == ("POS-7", used.id)
    assert fit({"field": "bought", "op": "is", "value": "便當"}) == {"花子"}
    buy(hana, 250, receipt="POS-8")  # she came twice that day
    assert Purchase.select().count() == 2
    undo(used, staff=staff, reason="按錯", now=NOON, wall=NOON)
    assert fit(often("purchases", 2)) == {"花子"}  # both receipts stand for themselves


def test_an_undone_redemption_takes_its_purchase_with_it() -> None:
    follow_up.register("purchases", with_coupon.follow, with_coupon.take_back)
    hana, staff = make_friend("花子"), make_staff("staff")
    copy = give(make_coupon(), hana.id)
    moment: dict[str, Any] = {"staff": staff, "now": NOON, "wall": NOON}
    done = redeem(copy, how="code", request_key="key-of-one", amount=250, **moment)
    assert fit(often("spent", 250)) == {"花子"}
    undo(done.redemption, reason="按錯", **moment)
    assert fit(often("purchases", 1)) == set()
    redeem(copy, how="code", request_key="key-of-two", amount=180, **moment)
    assert fit(often("spent", 180)) == {"花子"}


@pytest.mark.parametrize(
    ("tree", "index"),
    [
        (often("purchases", 3), "purchase_counted"),
        (often("purchases", 3, within_days=90), "purchase_counted"),
        (often("spent", 1_000, within_days=90), "purchase_counted"),
        (often("purchase_days", 30), "purchase_counted"),
        ({"field": "bought", "op": "is", "value": "便當"}, "purchase_line_counted"),
    ],
    ids=str,
)
def test_conditions_about_purchases_read_the_index_of_what_counts(
    tree: dict[str, Any], index: str
) -> None:
    friends = make_friends(300)
    category = record.categories(["便當"], now=NOON)["便當"]
    rows = [(f"R{n}", friends[n % 300], NOON, n, "done", "csv", NOON) for n in range(3_000)]
    p = Purchase
    sold = (p.receipt_no, p.friend, p.at, p.amount, p.status, p.origin, p.recorded_at)
    sold = (*sold, p.channel, p.branch, p.note, p.void_reason, p.version)
    ids = insert_rows(sold, [(*row, "", "", "", "", 1) for row in rows], returning=(p.id,))
    line = PurchaseLine
    insert_rows(
        (line.purchase, line.category, line.friend_id, line.at, line.name, line.quantity),
        [(ids[n][0], category, rows[n][1], NOON, "", 1) for n in range(3_000)],
    )
    db.execute_sql("ANALYZE")
    for per_friend in (False, True):
        condition = segments.where(tree, now=NOON, zone=TAIPEI, per_friend=per_friend)
        sql, values = Friend.select(Friend.id).where(condition).sql()
        plan = plan_of(sql, values)
        if is_postgres():  # which chooses among the indexes by its own figures
            assert "Seq Scan on purchase" not in plan, plan
            continue
        # A row of the table itself is never read: the index holds all that is asked.
        assert re.search(rf"COVERING INDEX {index}\b", plan), plan


def test_a_purchase_taken_back_while_a_file_is_read_stays_taken_back(monkeypatch: Any) -> None:
    hana = make_friend("花子")
    bought = buy(hana, 120, receipt="AB-1")
    real, threads = record.move, []

    def void() -> None:
        database_module.ensure_connection()
        actions.void(bought.id, reason="退貨", staff=None, now=NOON, wall=NOON)
        database_module.db.close()

    def meanwhile(*args: Any, **kwargs: Any) -> None:
        threads.append(threading.Thread(target=void))
        threads[0].start()
        threads[0].join(0.5)  # it must not get in between
        real(*args, **kwargs)

    monkeypatch.setattr(record, "move", meanwhile)
    entry = Entry(receipt_no="AB-1", friend_id=hana.id, at=NOON, amount=120, status="ready")
    record.record_all([entry], origin="csv", staff=None, now=NOON)
    threads[0].join()
    row = Purchase.get_by_id(bought.id)
    assert (row.status, row.voided_at, row.uncounted_at) == ("ready", NOON, NOON)


def test_half_a_receipt_is_not_recorded_however_its_number_is_written() -> None:
    make_friend("花子", line_user_id="U1")
    file = "no,who,day,price,qty\n'-7,U1,2026-11-20,100,1\n'-7,U1,2026-11-20,30,x\n"
    result = import_csv(
        io.BytesIO(file.encode()),
        columns=["receipt_no", "line_user_id", "at", "item_amount", "quantity"],
        staff=None,
        now=NOON,
        wall=NOON,
    )
    assert (result.created, result.failed) == (0, 1)
    assert not Purchase.select().exists()
