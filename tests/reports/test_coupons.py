"""Coupons in numbers: the sums are right, asked by index, and go out as CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lineadmin.coupons.issue import void
from lineadmin.coupons.models import RedemptionTry
from lineadmin.coupons.redeem import check, redeem, undo
from lineadmin.db import db, is_postgres
from lineadmin.reports import coupons as report
from lineadmin.reports.coupons import Span
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.coupons.making import give, make_coupon
from tests.factories import make_friend, make_friends, make_staff
from tests.outbox.test_index_use import plan_of, statements
from tests.panel import panel_of

TAIPEI = ZoneInfo("Asia/Taipei")
WEEK = Span(date(2026, 11, 17), date(2026, 11, 23), TAIPEI)


def at(day: str, clock: str = "12:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=TAIPEI)


def use(copy, now, amount=None, staff=None):
    key = f"key-{copy.id:08}-{now:%H%M%S%f}"
    return redeem(
        copy, staff=staff, how="code", request_key=key, now=now, wall=now, amount=amount
    ).redemption


@pytest.fixture
def story(db):
    """One week: two sources, a use, a use undone, one expired, one taken back."""
    coupon, tea = make_coupon(), make_coupon(code="tea", title="紅茶", valid_days=1)
    mei, de = make_staff("staff", name="小美"), make_staff("staff", name="阿德")
    friends = make_friends(6)
    greeted = [
        give(coupon, friend, now=at("2026-11-20"), origin="greeting") for friend in friends[:3]
    ]
    stepped = [give(coupon, friend, now=at("2026-11-21"), origin="step") for friend in friends[3:5]]
    give(tea, friends[5], now=at("2026-11-20"), origin="step")  # ends on Saturday
    use(greeted[0], at("2026-11-21"), 500, mei)
    use(stepped[0], at("2026-11-22"), 200, de)
    undone = use(greeted[1], at("2026-11-22"), 900, de)
    undo(undone, staff=de, reason="按錯", now=at("2026-11-22", "12:05"), wall=NOON)
    void([stepped[1]], now=at("2026-11-21"))
    return coupon, tea


def test_by_source_the_parts_of_a_row_belong_together(story):
    found = report.by_source(WEEK, now=NOON)
    assert list(found) == ["greeting", "step"]
    greeting, step = found["greeting"], found["step"]
    assert (greeting.issued, greeting.redeemed, greeting.expired) == (3, 1, 0)
    assert (greeting.amount, greeting.discount, greeting.held) == (500, 100, 2)
    assert (step.issued, step.redeemed, step.expired, step.amount) == (2, 1, 1, 200)


def test_by_coupon_and_narrowed_to_one(story):
    coupon, tea = story
    found = report.by_coupon(WEEK, now=NOON)
    assert {key: one.issued for key, one in found.items()} == {coupon.id: 4, tea.id: 1}
    only = report.by_source(Span(WEEK.first, WEEK.last, TAIPEI, tea.id), now=NOON)
    assert {code: (one.issued, one.expired) for code, one in only.items()} == {"step": (1, 1)}


def test_by_day_counts_on_the_shops_calendar(story):
    coupon, _tea = story
    late = give(coupon, make_friend().id, now=at("2026-11-19", "23:59"), origin="reply")
    use(late, at("2026-11-20", "00:01"), 300)
    days = {day.day.day: (day.issued, day.redeemed, day.amount) for day in report.by_day(WEEK)}
    assert list(days) == [17, 18, 19, 20, 21, 22, 23]
    assert days[19] == (1, 0, 0)
    assert days[20] == (4, 1, 300)
    assert days[21] == (1, 1, 500)  # what was taken back is not counted
    assert days[22] == (0, 1, 200)


def test_by_staff_leaves_undone_uses_out_of_the_money(story):
    found = {one.name: (one.redeemed, one.undone, one.amount) for one in report.by_staff(WEEK)}
    assert found == {"小美": (1, 0, 500), "阿德": (1, 1, 200)}


def test_days_outside_are_not_counted(story):
    before = Span(date(2026, 11, 1), date(2026, 11, 19), TAIPEI)
    assert report.by_source(before, now=NOON) == {}
    assert not any(day.redeemed for day in report.by_day(before))
    assert report.by_staff(before) == []


ROWS = 20_000
HISTORY = (
    "INSERT INTO coupon_issue (coupon_id, friend_id, number, token, code, issued_at, origin,"
    " origin_id, carried, redeemed_how) SELECT {coupon}, 1000000 + i, 1, 'token-' || i,"
    " 'code-' || i, 1000000 * CAST(i AS BIGINT), 'step', 0, 1, '' FROM n",
    "INSERT INTO redemption (issue_id, coupon_id, friend_id, at, how, request_key, undo_reason)"
    " SELECT MIN(i.id) + n.i, {coupon}, 1, 1000000 * CAST(n.i AS BIGINT), 'code', 'old-' || n.i, ''"
    " FROM n, coupon_issue AS i WHERE i.token = 'token-1' GROUP BY n.i HAVING n.i < {rows}",
    "INSERT INTO redemption_try (at, staff_id, code, outcome, address)"
    " SELECT i, 1, '', 'expired', '' FROM n",
)


def test_years_of_copies_are_reached_by_indexes_only(story):
    coupon, _tea = story
    numbers = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}"
    for statement in HISTORY:
        filled = statement.format(coupon=coupon.id, rows=ROWS - 10)
        db.execute_sql(f"WITH RECURSIVE n(i) AS ({numbers}) {filled}")
    db.execute_sql("ANALYZE")
    with statements() as seen:
        for span in (WEEK, Span(WEEK.first, WEEK.last, TAIPEI, coupon.id)):
            report.by_source(span, now=NOON)
            report.by_coupon(span, now=NOON)
            report.by_day(span)
            report.by_staff(span)
    asked = [(sql, params) for sql, params in seen if "coupon_issue" in sql or "redemption" in sql]
    assert len(asked) >= 14
    for sql, params in asked:
        plan = plan_of(sql, params)
        if is_postgres():
            assert "Seq Scan on coupon_issue" not in plan, plan
        else:
            assert "SCAN" not in plan.replace("USE TEMP", ""), f"{sql}\n{plan}"


# The screen ---------------------------------------------------------------------------------


@pytest.fixture
def manager(app, clock):
    return panel_of(app, "manager")


def csv_of(answer):
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_page_tells_all_of_it_with_a_table_behind_the_chart(manager, story):
    page = manager.get("/admin/coupon_report/").text
    for words in ("歡迎訊息", "漸進式訊息", "小美", "阿德", "NT$500", "NT$700", "<svg viewBox"):
        assert words in page, words
    assert "11/20" in page
    nothing = manager.get("/admin/coupon_report/?from=2025-01-01&until=2025-01-31").text
    assert "這段期間沒有發出優惠券" in nothing
    assert manager.get("/admin/coupon_report/?from=x&until=2026-99-99&coupon=y").status_code == 200


@pytest.mark.parametrize(
    ("what", "rows"), [("sources", 3), ("coupons", 3), ("days", 31), ("staff", 3), ("copies", 7)]
)
def test_each_table_goes_out_as_csv(manager, story, what, rows):
    assert len(csv_of(manager.get(f"/admin/coupon_report/export/?what={what}"))) == rows
    assert Audit.get(Audit.action == "coupon.export").object_label == what
    assert manager.get("/admin/coupon_report/export/?what=all").status_code == 404


def test_a_name_that_looks_like_a_formula_is_harmless(manager, db):
    give(make_coupon(), make_friend('=HYPERLINK("http://evil")').id)
    rows = csv_of(manager.get("/admin/coupon_report/export/?what=copies"))
    assert rows[1][1].startswith("'=")


def test_viewers_read_and_do_not_export(app, clock, story):
    viewer = panel_of(app, "viewer")
    assert viewer.get("/admin/coupon_report/").status_code == 200
    assert viewer.get("/admin/coupon_report/export/?what=days").status_code == 403
    assert viewer.get("/admin/redeem/tries/export/").status_code == 403


def test_refused_tries_are_narrowed_and_exported(manager, story):
    mei, other = make_staff("staff", name="小林"), make_staff("staff", name="小張")
    for staff, text in ((mei, "AAAABBBBCCCC"), (mei, "=1+1AAAABBBB"), (other, "DDDDEEEEFFFF")):
        check(text, staff=staff, now=NOON, wall=NOON)
    RedemptionTry.create(at=NOON, staff_id=mei.id, code="=1+1", outcome="expired")
    tomorrow = NOON + timedelta(days=1)
    RedemptionTry.create(at=tomorrow, staff_id=other.id, code="later", outcome="used")

    def listed(query=""):
        return csv_of(manager.get(f"/admin/redeem/tries/export/{query}"))[1:]

    everything = listed()
    assert [row[2] for row in listed("?outcome=expired")] == ["'=1+1"]
    assert all(row[5] == "小張" for row in listed(f"?staff={other.id}"))
    assert [row[2] for row in listed("?from=2026-11-24")] == ["later"]
    assert len(listed("?until=2026-11-23")) == len(everything) - 1
    page = manager.get(f"/admin/redeem/tries/?staff={other.id}&outcome=used").text
    assert "later" in page
    assert "AAAA" not in page
    assert "沒有符合的紀錄" in manager.get("/admin/redeem/tries/?outcome=paused").text
