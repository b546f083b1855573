"""Pages by key instead of by number: every row once, in order, whatever happens in between."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineadmin.admin.listing import Keyset, bounded_count, count_label
from lineadmin.friends.models import Friend
from lineadmin.i18n import use_locale
from lineadmin.staff.models import Audit
from tests.factories import LONG_AGO, make_friend, make_friends

SAME_DATABASE = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def forward(keyset, size):
    pages, after = [], None
    while True:
        rows, _before, after = keyset.page(Friend.select(), size, after=after, before=None)
        pages.append([row.id for row in rows])
        if after is None:
            return pages


def backward(keyset, size, start):
    pages, before = [], start
    while before is not None:
        rows, before, _after = keyset.page(Friend.select(), size, after=None, before=before)
        pages.append([row.id for row in rows])
    return pages


@given(
    moments=st.lists(st.none() | st.integers(0, 3), max_size=12),
    size=st.integers(1, 5),
    descending=st.booleans(),
)
@SAME_DATABASE
def test_every_row_comes_once_in_order_with_nulls_last_both_ways(db, moments, size, descending):
    Friend.delete().execute()
    for number in moments:
        seen = None if number is None else LONG_AGO + timedelta(hours=number)
        make_friend("x", last_seen_at=seen)
    rows = list(Friend.select())
    known = [row for row in rows if row.last_seen_at is not None]
    nulls = [row for row in rows if row.last_seen_at is None]
    known.sort(key=lambda row: (row.last_seen_at, row.id), reverse=descending)
    nulls.sort(key=lambda row: row.id, reverse=descending)
    expected = [row.id for row in (*known, *nulls)]
    keyset = Keyset(Friend.last_seen_at, Friend.id, descending)
    pages = forward(keyset, size)
    assert [key for page in pages for key in page] == expected
    if len(pages) > 1:
        last = Friend.get_by_id(pages[-1][0])
        back = backward(keyset, size, keyset.cursor(last))
        assert [key for page in reversed(back) for key in page] == expected[: -len(pages[-1])]


def test_by_key_alone_and_by_text(db):
    for name in ("乙", "甲", "丙", "甲"):
        make_friend(name)
    ids = [row.id for row in Friend.select().order_by(Friend.id)]
    newest_first = Keyset(Friend.id, Friend.id, descending=True)
    assert [key for page in forward(newest_first, 3) for key in page] == ids[::-1]
    by_name = Keyset(Friend.display_name, Friend.id)
    expected = [row.id for row in Friend.select().order_by(Friend.display_name, Friend.id)]
    assert [key for page in forward(by_name, 1) for key in page] == expected


def test_a_row_added_meanwhile_neither_repeats_nor_hides_another(db):
    make_friends(5)
    keyset = Keyset(Friend.id, Friend.id, descending=True)
    first, _before, after = keyset.page(Friend.select(), 2, after=None, before=None)
    make_friend("new")
    second, _before, _after = keyset.page(Friend.select(), 2, after=after, before=None)
    assert [row.id for row in (*first, *second)] == sorted(
        (row.id for row in (*first, *second)), reverse=True
    )
    assert second[0].id == first[-1].id - 1


def _cursor(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "%%%",
        "a" * 3000,
        _cursor([1]),
        _cursor({"a": 1}),
        _cursor([1, "2"]),
        _cursor([10**40, 1]),
        _cursor([1, 10**40]),
        _cursor([[1], 1]),
        _cursor(["text", 1]),
        _cursor([True, True]),
    ],
)
def test_a_cursor_somebody_made_up_shows_the_first_page(db, text):
    make_friends(3)
    keyset = Keyset(Friend.last_seen_at, Friend.id)
    rows, before, _after = keyset.page(Friend.select(), 2, after=text, before=None)
    assert len(rows) == 2
    assert before is None


def test_walking_reads_everything_in_batches(db):
    make_friends(25)
    keyset = Keyset(Friend.last_seen_at, Friend.id)
    assert len({row.id for row in keyset.walk(Friend.select(), batch=7)}) == 25


def test_counting_stops_at_the_limit(db):
    make_friends(12)
    assert bounded_count(Friend.select(), limit=20) == 12
    assert bounded_count(Friend.select(), limit=10) == 11
    with use_locale("zh_Hant_TW"):
        assert count_label(12) == "共 12 筆"
        assert count_label(10_001) == "超過 10,000 筆"


def test_a_page_is_found_through_an_index_and_not_by_reading_everything(db):
    if not hasattr(db, "pragma"):
        pytest.skip("the plan is read on SQLite")
    keyset = Keyset(Friend.last_seen_at, Friend.id, descending=True)
    seen = []
    db.execute_hook = None
    original = db.execute_sql

    def listen(sql, *arguments, **more):
        seen.append((sql, arguments[0] if arguments else None))
        return original(sql, *arguments, **more)

    db.execute_sql = listen
    try:
        row = make_friend("x")
        seen.clear()
        keyset.page(Friend.select(), 50, after=keyset.cursor(row), before=None)
    finally:
        db.execute_sql = original
    for sql, values in list(seen):
        plan = " ".join(
            str(line[3]) for line in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        )
        assert "SCAN" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


def test_the_audit_log_pages_and_filters_on_screen(app):
    from lineadmin.staff import audit
    from tests.panel import panel_of

    panel = panel_of(app, name="小美")
    monday = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    for number in range(60):
        audit.record(
            panel.staff,
            "tag.create",
            "tag",
            number,
            f"標籤{number}",
            None,
            None,
            wall=monday + timedelta(hours=number),
        )
    page = panel.get("/admin/audit/").text
    assert "共 60 筆" in page
    assert "標籤59<" in page
    assert "標籤9<" not in page
    following = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    page = panel.get(following).text
    assert "標籤9<" in page
    assert "標籤59<" not in page
    assert 'rel="prev"' in page
    page = panel.get("/admin/audit/?from=2026-11-24&until=2026-11-24").text
    assert "共 24 筆" in page
    assert Audit.select().count() == 60
    for odd in ("from=2026-99-99", "from=x", "person=abc", "kind=nothing", "sort=id&desc=2"):
        assert "共 60 筆" in panel.get(f"/admin/audit/?{odd}").text
    assert "沒有符合" in panel.get("/admin/audit/?person=0").text
