"""What a screen gets from StaffModelView without writing a line for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lineadmin import settings
from lineadmin.admin.base import StaffModelView, bulk_action, needs
from lineadmin.admin.gate import AdminPage
from lineadmin.admin.listing import choice_filter
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend, Source
from lineadmin.staff.models import Audit
from tests.factories import LONG_AGO, make_friend
from tests.panel import flashes_of, hidden_of, panel_of


class SourceView(StaffModelView):
    """A plain screen over a plain table."""

    deletable = exportable = True
    column_list = ("code", "name", "archived_at")
    column_sortable_list = ("code",)
    form_columns = ("code", "name", "archived_at")
    search_columns = (Source.name,)
    toolbar_filters = (choice_filter("kind", "kind", Source.code, (("a", "A"), ("b", "B"))),)
    touched: list[list[int]] = []

    @bulk_action("touch", "touch", verb="tag", confirm="sure?")
    def touch(self, ids):
        """Note which rows were ticked."""
        self.touched.append(ids)

    @bulk_action("refuse", "refuse", verb="edit")
    def refuse(self, ids):
        """Refuse."""
        raise DomainError("not today")


@pytest.fixture
def panel(app):
    SourceView.touched = []
    app.extensions["admin"][0].add_view(SourceView(Source, "src", endpoint="src"))
    return panel_of(app, name="小美")


def source(code="a", name="門市"):
    return Source.create(code=code, name=name, created_at=LONG_AGO)


def last_line():
    return Audit.select().order_by(Audit.id.desc()).first()


def test_a_row_is_added_with_an_audit_line_and_moments_on_the_shops_clock(panel):
    data = {"code": "a", "name": "門市", "archived_at": "2026-11-23T12:00"}
    assert panel.post("/admin/src/new/", data).status_code == 302
    row = Source.get()
    assert row.archived_at == datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    assert last_line().action == "source.create"
    assert last_line().after["name"] == "門市"
    page = panel.get(f"/admin/src/edit/?id={row.id}").text
    assert 'value="2026-11-23T12:00"' in page
    settings.change_shop({"timezone": "Asia/Tokyo"}, staff=None, wall=LONG_AGO)
    assert 'value="2026-11-23T13:00"' in panel.get(f"/admin/src/edit/?id={row.id}").text


def test_a_code_that_is_taken_is_told_and_the_input_kept(panel):
    source("a")
    page = panel.post("/admin/src/new/", {"code": "a", "name": "新的"})
    assert page.status_code == 200
    assert flashes_of(page.text) == ["已經有相同的名稱或代碼了。"]
    assert 'value="新的"' in page.text
    assert Source.select().count() == 1


def test_only_changed_fields_are_saved_and_recorded(panel):
    row = source()
    address = f"/admin/src/edit/?id={row.id}"
    hidden = hidden_of(panel.get(address).text)
    kept = {name: hidden[name] for name in ("version", "seen")}
    panel.post(address, {**kept, "code": "a", "name": "新門市"})
    assert (Source.get().name, Source.get().version) == ("新門市", 2)
    assert (last_line().before, last_line().after) == ({"name": "門市"}, {"name": "新門市"})
    count = Audit.select().count()
    panel.post(address, {"version": "2", "code": "a", "name": "新門市"})
    assert Audit.select().count() == count


def test_a_save_over_somebody_elses_is_told_and_merged(panel):
    row = source()
    address = f"/admin/src/edit/?id={row.id}"
    hidden = hidden_of(panel.get(address).text)
    Source.update(name="別人改的", version=2).execute()
    kept = {name: hidden[name] for name in ("version", "seen")}
    told = panel.post(address, {**kept, "code": "b", "name": "門市"})
    assert told.status_code == 409
    assert (Source.get().code, Source.get().name) == ("a", "別人改的")
    again = hidden_of(told.text)
    assert again["version"] == "2"
    assert 'value="別人改的"' in told.text
    assert 'value="b"' in told.text


@pytest.mark.parametrize("seen", ["", "x", "[1]", "null", '{"code": 1}'])
def test_a_broken_memory_of_the_form_is_no_error(panel, seen):
    row = source()
    Source.update(version=2).execute()
    data = {"version": "1", "seen": seen, "code": "b", "name": "x"}
    assert panel.post(f"/admin/src/edit/?id={row.id}", data).status_code == 409


def test_deleting_asks_on_a_page_and_leaves_a_line(panel):
    row = source()
    page = panel.get(f"/admin/src/delete/?id={row.id}")
    assert "要刪除「門市」嗎？" in page.text
    assert Source.select().count() == 1
    panel.post("/admin/src/delete/", {"id": row.id})
    assert Source.select().count() == 1
    panel.post("/admin/src/delete/", {"id": row.id, "confirmed": "1"})
    assert Source.select().count() == 0
    assert last_line().action == "source.delete"
    assert last_line().before["name"] == "門市"


def test_what_is_still_used_is_not_deleted_with_all_that_hangs_on_it(panel):
    row = source()
    make_friend("x", source=row)
    answer = panel.post(
        "/admin/src/delete/", {"id": row.id, "confirmed": "1"}, follow_redirects=True
    )
    assert flashes_of(answer.text) == ["還有其他地方在使用，無法刪除。"]
    assert Source.select().count() == Friend.select().count() == 1
    assert Audit.select().where(Audit.action == "source.delete").count() == 0


def test_ticked_rows_ask_first_and_then_reach_the_method(panel):
    rows = [source("a"), source("b")]
    data = {"action": "touch", "rowid": [row.id for row in rows], "extra": "kept"}
    page = panel.post("/admin/src/action/", data)
    assert "sure?" in page.text
    assert 'name="extra" value="kept"' in page.text
    assert page.text.count('name="rowid"') == 2
    panel.post("/admin/src/action/", {**data, "confirmed": "1"})
    assert SourceView.touched == [[row.id for row in rows]]


def test_bulk_delete_is_all_or_nothing(panel):
    used, free = source("a"), source("b")
    make_friend("x", source=used)
    data = {"action": "delete", "rowid": [used.id, free.id], "confirmed": "1"}
    panel.post("/admin/src/action/", data)
    assert Source.select().count() == 2
    panel.post("/admin/src/action/", {**data, "rowid": [free.id]})
    assert [row.code for row in Source.select()] == ["a"]


def test_no_ticks_odd_ticks_and_unknown_actions(panel):
    answer = panel.post("/admin/src/action/", {"action": "touch"}, follow_redirects=True)
    assert flashes_of(answer.text) == ["請先勾選至少一筆。"]
    odd = {"action": "touch", "rowid": ["x", "-1", "9" * 30], "confirmed": "1"}
    panel.post("/admin/src/action/", odd)
    assert SourceView.touched == []
    assert panel.post("/admin/src/action/", {"action": "nothing"}).status_code == 404
    answer = panel.post(
        "/admin/src/action/", {"action": "refuse", "rowid": "1"}, follow_redirects=True
    )
    assert flashes_of(answer.text) == ["not today"]


def test_after_an_action_one_is_back_where_one_was_and_never_elsewhere(panel):
    row = source()
    data = {"action": "touch", "rowid": row.id, "confirmed": "1"}
    answer = panel.post("/admin/src/action/", {**data, "url": "/admin/src/?search=x"})
    assert answer.location == "/admin/src/?search=x"
    answer = panel.post("/admin/src/action/", {**data, "url": "https://evil.example/"})
    assert answer.location == "/admin/src/"


def test_sorting_follows_the_named_columns_only(panel):
    for code in "bca":
        source(code, f"店{code}")
    page = panel.get("/admin/src/?sort=code").text
    assert page.index("店a") < page.index("店b") < page.index("店c")
    page = panel.get("/admin/src/?sort=code&desc=1").text
    assert page.index("店c") < page.index("店b") < page.index("店a")
    page = panel.get("/admin/src/?sort=name").text
    assert page.index("店a") < page.index("店c") < page.index("店b")


def test_names_with_markup_and_percent_signs_are_only_names(panel):
    source("a", "<b>50%_off</b>")
    page = panel.get("/admin/src/?search=50%25_").text
    assert "&lt;b&gt;50%_off&lt;/b&gt;" in page
    assert "沒有符合" in panel.get("/admin/src/?search=5%25f").text


def test_the_modal_and_ajax_doors_of_the_library_are_shut(panel):
    row = source()
    assert panel.post("/admin/src/ajax/update/", {"list_form_pk": row.id}).status_code == 404
    assert panel.get("/admin/src/ajax/lookup/?name=x&query=y").status_code == 404
    assert panel.get(f"/admin/src/details/?id={row.id}").status_code == 404


def test_a_screen_that_forgets_to_say_who_may_does_not_start(app):
    from flask_admin import expose

    class Careless(AdminPage):
        @expose("/", methods=("GET", "POST"))
        def index(self):
            return ""

    class Misspelt(AdminPage):
        @expose("/")
        @needs("sned")
        def index(self):
            return ""

    for view in (Careless("x", endpoint="careless"), Misspelt("x", endpoint="misspelt")):
        with pytest.raises(TypeError):
            app.extensions["admin"][0].add_view(view)


def test_a_type_error_inside_a_screen_happens_once(app):
    from flask_admin import expose

    calls = []

    class Broken(AdminPage):
        @expose("/")
        def index(self):
            calls.append(1)
            raise TypeError("x")

    app.extensions["admin"][0].add_view(Broken("x", endpoint="broken"))
    panel = panel_of(app)
    with pytest.raises(TypeError):
        panel.get("/admin/broken/")
    assert calls == [1]
