"""Segments handed over to LINE as audiences, against a pretend LINE as strict as LINE."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin.audiences import actions, upload
from lineadmin.audiences.models import LineAudience
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.line import limits
from lineadmin.line.errors import LineRefused
from lineadmin.line.gateway import Gateway
from lineadmin.segments.models import Segment
from lineadmin.staff.models import Audit
from tests import openapi
from tests.conftest import NOON, PATIENCE
from tests.factories import make_friend, make_friends
from tests.panel import flashes_of, panel_of

TREE = {"field": "gender", "op": "is", "value": "female"}


@pytest.fixture
def gateway(db, line, line_config):
    configuration.use(line_config)
    made = Gateway(line_config, connect=PATIENCE, read=PATIENCE)
    Segment.create(name="女生", tree=TREE, created_at=NOON)
    yield made
    made.close()


def wall():
    return shop_clock.wall().replace(microsecond=0)


def women(count: int) -> list[int]:
    return make_friends(count, gender="female")


def work(gateway: Gateway, later: timedelta = timedelta(0)) -> LineAudience:
    """The worker, until nothing is due any more."""
    for turn in range(20):
        if not upload.advance(gateway, NOON, wall() + later + timedelta(seconds=3 * turn + 1)):
            break
    row: LineAudience = LineAudience.get()
    return row


def create(name: str = "") -> LineAudience:
    return actions.create("女生", name, staff=None, wall=wall())


def at_line(line: Any) -> list[list[str]]:
    return [one["ids"] for one in line.world.audiences.values()]


def test_a_segment_arrives_at_line_without_those_who_want_no_messages(gateway, line):
    wanted = women(3)
    make_friend(gender="female", status=BLOCKED)
    make_friend(gender="female", opted_out_at=NOON)
    make_friend(gender="female", line_user_id="from-an-old-list")
    make_friend(gender="male")
    create()
    row = work(gateway)
    assert (row.state, row.handed, row.left_out) == ("there", 3, 1)
    rows = Friend.select(Friend.line_user_id).where(Friend.id.in_(wanted))
    assert at_line(line) == [sorted(one.line_user_id for one in rows)]
    actions.refresh(gateway=gateway, wall=wall())
    row = LineAudience.get()
    assert (row.status, row.members, row.made_here) == ("READY", 3, True)
    assert row.expires_at is not None
    assert Audit.get(Audit.action == "audience.create").object_label == "女生"


def test_many_go_in_further_calls_none_left_out(gateway, line, monkeypatch):
    monkeypatch.setattr(limits, "AUDIENCE_IDS_PER_CALL", 4)
    women(8)
    create()
    row = work(gateway)
    assert (row.state, row.handed) == ("there", 8)
    assert [len(ids) for ids in at_line(line)] == [8]
    assert line.client.counters()["audience_add.requests"] == 1


def test_a_lost_answer_is_looked_up_and_never_made_twice(gateway, line):
    women(2)
    create()
    line.client.fail("drop_after", endpoint="audience_create")
    assert work(gateway).state == "unclear"
    assert work(gateway).state == "unclear"  # not before LINE's list is sure to have it
    row = work(gateway, timedelta(minutes=3))
    assert (row.state, row.handed) == ("there", 2)
    assert len(at_line(line)) == 1


def test_one_line_never_made_is_made_after_all(gateway, line):
    women(2)
    create()
    line.client.fail("500", endpoint="audience_create")
    assert work(gateway).state == "unclear"
    assert work(gateway, timedelta(minutes=3)).state == "there"
    assert len(at_line(line)) == 1


def test_a_crash_between_question_and_answer_is_looked_up_too(gateway, line):
    women(2)
    row = create()
    users = [one.line_user_id for one in Friend.select()]
    gateway.create_audience(row.name, users)
    LineAudience.update(state="asked", next_at=wall() + timedelta(minutes=2)).execute()
    assert work(gateway).state == "asked"
    assert work(gateway, timedelta(minutes=3)).state == "there"
    assert len(at_line(line)) == 1


def test_an_empty_segment_is_not_handed_over_and_can_be_tried_again(gateway, line):
    row = create()
    assert (work(gateway).state, LineAudience.get().problem) == ("failed", "nobody")
    women(1)
    actions.hand_over_again(row.id, staff=None, wall=wall())
    assert work(gateway).state == "there"
    with pytest.raises(DomainError):
        create("女生")  # the name is taken
    women(1)
    actions.hand_over_again(row.id, staff=None, wall=wall())
    assert work(gateway).handed == 2
    assert [len(ids) for ids in at_line(line)] == [2]


def test_too_fast_is_tried_again_and_a_refusal_is_shown(gateway, line):
    women(1)
    create()
    line.client.fail("429", endpoint="audience_create")
    assert work(gateway).state == "waiting"
    line.client.fail("400", endpoint="audience_create")
    row = work(gateway, timedelta(minutes=2))
    assert row.state == "failed"
    assert row.problem


def test_those_made_elsewhere_are_learned_and_deleted_ones_forgotten(gateway):
    made = gateway.create_audience("官方後台的受眾", ["U" + "0" * 32])
    found = actions.refresh(gateway=gateway, wall=wall())
    assert (found.there, found.learned, found.gone) == (1, 1, 0)
    row = LineAudience.get()
    assert (row.name, row.made_here, row.segment) == ("官方後台的受眾", False, "")
    gateway.delete_audience(made.id)
    assert actions.refresh(gateway=gateway, wall=wall()).gone == 1
    assert not LineAudience.select().exists()


def test_requests_and_answers_are_as_published(gateway, line):
    user = {"id": "U" + "1" * 32}
    made = gateway.create_audience("一", [user["id"]]).id
    base = "/v2/bot/audienceGroup"
    asked: list[tuple[str, str, Any]] = [
        ("POST", f"{base}/upload", {"description": "二", "audiences": [user]}),
        ("PUT", f"{base}/upload", {"audienceGroupId": made, "audiences": [user]}),
        ("GET", f"{base}/list?page=1&size=40&status=READY", None),
        ("GET", f"{base}/{made}", None),
        ("DELETE", f"{base}/{made}", None),
        ("DELETE", f"{base}/{made}", None),
    ]
    statuses = []
    for method, path, body in asked:
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": "Bearer channel-token-of-the-tests",
            "Content-Type": "application/json",
        }
        answer = gateway._pool.request(method, line.base_url + path, body=data, headers=headers)
        statuses.append(answer.status)
        openapi.check_request(method, path, body)
        openapi.check_answer(method, path, answer.status, answer.data)
    assert statuses == [202, 202, 200, 200, 200, 404]


@pytest.mark.parametrize(
    ("name", "users"),
    [
        ("", ["U" + "1" * 32]),
        ("x" * 121, ["U" + "1" * 32]),
        ("a\tb", ["U" + "1" * 32]),
        ("ok", ["somebody"]),
        ("ok", ["U" + "1" * 32] * 10_001),
    ],
    ids=["no name", "long name", "control character", "malformed id", "too many"],
)
def test_the_pretend_line_refuses_what_line_refuses(gateway, name, users):
    with pytest.raises(LineRefused) as refused:
        gateway.create_audience(name, users)
    assert refused.value.status == 400


@pytest.fixture
def manager(line, app, clock):
    return panel_of(app, "manager")


def test_one_is_handed_over_listed_and_deleted_on_screen(manager, line, line_config):
    Segment.create(name="女生", tree=TREE, created_at=NOON)
    women(2)
    page = manager.get("/admin/line_audiences/new/?segment=女生").text
    assert "不會傳送任何訊息" in page
    answer = manager.post("/admin/line_audiences/new/", {"segment": "女生", "name": "女生好友"})
    assert answer.status_code == 302, flashes_of(answer.text)
    again = manager.post("/admin/line_audiences/new/", {"segment": "女生", "name": "女生好友"})
    assert again.status_code == 400
    assert "交給 LINE 中" in manager.get("/admin/line_audiences/").text
    gateway = Gateway(line_config, connect=PATIENCE, read=PATIENCE)
    row = work(gateway)
    gateway.close()
    refreshed = manager.post("/admin/line_audiences/refresh/", follow_redirects=True)
    assert "LINE 上有 1 個受眾" in flashes_of(refreshed.text)[-1]
    assert "可使用" in refreshed.text
    asked = manager.post("/admin/line_audiences/delete/", {"id": row.id})
    assert "無法復原" in asked.text
    assert len(at_line(line)) == 1
    manager.post("/admin/line_audiences/delete/", {"id": row.id, "confirmed": "1"})
    assert at_line(line) == []
    assert not LineAudience.select().exists()


def test_viewers_only_read(line, app, clock):
    viewer = panel_of(app, "viewer")
    assert viewer.get("/admin/line_audiences/").status_code == 200
    assert viewer.get("/admin/line_audiences/new/").status_code == 403
    assert viewer.post("/admin/line_audiences/delete/").status_code == 403
