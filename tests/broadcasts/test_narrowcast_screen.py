"""A broadcast LINE chooses the recipients of, by the clicks of staff."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.friends.models import FRIEND, Friend
from lineadmin.line.gateway import Gateway
from lineadmin.segments.models import Segment
from lineadmin.tasks.tick import tick
from tests.conftest import NOON, PATIENCE
from tests.factories import LONG_AGO
from tests.panel import Panel, panel_of

FORM = {
    "name": "台北女生",
    "who": "estimated",
    "when": "now",
    "messages": json.dumps([{"text": "台北快閃店開幕"}]),
    "est_gender": "female",
    "est_age_from": "25",
    "est_age_until": "35",
    "est_regions": ["tw_01", "tw_02"],
}
ESTIMATED = {"gender": "female", "age": {"from": 25, "until": 35}, "regions": ["tw_01", "tw_02"]}


@pytest.fixture
def manager(line: Any, app: Any, clock: Any) -> Panel:
    ids = line.client.add_phones(80, seed="w", estimates={"gender": "female", "age": 30})
    for user in ids:
        line.world.phones[user].estimates["area"] = "tw_01"
    ids += line.client.add_phones(40, seed="m", estimates={"gender": "male"})
    rows = [
        {
            "line_user_id": user,
            "display_name": f"友{number}",
            "status": FRIEND,
            "first_seen_at": LONG_AGO,
        }
        for number, user in enumerate(ids)
    ]
    Friend.insert_many(rows).execute()
    return panel_of(app, "manager")


def sent(manager: Panel, line_config: Any, clock: Any) -> Broadcast:
    manager.post("/admin/broadcasts/new/", {**FORM, "go": "confirm"})
    row = Broadcast.get()
    page = manager.get(f"/admin/broadcasts/{row.id}/confirm/").text
    assert "LINE 推測・約 3 天前" in page
    assert "最多 120 人" in page
    manager.post(
        f"/admin/broadcasts/{row.id}/confirm/", {"version": row.version, "expected": "120"}
    )
    gateway = Gateway(line_config, connect=PATIENCE, read=PATIENCE)
    tick(clock.forward(minutes=6), shop_clock.wall() + timedelta(seconds=5), gateway=gateway)
    gateway.close()
    return Broadcast.get()  # type: ignore[no-any-return]


def test_the_editor_keeps_what_was_chosen_and_shows_an_upper_bound(manager):
    found = manager.post("/admin/broadcasts/sum/", FORM)
    told = json.loads(found.text)
    assert "最多 120 人" in told["button"]
    assert "最多會計費的則數" in told["html"]
    manager.post("/admin/broadcasts/new/", {**FORM, "go": "save"})
    row = Broadcast.get()
    assert (row.estimated, row.audience) == (ESTIMATED, None)
    page = manager.get(f"/admin/broadcasts/{row.id}/edit/").text
    assert "不看聊天內容，也不看通話" in page
    listed = manager.get("/admin/broadcasts/").text
    assert "女、25 到 34 歲" in listed or "女；25 到 34 歲" in listed
    assert "LINE 推測・約 3 天前" in listed


def test_a_range_that_cannot_be_is_told_beside_its_field(manager):
    answer = manager.post(
        "/admin/broadcasts/new/", {**FORM, "est_age_from": "40", "est_age_until": "30"}
    )
    assert answer.status_code == 400
    assert "結束必須大於開始" in answer.text
    assert not Broadcast.select().exists()


def test_the_report_tells_what_line_counted_and_that_nobody_knows_who(
    manager, line, line_config, clock
):
    row = sent(manager, line_config, clock)
    assert (row.state, row.sent_count) == (states.SENT, 80)
    page = manager.get(f"/admin/broadcasts/{row.id}/").text
    assert "LINE 不會告訴任何人是誰收到" in page
    assert "每位收到的人 1 則" in page
    friend = Friend.get()
    why = manager.get(f"/admin/broadcasts/of_friend/{friend.id}/").text
    assert "無從得知" in why
    assert "不會出現在這裡" in manager.get(f"/admin/friends/{friend.id}/").text


def test_who_saw_it_becomes_an_audience_that_can_be_written_to(manager, line, line_config, clock):
    row = sent(manager, line_config, clock)
    manager.post(f"/admin/broadcasts/{row.id}/engaged/", {"kind": "IMP"})
    manager.post(f"/admin/broadcasts/{row.id}/engaged/", {"kind": "CLICK"})
    gateway = Gateway(line_config, connect=PATIENCE, read=PATIENCE)
    for seconds in range(10, 16):
        tick(clock(), shop_clock.wall() + timedelta(seconds=seconds), gateway=gateway)
    gateway.close()
    manager.post("/admin/line_audiences/refresh/")
    seen, tapped = LineAudience.select().order_by(LineAudience.id)
    assert (seen.kind, seen.status, seen.members) == ("IMP", "READY", 80)
    assert (tapped.kind, tapped.status, tapped.members) == ("CLICK", "IN_PROGRESS", 0)
    assert "人數過少" in manager.get("/admin/line_audiences/").text
    again = {**FORM, "name": "再一次", "est_audiences": [seen.name], "go": "save"}
    manager.post("/admin/broadcasts/new/", again)
    saved = Broadcast.get(Broadcast.name == "再一次")
    assert saved.estimated["audiences"] == [seen.name]


def test_a_segment_knows_the_audiences_made_of_it(manager):
    Segment.create(
        name="女生", tree={"field": "gender", "op": "is", "value": "female"}, created_at=NOON
    )
    manager.post("/admin/line_audiences/new/", {"segment": "女生", "name": "女生受眾"})
    page = manager.get(f"/admin/segments/details/?id={Segment.get().id}").text
    assert "LINE 受眾「女生受眾」" in page
