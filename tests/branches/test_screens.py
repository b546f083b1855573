"""Branches on screen, in files and on a friend's page."""

from __future__ import annotations

import io

import pytest

from lineadmin import clock as shop_clock
from lineadmin import shopfile
from lineadmin.branches import actions
from lineadmin.errors import DomainError
from lineadmin.friends.csv_export import export_csv
from lineadmin.friends.csv_import import import_csv
from lineadmin.friends.models import Branch, Field, Friend, FriendPlace
from lineadmin.journal.models import Fact
from lineadmin.segments.actions import create_segment
from lineadmin.staff.models import Audit
from tests.branches.conftest import STATION, at, make_branch
from tests.conftest import NOON
from tests.factories import make_friend
from tests.panel import flashes_of, hidden_of, panel_of

SCREEN = "/admin/branches/"
POINT = "25.0339, 121.5645"


def new(panel, **fields):
    return panel.post(SCREEN + "new/", {"name": "信義店", "point": POINT, "active": "y", **fields})


def edit(panel, row, **fields):
    address = f"{SCREEN}edit/?id={row.id}"
    kept = hidden_of(panel.get(address).text)
    data = {"name": row.name, "address": row.address, "point": POINT, "active": "y"}
    same = {key: kept[key] for key in ("version", "seen")}
    return panel.post(address, {**data, **same, **fields})


def delete(panel, row):
    address = f"{SCREEN}delete/"
    asked = panel.post(address, {"id": row.id})
    return asked, panel.post(address, {**hidden_of(asked.text), "id": row.id, "confirmed": "1"})


def test_a_branch_is_made_moved_and_closed(manager):
    assert new(manager).status_code == 302
    row = Branch.get()
    assert (row.code, row.latitude, row.longitude, row.active) == (
        "branch",
        25.0339,
        121.5645,
        True,
    )
    assert edit(manager, row, point="22.61，120.26").status_code == 302
    data = {"name": "旗津店", "point": "22.61 120.26"}
    address = f"{SCREEN}edit/?id={row.id}"
    kept = hidden_of(manager.get(address).text)
    manager.post(address, {**data, "version": kept["version"], "seen": kept["seen"]})
    row = Branch.get()
    assert (row.name, row.latitude, row.active) == ("旗津店", 22.61, False)
    assert "旗津店" in manager.get(SCREEN).text
    told = [one.action for one in Audit.select().order_by(Audit.id)]
    assert told == ["branch.create", "branch.edit", "branch.edit"]


@pytest.mark.parametrize(
    "fields",
    [
        {"point": "信義路五段"},
        {"point": "91, 121"},
        {"point": "25.03"},
        {"name": ""},
        {"code": "信義"},
        {"address": "路" * 101},
    ],
)
def test_a_branch_that_cannot_be_is_refused(manager, fields):
    assert new(manager, **fields).status_code == 200
    assert Branch.select().count() == 0


def test_two_branches_never_share_a_code_and_the_second_save_is_told(manager, branches):
    assert "已經有這個代碼" in new(manager, code="xinyi").text
    row = branches["xinyi"]
    address = f"{SCREEN}edit/?id={row.id}"
    kept = hidden_of(manager.get(address).text)
    make_branch("xinyi", "信義新店", 25.1, 121.5)
    data = {"name": "信義舊店", "point": POINT, "active": "y", "address": ""}
    answer = manager.post(address, {**data, "version": kept["version"], "seen": kept["seen"]})
    assert answer.status_code == 409
    assert Branch.get(Branch.code == "xinyi").name == "信義新店"


def test_staff_and_viewers_read_but_do_not_change(app, branches):
    for role in ("staff", "viewer"):
        panel = panel_of(app, role)
        assert "信義店" in panel.get(SCREEN).text
        assert new(panel, name="新店").status_code == 403
        assert edit_refused(panel, branches["xinyi"]) == 403
    assert Branch.select().count() == 3


def edit_refused(panel, row):
    return panel.post(f"{SCREEN}delete/", {"id": row.id, "confirmed": "1"}).status_code


def test_a_branch_in_a_condition_cannot_be_deleted(manager, branches):
    tree = {"field": "nearest_branch", "op": "is", "value": "xinyi"}
    create_segment("信義附近", {"all": [tree]}, staff=None, now=NOON, wall=NOON)
    _asked, answer = delete(manager, branches["xinyi"])
    assert Branch.select().count() == 3
    assert "信義附近" in "".join(flashes_of(manager.get(SCREEN).text)) + answer.text


def test_deleting_says_whose_home_it_was_and_the_next_nearest_takes_over(manager, inbox, branches):
    inbox.take(at(STATION))
    said = make_friend(branch=branches["ximen"].id, branch_origin="staff")
    asked, answer = delete(manager, branches["ximen"])
    assert "2 位好友" in asked.text
    assert answer.status_code == 302
    assert Branch.get_or_none(Branch.code == "ximen") is None
    assert FriendPlace.get().nearest.code == "xinyi"
    assert Friend.get(Friend.id == FriendPlace.get().friend_id).branch.code == "xinyi"
    gone = Friend.get_by_id(said.id)
    assert (gone.branch, gone.branch_origin) == (None, "")
    assert Audit.get(Audit.action == "branch.delete").before["count"] == 1


def test_her_page_shows_the_branches_and_staff_say_another_home(manager, inbox, branches):
    inbox.take(at(STATION))
    friend = Friend.get()
    page = manager.get(f"/admin/friends/{friend.id}/").text
    assert "西門店，約 1.1 公里" in page
    assert "所屬門市" in page
    address = f"/admin/friends/{friend.id}/edit/"
    kept = hidden_of(manager.get(address).text)
    data = {"branch": str(branches["cijin"].id), "version": kept["version"], "seen": kept["seen"]}
    assert manager.post(address, data).status_code == 302
    friend = Friend.get()
    assert (friend.branch.code, friend.branch_origin) == ("cijin", "staff")
    audit = Audit.get(Audit.action == "friend.edit")
    assert (audit.before["branch"], audit.after["branch"]) == ("西門店", "旗津店")
    assert "所屬門市：旗津店" in manager.get(f"/admin/friends/{friend.id}/").text
    inbox.take(at((25.034, 121.565)))
    assert Friend.get().branch.code == "cijin"


def load_csv(text):
    return import_csv(io.BytesIO(text.encode()), None, NOON, shop_clock.wall(), name="f.csv")


def test_the_home_branch_goes_through_a_file_and_back(db, branches):
    user = "U" + "1" * 32
    result = load_csv(f"line_user_id,home_branch\n{user},xinyi\nU{'2' * 32},nowhere\n")
    assert (result.created, result.failed) == (1, 1)
    assert result.errors[0][:2] == (3, "home_branch")
    friend = Friend.get()
    assert (friend.branch.code, friend.branch_origin) == ("xinyi", "csv")
    assert Fact.get(Fact.kind == "attribute.set").value["set"] == {"branch": "信義店"}
    written = "".join(export_csv()).lstrip("\ufeff")
    head, row, *_rest = written.splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["home_branch"] == "xinyi"
    assert load_csv(written).unchanged == 1


def test_a_shop_without_branches_keeps_its_file_as_it_was(db):
    Field.create(key="home_branch", name="常去分店", type="text")
    user = "U" + "1" * 32
    assert load_csv(f"line_user_id,home_branch\n{user},信義\n").created == 1
    make_branch("xinyi", "信義店", 25.0339, 121.5645)
    head, row = "".join(export_csv()).lstrip("\ufeff").splitlines()
    assert head.split(",").count("home_branch") == 1
    assert row.endswith(",信義")


FILE = """
version: 1
shop: {branch_reply: true}
branches:
  - {code: xinyi, name: 信義店, address: 信義路五段 7 號, latitude: 25.0339, longitude: 121.5645}
  - {code: old, name: 舊店, latitude: 25, longitude: 121.5, active: false}
segments:
  - name: 信義附近
    where: {all: [{field: nearest_branch, op: is, value: xinyi},
                  {field: branch_km, op: less_than, value: 1.5}]}
"""


def load(text):
    wall = shop_clock.wall()
    return shopfile.load(text, staff=None, now=NOON, wall=wall, public_url="https://shop.example")


def test_branches_go_through_the_shop_file_and_back(db):
    load(FILE)
    assert [(row.code, row.active) for row in actions.all_branches()] == [
        ("xinyi", True),
        ("old", False),
    ]
    dumped = shopfile.dump()
    assert "branch_reply: true" in dumped
    load(dumped)
    assert shopfile.dump() == dumped
    told = [row.action for row in Audit.select().order_by(Audit.id)]
    assert [told.count(action) for action in ("branch.create", "branch.edit")] == [2, 0]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("branches: [{code: a, name: 甲}]", "latitude"),
        ("branches: [{code: 甲, name: 甲, latitude: 1, longitude: 1}]", "code"),
        ("branches: [{code: a, name: 甲, latitude: 99, longitude: 1}]", "latitude"),
        ("branches: [{code: a, name: 甲, latitude: x, longitude: 1}]", "latitude"),
        ("segments: [{name: n, where: {field: branch, op: is, value: nowhere}}]", "value"),
        ("segments: [{name: n, where: {field: branch_km, op: less_than, value: 0}}]", "value"),
    ],
)
def test_a_mistake_in_the_file_names_its_line_and_field(db, wrong, named):
    with pytest.raises(DomainError, match=named) as refused:
        load(f"version: 1\n{wrong}\n")
    assert "2" in str(refused.value)
    assert Branch.select().count() == 0
