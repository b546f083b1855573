"""The shop's own fields on screen."""

from __future__ import annotations

from lineadmin.friends.models import Field, FriendField
from lineadmin.segments.actions import create_segment
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import make_friend
from tests.panel import flashes_of, hidden_of, panel_of

SCREEN = "/admin/own_fields/"


def new(manager, key, **fields):
    data = {"key": key, "name": key, "type": "text", "choices": ""}
    return manager.post(SCREEN + "new/", {**data, **fields})


def edit(manager, field, **fields):
    address = f"{SCREEN}edit/?id={field.id}"
    kept = hidden_of(manager.get(address).text)
    data = {"name": field.name, "type": field.type, "choices": "\n".join(field.choices or [])}
    return manager.post(
        address, {**data, "version": kept["version"], "seen": kept["seen"], **fields}
    )


def allergy(manager):
    new(manager, "allergy", name="過敏", type="choice", choices="無\n花生\n\n")
    return Field.get(Field.key == "allergy")


def test_a_field_is_made_and_asked_for_on_a_friends_page(manager):
    field = allergy(manager)
    assert (field.name, field.type, field.choices) == ("過敏", "choice", ["無", "花生"])
    friend = make_friend()
    assert "過敏" in manager.get(f"/admin/friends/{friend.id}/edit/").text
    assert "花生" in manager.get(SCREEN).text
    assert Audit.get(Audit.action == "field.create").object_label == "過敏"


def test_a_key_that_is_taken_or_no_key_is_refused_beside_it(manager):
    allergy(manager)
    for key in ("allergy", "Allergy!", "gender", ""):
        answer = new(manager, key)
        assert answer.status_code == 200, key
    assert Field.select().count() == 1


def test_choices_friends_have_made_stay(manager):
    field = allergy(manager)
    FriendField.create(friend=make_friend(), field=field, text="花生", at=NOON)
    assert "花生" in edit(manager, field, choices="無").text
    assert Field.get_by_id(field.id).choices == ["無", "花生"]
    assert edit(manager, field, choices="無\n花生\n海鮮").status_code == 302
    assert Field.get_by_id(field.id).choices == ["無", "花生", "海鮮"]
    assert edit(manager, Field.get_by_id(field.id), type="text").status_code == 200


def test_two_people_at_once_do_not_overwrite_each_other(manager):
    field = allergy(manager)
    opened = str(field.version)
    edit(manager, field, name="食物過敏")
    assert edit(manager, field, name="忌口", version=opened).status_code == 409
    assert Field.get_by_id(field.id).name == "食物過敏"


def test_one_that_a_segment_asks_for_is_not_deleted_and_others_go_with_their_values(manager):
    field = allergy(manager)
    FriendField.create(friend=make_friend(), field=field, text="花生", at=NOON)
    tree = {"field": "attr:allergy", "op": "is", "value": "花生"}
    segment = create_segment("對花生過敏", tree, staff=None, now=NOON, wall=NOON)
    gone = {"id": str(field.id), "confirmed": "1"}
    answer = manager.post(SCREEN + "delete/", gone)
    assert "對花生過敏" in "".join(flashes_of(manager.get(answer.location).text))
    segment.delete_instance()
    assert "1 位好友的資料" in manager.get(f"{SCREEN}delete/?id={field.id}").text
    manager.post(SCREEN + "delete/", gone)
    assert not Field.select().exists()
    assert not FriendField.select().exists()


def test_fields_change_places(manager):
    allergy(manager)
    new(manager, "company")
    last = Field.get(Field.key == "company")
    manager.post(SCREEN + "move/", {"id": str(last.id), "way": "up"})
    manager.post(SCREEN + "move/", {"id": str(last.id), "way": "up"})  # it is first already
    order = [row.key for row in Field.select().order_by(Field.position)]
    assert order == ["company", "allergy"]


def test_a_viewer_changes_nothing(app, manager):
    field = allergy(manager)
    viewer = panel_of(app, "viewer")
    assert viewer.get(SCREEN).status_code == 200
    for place in ("new/", f"edit/?id={field.id}", "delete/", "move/"):
        assert viewer.post(SCREEN + place, {"id": str(field.id)}).status_code == 403
