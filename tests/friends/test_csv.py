"""The friends CSV in and out."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineadmin import clock
from lineadmin.errors import DomainError
from lineadmin.friends import actions, csv_form
from lineadmin.friends.csv_export import export_csv
from lineadmin.friends.csv_import import import_csv
from lineadmin.friends.models import Field, Friend, FriendField, FriendTag, Tag
from lineadmin.friends.queries import tags_of
from lineadmin.journal.models import Fact
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import make_friend

ONE = "U" + "1" * 32
TWO = "U" + "2" * 32


def load(text, encoding="utf-8"):
    raw = text.encode(encoding) if isinstance(text, str) else text
    return import_csv(io.BytesIO(raw), None, NOON, clock.wall(), name="friends.csv")


def counts(result):
    return result.rows, result.created, result.updated, result.unchanged, result.failed


def friend(user_id=ONE):
    return Friend.get(Friend.line_user_id == user_id)


@pytest.fixture
def shop(db):
    actions.ensure_source("storefront", "門市 QR", now=NOON)
    Field.create(key="allergy", name="過敏", type="choice", choices=["無", "花生"])
    Field.create(key="visits", name="來店次數", type="number", position=1)
    Field.create(key="since", name="會員起", type="date", position=2)


FULL = (
    "line_user_id,display_name,source,gender,birth_year,region,os,tags,allergy,visits,since\r\n"
    f"{ONE},小花,storefront,female,1998,tw_01,ios,愛吃雙拼|會員,花生,12,2026-01-05\r\n"
)


def test_a_full_row_is_kept_with_where_it_came_from(shop):
    assert counts(load(FULL)) == (1, 1, 0, 0, 0)
    hana = friend()
    assert (hana.display_name, hana.status) == ("小花", "unknown")
    assert (hana.gender, hana.birth_year, hana.region, hana.os) == ("female", 1998, "tw_01", "ios")
    assert {hana.gender_origin, hana.birth_origin, hana.source_origin} == {"csv"}
    assert hana.source.code == "storefront"
    assert hana.profile_due_at is None  # an import asks LINE for nothing
    assert [tag.name for tag in tags_of([hana.id])[hana.id]] == ["愛吃雙拼", "會員"]
    values = {row.field.key: (row.text, row.number) for row in FriendField.select()}
    assert values == {
        "allergy": ("花生", None),
        "visits": ("", 12.0),
        "since": ("2026-01-05", None),
    }


def test_the_journal_tells_what_a_file_set(shop):
    load(FULL)
    told: dict[str, object] = {}
    for fact in Fact.select().where(Fact.kind == "attribute.set").order_by(Fact.id):
        assert fact.value["by"] == "csv"
        told |= fact.value["set"]
    assert told["gender"] == "female"
    assert (told["allergy"], told["visits"], told["since"]) == ("花生", "12", "2026-01-05")


def test_the_same_file_twice_changes_nothing(shop):
    load(FULL)
    before = Fact.select().count()
    assert counts(load(FULL)) == (1, 0, 0, 1, 0)
    assert Fact.select().count() == before
    assert friend().version == 2


def test_empty_cells_leave_what_is_known_alone(shop):
    load(FULL)
    assert counts(load(f"line_user_id,gender,tags,visits\n{ONE},,,\n")) == (1, 0, 0, 1, 0)
    assert friend().gender == "female"
    assert FriendTag.select().count() == 2


def test_bom_and_big5_files_from_excel_are_read(shop):
    assert counts(load("\ufeff" + FULL)) == (1, 1, 0, 0, 0)
    result = load(f"line_user_id,display_name\n{TWO},陳小明\n", encoding="cp950")
    assert counts(result) == (1, 1, 0, 0, 0)
    assert friend(TWO).display_name == "陳小明"


def test_a_file_in_no_known_writing_is_refused(shop):
    with pytest.raises(DomainError):
        load("line_user_id\n".encode("utf-16"))


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("line_user_id,favourite", "favourite"),
        ("display_name", "line_user_id"),
        ("line_user_id,tags,tags", "tags"),
        ("", "line_user_id"),
    ],
)
def test_a_wrong_header_is_named_and_nothing_is_read(shop, header, named):
    with pytest.raises(DomainError) as refused:
        load(f"{header}\n{ONE},x\n")
    assert named in str(refused.value)
    assert Friend.select().count() == 0


def test_an_empty_file_is_refused(shop):
    with pytest.raises(DomainError):
        load("")


def test_bad_rows_are_told_by_line_and_column_and_good_ones_kept(shop):
    Tag.create(name="常客", kind="dynamic", created_at=NOON)
    text = (
        "line_user_id,gender,birth_year,region,os,tags,source,allergy,visits,since\n"
        f"{ONE},female,,,,,,,,\n"
        "me,,,,,,,,,\n"
        "\n"
        f"{TWO},other,,,,,,,,\n"
        f"{TWO},,98,,,,,,,\n"
        f"{TWO},,2199,,,,,,,\n"
        f"{TWO},,,taipei,,,,,,\n"
        f"{TWO},,,,windows,,,,,\n"
        f"{TWO},,,,,常客,,,,\n"
        f"{TWO},,,,,,nowhere,,,\n"
        f"{TWO},,,,,,,海鮮,,\n"
        f"{TWO},,,,,,,,many,\n"
        f"{TWO},,,,,,,,,yesterday\n"
        f"{TWO},,,,,,,,,,extra\n"
        f'{TWO},"a\x00b",,,,,,,,\n'
    )
    result = load(text)
    assert counts(result) == (14, 1, 0, 0, 13)
    assert [(line, column) for line, column, _sentence in result.errors] == [
        (3, "line_user_id"),
        (5, "gender"),
        (6, "birth_year"),
        (7, "birth_year"),
        (8, "region"),
        (9, "os"),
        (10, "tags"),
        (11, "source"),
        (12, "allergy"),
        (13, "visits"),
        (14, "since"),
        (15, ""),
        (16, "gender"),
    ]
    assert all(sentence for _line, _column, sentence in result.errors)


def test_line_numbers_count_lines_inside_quotes_too(shop):
    result = load(f'line_user_id,display_name\n{ONE},"two\nlines"\nbad,x\n')
    assert [line for line, _column, _sentence in result.errors] == [2, 4]


def test_a_name_line_told_us_is_not_overwritten(shop):
    hana = make_friend("LINE 上的名字", profile_at=NOON)
    result = load(f"line_user_id,display_name\n{hana.line_user_id},別的\n")
    assert counts(result) == (1, 0, 0, 1, 0)
    assert Friend.get_by_id(hana.id).display_name == "LINE 上的名字"


def test_new_tags_are_made_and_named(shop):
    result = load(f"line_user_id,tags\n{ONE},VIP| 常客 |VIP\n")
    assert result.new_tags == ["VIP", "常客"]
    assert FriendTag.select().count() == 2


def test_of_two_rows_for_one_friend_the_later_wins(shop):
    load(f"line_user_id,gender,visits\n{ONE},male,1\n{ONE},female,2\n")
    assert Friend.select().count() == 1
    assert friend().gender == "female"
    assert FriendField.get().number == 2


def test_words_people_use_are_understood(shop):
    load(f"line_user_id,gender,region,os\n{ONE},女,臺北市,iOS\n")
    assert (friend().gender, friend().region, friend().os) == ("female", "tw_01", "ios")


def test_an_import_leaves_an_audit_line(shop):
    load(FULL)
    row = Audit.get(Audit.action == "friend.import")
    assert row.object_label == "friends.csv"
    assert row.after["created"] == 1


def test_many_rows_take_few_statements(shop):
    lines = ["line_user_id,display_name,gender,tags,visits"]
    lines += [f"U{number:032x},好友{number},female,會員,{number}" for number in range(1200)]
    assert counts(load("\n".join(lines))) == (1200, 1200, 0, 0, 0)
    assert counts(load("\n".join(lines))) == (1200, 0, 0, 1200, 0)


def test_what_is_exported_is_imported_without_a_change(shop):
    load(FULL)
    make_friend('=HYPERLINK("x")', tags=("會員",))
    text = "".join(export_csv())
    assert counts(load(text)) == (2, 0, 0, 2, 0)


def test_an_export_keeps_formulas_harmless_and_an_import_takes_that_back(shop):
    make_friend("=1+1", line_user_id=ONE)
    text = "".join(export_csv())
    assert text.startswith("\ufeff")
    row = list(csv.reader(io.StringIO(text)))[1]
    assert row[1] == "'=1+1"
    Friend.delete().execute()
    load(text)
    assert friend().display_name == "=1+1"


def test_an_export_goes_through_in_portions(shop, monkeypatch):
    monkeypatch.setattr("lineadmin.friends.csv_export.BATCH", 2)
    for number in range(5):
        make_friend(f"好友{number}")
    assert len("".join(export_csv()).splitlines()) == 6


@given(value=st.text(alphabet="'=+-@ab\t小", max_size=6))
def test_neutralising_can_always_be_undone(value):
    written = csv_form.neutralise(value)
    assert csv_form.restore(written) == value
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=120))
def test_no_bytes_bring_an_import_down(shop, raw):
    try:
        load(raw)
        load(b"line_user_id,display_name,tags,visits\n" + raw)
    except DomainError:
        pass
