"""Step messages on screen: built, kept, published, switched and gone back to, by forms."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Source, Tag
from lineadmin.segments.models import Segment
from lineadmin.sequences import actions, moves
from lineadmin.sequences.definition import dump
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion
from tests.conftest import NOON
from tests.panel import Panel, hidden_of, panel_of
from tests.sequences import stage

HELLO = json.dumps([{"text": "週一快樂"}])


@pytest.fixture
def panel(app: Any, clock: Any) -> Panel:
    """The browser of a manager, in a shop with a source, a tag, a coupon and a segment."""
    Source.create(code="storefront", name="門市 QR", created_at=NOON)
    Tag.create(name="愛吃雙拼", created_at=NOON)
    Coupon.create(
        code="bento20",
        title="雙拼便當 8 折",
        benefit="percent",
        benefit_value=20,
        valid_days=7,
        created_at=NOON,
    )
    young = {"field": "age", "op": "less_than", "value": 25}
    Segment.create(name="年輕人", tree=young, created_at=NOON)
    return panel_of(app, "manager")


def make(panel: Panel, name: str = "四週養成") -> Sequence:
    panel.post("/admin/sequences/new/", {"name": name})
    return Sequence.get(Sequence.name == name)


def save_step(panel: Panel, row: Sequence, place: str = "0-1", **more: Any) -> Any:
    version = hidden_of(panel.get(f"/admin/sequences/{row.id}/?at={place}").text)["version"]
    data = {"version": version, "after_days": "1", "at": "10:00", "messages": HELLO, **more}
    return panel.post(f"/admin/sequences/{row.id}/step/{place}/", data)


def publish(panel: Panel, row: Sequence) -> Any:
    version = Sequence.get_by_id(row.id).version
    data = {"confirmed": "1", "version": version}
    return panel.post(f"/admin/sequences/{row.id}/publish/", data)


def steps_of(row: Sequence) -> list[dict[str, Any]]:
    definition = dump(actions.definition_of(Sequence.get_by_id(row.id)))
    return list(definition["branches"][0]["steps"])


def test_a_new_one_starts_with_a_step_and_is_off(panel: Panel) -> None:
    row = make(panel)
    assert [step["after_days"] for step in steps_of(row)] == [1]
    assert not row.enabled
    assert row.live_version is None


def test_steps_are_written_added_moved_and_taken_out(panel: Panel) -> None:
    row = make(panel)
    assert save_step(panel, row, after_days="3", at="18:30", weekday="mon").status_code == 302
    assert steps_of(row) == [
        {"after_days": 3, "at": "18:30", "weekday": "mon", "messages": [{"text": "週一快樂"}]}
    ]
    address = f"/admin/sequences/{row.id}"
    version = Sequence.get_by_id(row.id).version
    panel.post(f"{address}/step/add/", {"after": "0-1", "version": version})
    assert len(steps_of(row)) == 2
    save_step(panel, row, "0-2", messages=json.dumps([{"text": "第二步"}]))
    version = Sequence.get_by_id(row.id).version
    panel.post(f"{address}/step/move/", {"step": "0-2", "to": "1", "version": version})
    assert steps_of(row)[0]["messages"] == [{"text": "第二步"}]
    version = Sequence.get_by_id(row.id).version
    gone = {"step": "0-1", "version": version}
    assert "復原" in panel.post(f"{address}/step/delete/", gone, follow_redirects=True).text
    assert [step["messages"] for step in steps_of(row)] == [[{"text": "週一快樂"}]]


@pytest.mark.parametrize("days", ["0", "31", "-1", "1.5", "", "x"])
def test_days_out_of_range_are_refused_beside_the_field(panel: Panel, days: str) -> None:
    row = make(panel)
    answer = save_step(panel, row, after_days=days)
    assert answer.status_code in (200, 400)
    assert "has-error" in answer.text
    assert "週一快樂" in answer.text  # what was written is still there
    assert steps_of(row)[0]["after_days"] == 1


def test_an_eleventh_step_is_refused(panel: Panel) -> None:
    row = make(panel)
    for number in range(1, 12):
        version = Sequence.get_by_id(row.id).version
        data = {"after": f"0-{number}", "version": version}
        panel.post(f"/admin/sequences/{row.id}/step/add/", data)
    assert len(steps_of(row)) == 10


def test_nothing_is_published_before_every_step_has_a_message(panel: Panel) -> None:
    row = make(panel)
    publish(panel, row)
    assert not SequenceVersion.select().exists()
    save_step(panel, row)
    publish(panel, row)
    row = Sequence.get_by_id(row.id)
    assert row.enabled
    assert SequenceVersion.get().number == 1


def test_what_is_missing_is_told_with_its_branch_and_leads_there(panel: Panel) -> None:
    row = make(panel)
    for _branch in range(2):
        version = Sequence.get_by_id(row.id).version
        panel.post(f"/admin/sequences/{row.id}/branch/add/", {"version": version})
    asked = html.unescape(panel.get(f"/admin/sequences/{row.id}/publish/").text)
    told = re.findall(r'<li><a href="[^"]*\?at=([^"#]+)#panel">([^<]+)</a>', asked)
    assert told == [
        ("branch-0", "分支 1：請選擇這個分支的對象。"),
        ("0-1", "分支 1，第 1 步：請至少寫一則訊息。"),
        ("branch-1", "分支 2：請選擇這個分支的對象。"),
        ("1-1", "分支 2，第 1 步：請至少寫一則訊息。"),
        ("2-1", "其他好友，第 1 步：請至少寫一則訊息。"),
    ]


def test_a_draft_changes_nothing_for_friends_until_it_is_published(panel: Panel) -> None:
    row = make(panel)
    save_step(panel, row)
    publish(panel, row)
    save_step(panel, row, messages=json.dumps([{"text": "新的"}]))
    live = actions.live_definition(Sequence.get_by_id(row.id))
    assert live.branches[0].steps[0].messages == ({"text": "週一快樂"},)
    page = panel.get(f"/admin/sequences/{row.id}/publish/").text
    assert "進行中" in page
    publish(panel, row)
    assert SequenceVersion.select().count() == 2


def test_two_tabs_are_told_of_each_other(panel: Panel) -> None:
    row = make(panel)
    old = Sequence.get_by_id(row.id).version
    save_step(panel, row)
    answer = panel.post(
        f"/admin/sequences/{row.id}/step/0-1/",
        {"version": old, "after_days": "9", "at": "10:00", "messages": HELLO},
    )
    assert answer.status_code != 302
    assert steps_of(row)[0]["after_days"] == 1


def test_switching_off_says_what_happens_and_keeps_friends_waiting(panel: Panel) -> None:
    row = make(panel)
    save_step(panel, row)
    publish(panel, row)
    stage.follow(NOON)
    stage.tick(NOON)
    asked = panel.post(f"/admin/sequences/{row.id}/disable/")
    assert "1" in asked.text
    assert Sequence.get_by_id(row.id).enabled
    panel.post(f"/admin/sequences/{row.id}/disable/", {"confirmed": "1"})
    assert not Sequence.get_by_id(row.id).enabled
    assert Enrolment.get().state == "active"


# -- drafts keep themselves --------------------------------------------------------------------


def autosave(
    panel: Panel, row: Sequence, path: str, version: int | None = None, **data: Any
) -> Any:
    version = version or Sequence.get_by_id(row.id).version
    return panel.post(
        f"/admin/sequences/{row.id}/{path}/",
        {"version": version, **data},
        headers={"X-Autosave": "1"},
    )


def test_a_save_while_typing_answers_with_the_canvas_and_the_next_version(panel: Panel) -> None:
    row = make(panel)
    answer = autosave(panel, row, "step/0-1", after_days="3", at="18:30", messages=HELLO)
    assert answer.status_code == 200
    assert answer.json["version"] == Sequence.get_by_id(row.id).version
    assert "第 3 天 18:30" in answer.json["canvas"]
    assert "發布並啟用" in answer.json["head"]
    assert "<html" not in answer.json["canvas"] + answer.json["head"]


def test_a_save_while_typing_says_what_is_wrong_where(panel: Panel) -> None:
    row = make(panel)
    answer = autosave(panel, row, "step/0-1", after_days="31", at="25:00", messages=HELLO)
    told = {one["field"]: one["sentences"] for one in answer.json["errors"]}
    assert told == {
        "after_days": ["步驟之間的天數請填 1 到 30 的整數。"],
        "at": ["時間請寫成 09:30 這樣。"],
    }
    assert steps_of(row)[0]["after_days"] == 1


def test_a_save_over_somebody_elses_change_names_who(panel: Panel, app: Any) -> None:
    row = make(panel)
    opened = row.version
    save_step(panel_of(app, "manager", name="阿珠"), row)
    answer = autosave(panel, row, "step/0-1", opened, after_days="3", at="10:00", messages=HELLO)
    assert "阿珠" in answer.json["conflict"]
    newest = answer.json["version"]
    answer = autosave(panel, row, "step/0-1", newest, after_days="3", at="10:00", messages=HELLO)
    assert answer.json["canvas"]
    assert steps_of(row)[0]["after_days"] == 3


def test_a_text_nobody_wrote_into_is_no_message(panel: Panel) -> None:
    row = make(panel)
    blank = json.dumps([{"text": " "}])
    assert autosave(panel, row, "step/0-1", after_days="2", at="10:00", messages=blank).json
    assert steps_of(row)[0]["messages"] == []


def test_undo_and_redo_are_offered_where_there_is_something(panel: Panel) -> None:
    row = make(panel)
    address = f"/admin/sequences/{row.id}"
    save_step(panel, row, after_days="9")
    for way, days in (("undo", 1), ("redo", 9)):
        version = Sequence.get_by_id(row.id).version
        answer = panel.post(f"{address}/{way}/", {"version": version, "at": "0-1"})
        assert answer.location.endswith("at=0-1")
        assert steps_of(row)[0]["after_days"] == days


# -- who starts, who gets what -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "trigger"),
    [
        ({"who": "any"}, {"follow": "any"}),
        ({"who": "chosen", "sources": ["storefront", "unknown"]}, None),
        ({"who": "tag_added", "tag": "愛吃雙拼"}, {"tag_added": "愛吃雙拼"}),
        ({"who": "coupon_redeemed", "coupon": "bento20"}, {"coupon_redeemed": "bento20"}),
        ({"who": "segment", "segment": "年輕人"}, {"segment": "年輕人"}),
        ({"who": "purchase", "purchase": "any"}, {"purchase": "any"}),
        ({"who": "purchase", "purchase": "便當"}, {"purchase": "便當"}),
        ({"who": "manual"}, {"manual": True}),
        (
            {"who": "date", "date_field": "birthday", "side": "before", "days": "7"},
            {"date": {"field": "birthday", "offset_days": -7}},
        ),
        (
            {"who": "date", "date_field": "birthday", "side": "after", "days": "3"},
            {"date": {"field": "birthday", "offset_days": 3}},
        ),
        (
            {"who": "date", "date_field": "birthday", "side": "on", "days": "3"},
            {"date": {"field": "birthday", "offset_days": 0}},
        ),
    ],
    ids=str,
)
def test_every_way_of_starting_is_chosen_on_screen(
    panel: Panel, fields: dict[str, Any], trigger: Any
) -> None:
    row = make(panel)
    answer = autosave(panel, row, "trigger", **{"days": "0", "side": "on", **fields})
    assert "errors" not in answer.json
    written = dump(actions.definition_of(Sequence.get_by_id(row.id)))["trigger"]
    assert written == trigger or {"follow": fields["sources"]} == written
    again = panel.get(f"/admin/sequences/{row.id}/?at=trigger").text
    assert re.search(rf'<input checked[^>]*value="{fields["who"]}"', again)


@pytest.mark.parametrize("who", ["chosen", "tag_added", "coupon_redeemed", "segment"])
def test_a_way_of_starting_that_is_about_something_needs_it(panel: Panel, who: str) -> None:
    row = make(panel)
    assert autosave(panel, row, "trigger", who=who, days="0", side="on").json["errors"]


def test_branches_are_added_described_and_taken_out(panel: Panel) -> None:
    row = make(panel)
    save_step(panel, row)
    address = f"/admin/sequences/{row.id}"

    def post(path: str, **data: Any) -> str:
        version = Sequence.get_by_id(row.id).version
        return panel.post(
            f"{address}/{path}/", {"version": version, **data}, follow_redirects=True
        ).text

    assert "請選擇這個分支的對象" in post("branch/add")
    where = json.dumps({"all": [{"field": "age", "op": "less_than", "value": 25}]})
    answer = autosave(panel, row, "branch/0", name="", where=where)
    assert answer.json.get("name") == "年齡未滿 25", answer.json
    assert autosave(panel, row, "branch/0", name="", where="{}").json["errors"]
    post("branch/copy", branch="0")
    post("branch/move", branch="1", left="1")
    branches = dump(actions.definition_of(Sequence.get_by_id(row.id)))["branches"]
    assert [one.get("name", "") for one in branches] == ["", "年齡未滿 25", "其他好友"]
    post("branch/delete", branch="0")
    post("branch/delete", branch="0")
    assert steps_of(row)[0]["messages"] == [{"text": "週一快樂"}]
    assert not actions.definition_of(Sequence.get_by_id(row.id)).branched


def test_when_branches_are_chosen_and_whom_it_stops_for(panel: Panel) -> None:
    row = make(panel)
    stop = {"all": [{"field": "age", "op": "at_least", "value": 65}]}
    autosave(panel, row, "groups", decide="first_step", stop=json.dumps(stop))
    definition = actions.definition_of(Sequence.get_by_id(row.id))
    assert (definition.decide, definition.stop) == ("first_step", stop)
    autosave(panel, row, "groups", decide="enrolment", stop=json.dumps({"all": []}))
    assert actions.definition_of(Sequence.get_by_id(row.id)).stop is None
    nobody = json.dumps({"all": []})
    autosave(panel, row, "groups", decide="enrolment", stop=nobody, stop_bought="any")
    assert actions.definition_of(Sequence.get_by_id(row.id)).stop_bought == "any"
    assert "有停止條件" in panel.get(f"/admin/sequences/{row.id}/?at=groups").text


# -- versions ----------------------------------------------------------------------------------


def test_publishing_says_what_changes_and_moves_friends_where_asked(panel: Panel) -> None:
    row = make(panel)
    save_step(panel, row)
    publish(panel, row)
    stage.follow(NOON)
    stage.tick(NOON)
    save_step(panel, row, after_days="3", at="18:30")
    page = panel.get(f"/admin/sequences/{row.id}/publish/").text
    assert "第 1 天 10:00 → 第 3 天 18:30" in page
    assert "進行中的 1 位好友" in page
    version = Sequence.get_by_id(row.id).version
    panel.post(
        f"/admin/sequences/{row.id}/publish/",
        {"confirmed": "1", "version": version, "underway": "move"},
    )
    versions = f"/admin/sequences/{row.id}/versions/"
    assert "正在移到第 2 版" in panel.get(versions).text
    friend = f"/admin/friends/{Enrolment.get().friend_id}/"
    assert "正在移到第 2 版" in panel.get(friend).text
    moves.advance(NOON)
    assert "已移動 1 位好友" in panel.get(versions).text
    assert "正在移到第 2 版" not in panel.get(friend).text
    assert Enrolment.get().version_id == Sequence.get_by_id(row.id).live_version
    assert f"{Enrolment.get().next_at.astimezone(stage.TAIPEI):%m-%d %H:%M}" == "11-26 18:30"


def test_friends_stay_on_their_version_unless_moved_later(panel: Panel) -> None:
    row = make(panel)
    save_step(panel, row)
    publish(panel, row)
    stage.follow(NOON)
    stage.tick(NOON)
    first = Enrolment.get().version_id
    save_step(panel, row, after_days="3")
    publish(panel, row)
    assert Enrolment.get().version_id == first
    page = panel.get(f"/admin/sequences/{row.id}/versions/").text
    assert "有 1 位好友還在舊版本進行中" in page
    address = f"/admin/sequences/{row.id}/versions"
    assert "下一步" in panel.post(f"{address}/move/").text  # asks first
    assert Enrolment.get().version_id == first
    panel.post(f"{address}/move/", {"confirmed": "1"})
    panel.post(f"{address}/move/", {"confirmed": "1"})  # clicked twice
    assert "好友正在移動中" in panel.get(f"{address}/").text
    panel.post(f"{address}/stop/")
    assert "已停止" in panel.get(f"{address}/").text
    moves.advance(NOON)
    assert Enrolment.get().version_id == first
    panel.post(f"{address}/move/", {"confirmed": "1"})
    moves.advance(NOON)
    assert Enrolment.get().version_id != first
    panel.post(f"{address}/1/restore/", {"version": Sequence.get_by_id(row.id).version})
    assert steps_of(row)[0]["after_days"] == 1


def test_the_calendar_shows_every_step_on_its_day(panel: Panel) -> None:
    row = make(panel)
    save_step(panel, row, after_days="3", at="18:30", weekday="mon")
    stage.publish(stage.step(), now=NOON)
    page = panel.get(f"/admin/sequences/{row.id}/calendar/?start=2026-11-23").text
    squares = page.split("<time ")
    (square,) = [one for one in squares if "18:30" in one]
    assert 'datetime="2026-11-30"' in square  # three days on, then on to Monday
    assert "週一快樂" in square
    assert (
        panel.get(f"/admin/sequences/{row.id}/calendar/?start=x&month=2026-99").status_code == 200
    )


@pytest.mark.parametrize("role", ["viewer", "staff"])
def test_who_may_not_edit_may_only_look(role: str, app: Any, clock: Any) -> None:
    row = stage.publish(stage.step(), now=NOON)
    panel = panel_of(app, role)
    assert panel.get(f"/admin/sequences/{row.id}/").status_code == 200
    paths = "step/0-1 step/add step/copy step/move step/delete branch/0 branch/add branch/copy "
    paths += "branch/move branch/delete trigger groups settings publish disable archive undo redo "
    paths += "versions/move versions/stop versions/1/restore discard duplicate"
    for path in paths.split():
        assert panel.post(f"/admin/sequences/{row.id}/{path}/").status_code == 403
    assert Sequence.get_by_id(row.id).enabled


def test_cards_and_calendar_show_a_message_as_a_friend_without_a_name_reads_it(
    panel: Panel,
) -> None:
    row = make(panel)
    save_step(panel, row, messages=json.dumps([{"text": "{name|貴賓} 您好"}]))
    for page, sign in (("?at=settings", 'summary">貴賓 您好'), ("calendar/", "<span>貴賓 您好")):
        assert sign in panel.get(f"/admin/sequences/{row.id}/{page}").text
