"""CSV for spreadsheets: opens as it is, runs nothing."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from lineadmin.admin.export import cell, csv_lines
from lineadmin.staff import audit
from lineadmin.staff.models import Audit
from tests.panel import panel_of


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_formulas_are_made_harmless(text):
    assert cell(text) == f"'{text}"


def test_values_are_written_as_people_write_them(db):
    assert cell(-5) == -5
    assert cell(None) == ""
    assert cell(True) == "是"
    assert cell(datetime(2026, 11, 23, 4, 0, tzinfo=UTC)) == "2026-11-23 12:00"


def test_a_file_begins_with_a_byte_order_mark_and_keeps_every_row():
    text = "".join(csv_lines([f"列{number}", "a,b"] for number in range(1_201)))
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text[1:])))
    assert len(rows) == 1_201
    assert rows[1_200] == ["列1200", "a,b"]


def test_the_audit_log_is_exported_with_its_filters_and_that_is_recorded(app):
    panel = panel_of(app, name="小美")
    audit.record(panel.staff, "tag.create", "tag", 1, "=cmd()", None, None, wall=_noon())
    audit.record(panel.staff, "coupon.create", "coupon", 1, "折價", None, None, wall=_noon())
    answer = panel.get("/admin/audit/export/csv/?kind=tag")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert len(rows) == 2
    assert rows[1][:4] == ["2026-11-23 12:00", "小美", "標籤：已新增", "'=cmd()"]
    line = Audit.select().order_by(Audit.id.desc()).first()
    assert line.action == "audit.export"
    assert line.after == {"filters": {"kind": "tag"}}


def test_only_csv_is_offered(app):
    assert panel_of(app).get("/admin/audit/export/xls/").status_code == 404
    assert panel_of(app).get("/admin/people/export/csv/").status_code == 404


def _noon():
    return datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
