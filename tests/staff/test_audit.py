"""The audit log: only what differs, no secrets, readable words."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

import pytest

import lineadmin
from lineadmin.i18n import use_locale
from lineadmin.staff import audit, audit_words
from lineadmin.staff.models import Audit
from tests.factories import make_staff

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture
def mei(db):
    return make_staff("owner", name="小美")


def line(mei, before, after, action="tag.edit"):
    audit.record(mei, action, "tag", 7, "愛吃雙拼", before, after, wall=NOON)
    return Audit.select().order_by(Audit.id.desc()).first()


def test_only_fields_that_differ_are_kept(mei):
    row = line(mei, {"name": "雙拼", "color": "#111111"}, {"name": "愛吃雙拼", "color": "#111111"})
    assert (row.before, row.after) == ({"name": "雙拼"}, {"name": "愛吃雙拼"})


def test_secrets_are_never_written(mei):
    row = line(
        mei,
        {"channel_secret": "abc", "nested": {"access_token": "def"}},
        {"password_hash": "ghi", "token": ""},
    )
    assert row.before == {"channel_secret": "•••", "nested": {"access_token": "•••"}}
    assert row.after == {"password_hash": "•••", "token": ""}


def test_a_bare_value_is_kept_as_one_field(mei):
    row = line(mei, None, [1, 2])
    assert row.after == {"value": [1, 2]}


def test_the_name_of_then_stays_when_the_person_is_renamed(mei):
    row = line(mei, None, {"name": "x"})
    mei.name = "other"
    mei.save()
    assert Audit.get_by_id(row.id).staff_name == "小美"


def test_the_address_of_the_request_is_kept(mei):
    with audit.coming_from("203.0.113.5"):
        assert line(mei, None, None).address == "203.0.113.5"
    assert line(mei, None, None).address == ""


def test_a_line_reads_as_words(mei):
    row = line(
        mei,
        {"active": True, "role": "staff", "at": NOON, "gone": None},
        {"active": False, "role": "owner", "at": None, "gone": ""},
        action="staff.edit",
    )
    with use_locale("zh_Hant_TW"):
        assert audit_words.sentence(row.action) == "員工：已修改"
        assert sorted(audit_words.changes(row)) == [
            ("啟用中", "是", "否"),
            ("時間", "2026/11/23（一）12:00", ""),
            ("角色", "店員", "店主"),
        ]


def _recorded_actions():
    """Every "noun.verb" constant that the code hands to audit.record or to an `action=`."""
    for path in Path(lineadmin.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            direct = isinstance(called, ast.Attribute) and called.attr == "record"
            direct = direct and isinstance(called.value, ast.Name) and called.value.id == "audit"
            values = [word.value for word in node.keywords if word.arg == "action"]
            values += node.args[1:2] if direct else []
            for value in values:
                if isinstance(value, ast.Constant) and "." in str(value.value):
                    yield value.value, path.name


def test_every_recorded_action_has_words():
    wordless = [
        found
        for found in _recorded_actions()
        if found[0].split(".")[0] not in audit_words.NOUNS
        or found[0].split(".", 1)[1] not in audit_words.VERBS
    ]
    assert wordless == []


def test_nothing_in_the_code_edits_or_deletes_audit_lines():
    sinners = [
        path
        for path in Path(lineadmin.__file__).parent.rglob("*.py")
        for word in ("Audit.update(", "Audit.delete(", "Audit.delete_by_id(")
        if word in path.read_text(encoding="utf-8")
    ]
    assert sinners == []
