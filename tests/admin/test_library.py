"""Templates and test sends: kept and used from any composer, told what they cost."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from lineadmin import clock as shop_clock
from lineadmin import shopfile
from lineadmin.messages import films
from lineadmin.messages.models import Film, MessageTemplate, PictureSize, Upload
from lineadmin.messages.starters import STARTERS
from lineadmin.outbox.models import Delivery, OriginKind
from lineadmin.staff.models import Audit
from tests.factories import make_friend
from tests.panel import flashes_of, hidden_of, panel_of

DOORS = "/admin/composer"
SCREEN = "/admin/templates/"
HELLO = [{"text": "{name} 您好"}]
STRANGERS = ["viewer", "staff"]


class Scripted:
    """A panel as the composer's script uses it: JSON with the CSRF token in a header."""

    def __init__(self, app, role="manager", **fields):
        self.panel = panel_of(app, role, **fields)
        self.get = self.panel.get
        self.form = self.panel.post

    def post(self, address, **more):
        headers = {"X-CSRFToken": self.panel.csrf()}
        return self.panel.client.post(address, headers=headers, **more)


@pytest.fixture
def manager(app):
    return Scripted(app)


def test_a_message_is_kept_and_offered_everywhere(manager):
    kept = manager.post(f"{DOORS}/templates", json={"name": " 早安  問候 ", "parts": HELLO})
    assert kept.json == {"name": "早安 問候"}
    offered = manager.get(f"{DOORS}/templates").json["templates"]
    assert offered == [{"name": "早安 問候", "summary": "{name} 您好", "parts": HELLO}]
    assert Audit.get(Audit.action == "template.create").object_label == "早安 問候"
    # A second one of the same name, by another tab or by a double click, is told.
    again = manager.post(f"{DOORS}/templates", json={"name": "早安 問候", "parts": HELLO})
    assert again.status_code == 422
    assert "已經有" in again.json["error"]
    assert MessageTemplate.select().count() == 1


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        ({"name": "", "parts": HELLO}, "名稱"),
        ({"name": "a" * 61, "parts": HELLO}, "60"),
        ({"name": "a", "parts": []}, "至少寫一則"),
        ({"name": "a", "parts": [{"txt": "b"}]}, "不認識"),
        ({"name": "a"}, "清單"),
    ],
)
def test_what_cannot_be_kept_is_refused(manager, draft, said):
    answer = manager.post(f"{DOORS}/templates", json=draft)
    assert answer.status_code == 422
    assert said in answer.json["error"]


def test_the_seven_ready_made_ones_come_once(manager):
    page = manager.get(SCREEN).text
    assert "還沒有訊息範本" in page
    done = manager.form(f"{SCREEN}starters/", follow_redirects=True)
    assert flashes_of(done.text) == ["已新增 7 個範本。"]
    manager.form(f"{SCREEN}starters/")
    assert MessageTemplate.select().count() == len(STARTERS) == 7
    assert "加入七個現成範本" not in manager.get(SCREEN).text


def test_a_template_is_edited_and_a_second_tab_is_told(manager):
    manager.post(f"{DOORS}/templates", json={"name": "早安", "parts": HELLO})
    row = MessageTemplate.get()
    address = f"{SCREEN}edit/?id={row.id}"
    first, second = (hidden_of(manager.get(address).text) for _tab in range(2))
    saved = manager.form(address, {**first, "name": "晚安", "parts": '[{"text": "晚安"}]'})
    assert saved.status_code == 302
    row = MessageTemplate.get()
    assert (row.name, row.parts, row.summary) == ("晚安", [{"text": "晚安"}], "晚安")
    told = manager.form(address, {**second, "name": "午安", "parts": '[{"text": "午安"}]'})
    assert told.status_code == 409
    assert MessageTemplate.get().name == "晚安"


def test_a_template_is_deleted_after_asking(manager):
    manager.post(f"{DOORS}/templates", json={"name": "早安", "parts": HELLO})
    address = f"{SCREEN}delete/?id={MessageTemplate.get().id}"
    page = manager.get(address).text
    assert "用它寫好的訊息不受影響" in page
    manager.form(address, {**hidden_of(page), "confirmed": "1"})
    assert MessageTemplate.select().count() == 0
    assert Audit.select().where(Audit.action == "template.delete").count() == 1


@pytest.mark.parametrize("role", STRANGERS)
def test_only_who_writes_messages_has_these(app, role):
    panel = Scripted(app, role)
    for door in ("templates", "test", "film"):
        assert panel.post(f"{DOORS}/{door}", json={}).status_code == 403
    assert panel.get(f"{DOORS}/templates").status_code == 403
    assert panel.post(f"{SCREEN}starters/").status_code == 403
    assert panel.get(SCREEN).status_code == 200
    assert MessageTemplate.select().count() == 0


def test_the_shop_file_carries_templates(db, clock):
    text = """version: 1
templates:
  - name: 早安
    messages:
      - {text: 早安}
      - cards:
          alt: 便當
          cards:
            - {title: 雞腿, buttons: [{label: 訂, uri: "https://x.example"}, {label: 問, text: 問}]}
            - {text: 排骨, buttons: [{label: 記下, postback: pork}]}
      - {quick_replies: [{label: 位置, ask: location}, {label: 日期, ask: date, data: day}]}
"""

    def load(given):
        wall = shop_clock.wall()
        return shopfile.load(given, staff=None, now=clock(), wall=wall, public_url="")

    assert load(text).created == [("templates", "早安")]
    assert load(text).unchanged == 1
    assert load(text.replace("{text: 早安}", "{text: 早啊}")).changed == [("templates", "早安")]
    assert MessageTemplate.get().version == 2
    dumped = shopfile.dump()
    assert "早啊" in dumped
    MessageTemplate.delete().execute()
    load(dumped)
    assert shopfile.dump() == dumped
    with pytest.raises(shopfile.ShopFileError) as wrong:
        load(text.replace("text: 早安", 'text: ""'))
    assert wrong.value.line == 5


# The test send ------------------------------------------------------------------------------------


def test_a_draft_goes_to_ones_own_line_and_says_what_it_costs(app):
    friend = make_friend("阿德")
    panel = Scripted(app, friend_id=friend.id)
    sent = panel.post(f"{DOORS}/test", json={"parts": HELLO})
    assert sent.status_code == 200
    assert "會用掉 1 則" in sent.json["sentence"]
    delivery = Delivery.get()
    assert (delivery.friend_id, delivery.origin_kind) == (friend.id, OriginKind.TEST)
    assert Audit.get(Audit.action == "message.test").object_label == "{name} 您好"
    refused = panel.post(f"{DOORS}/test", json={"parts": [{"text": ""}]})
    assert refused.status_code == 422
    assert Delivery.select().count() == 1


def test_without_an_own_line_nothing_is_sent(manager):
    refused = manager.post(f"{DOORS}/test", json={"parts": HELLO})
    assert refused.status_code == 422
    assert "綁定" in refused.json["error"]
    assert manager.post(f"{DOORS}/test", data="{").status_code == 400
    assert Delivery.select().count() == 0


# Files --------------------------------------------------------------------------------------------


def picture(size):
    file = io.BytesIO()
    Image.new("RGB", size, (200, 120, 40)).save(file, "PNG")
    return io.BytesIO(file.getvalue())


@pytest.mark.parametrize("size", [(800, 800), (1040, 2200), (1200, 250)])
def test_a_picture_of_the_wrong_size_is_no_rich_message(manager, size):
    data = {"picture": (picture(size), "a.png"), "use": "rich_message"}
    refused = manager.post(f"{DOORS}/upload", data=data, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert Upload.select().count() == 0
    assert Audit.select().where(Audit.action == "upload.create").count() == 0


def test_a_rich_messages_picture_is_ready_in_every_width(manager):
    data = {"picture": (picture((1200, 600)), "a.png"), "use": "rich_message"}
    taken = manager.post(f"{DOORS}/upload", data=data, content_type="multipart/form-data")
    assert (taken.json["width"], taken.json["height"]) == (1200, 600)
    assert PictureSize.select().count() == 5


def test_a_film_larger_than_any_form_is_taken(manager):
    data = b"\x00\x00\x00\x20ftypisom" + b"\x00" * (15 * 1024 * 1024)
    taken = manager.post(
        f"{DOORS}/film?name=%E4%BE%BF%E7%95%B6.mp4", data=data, content_type="video/mp4"
    )
    assert taken.status_code == 200
    film = Film.get()
    assert taken.json == {"token": film.token, "name": "便當.mp4"}
    assert film.size == len(data)
    refused = manager.post(f"{DOORS}/film?name=a.gif", data=b"GIF89a", content_type="video/mp4")
    assert refused.status_code == 422
    huge = manager.post(
        f"{DOORS}/film", data=b"\x00" * (films.FILE_BYTES + 2), content_type="video/mp4"
    )
    assert huge.status_code == 413
    assert Film.select().count() == 1
