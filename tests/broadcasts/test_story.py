"""A week of a small shop through its screens: what is told before equals what phones get after."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lineadmin import clock as shop_clock
from lineadmin import settings
from lineadmin.broadcasts.models import Broadcast
from lineadmin.friends.models import Friend
from lineadmin.outbox.models import Delivery, DeliveryState
from lineadmin.reports import changes
from lineadmin.tasks.tick import tick
from tests.conftest import NOON
from tests.factories import make_friend
from tests.panel import Panel, panel_of

DAY = timedelta(days=1)
NEW = {"field": "friend_days", "op": "less_than", "value": 7}
SILENT = {"field": "silent_days", "op": "at_least", "value": 60}
WOMEN = {
    "all": [
        {"field": "gender", "op": "is", "value": "female"},
        {"field": "age", "op": "at_least", "value": 25},
        {"field": "age", "op": "less_than", "value": 35},
        {"field": "region", "op": "is", "value": "tw_01"},
    ]
}


@pytest.fixture
def town(line: Any, app: Any, clock: Any) -> dict[str, Friend]:
    """Twenty-six friends with phones, each named for what matters about her."""
    settings.change_shop({"name": "熊大便當", "undo_minutes": 5}, staff=None, wall=NOON)

    def move_in(name: str, **facts: Any) -> Friend:
        user_id = line.client.add_phone(name)["user_id"]
        return make_friend(name, line_user_id=user_id, **facts)

    women = {"gender": "female", "region": "tw_01"}
    found = {
        "今天加入": move_in("今天加入", followed_at=NOON, last_seen_at=NOON),
        "六天前": move_in("六天前", followed_at=NOON - 6 * DAY, last_seen_at=NOON),
        "七天前": move_in("七天前", followed_at=NOON - 7 * DAY, last_seen_at=NOON),
        "新但封鎖": move_in(
            "新但封鎖", followed_at=NOON - DAY, status="blocked", last_seen_at=NOON
        ),
        "沉默": move_in("沉默", last_seen_at=NOON - 60 * DAY),
        "沉默不要通知": move_in(
            "沉默不要通知", last_seen_at=NOON - 90 * DAY, opted_out_at=NOON - DAY
        ),
        "五十九天": move_in("五十九天", last_seen_at=NOON - 59 * DAY),
        "廿五歲": move_in("廿五歲", birth_year=2001, last_seen_at=NOON, **women),
        "卅四歲": move_in("卅四歲", birth_year=1992, last_seen_at=NOON, **women),
        "卅五歲": move_in("卅五歲", birth_year=1991, last_seen_at=NOON, **women),
        "廿四歲": move_in("廿四歲", birth_year=2002, last_seen_at=NOON, **women),
        "年齡不明": move_in("年齡不明", last_seen_at=NOON, **women),
        "住花蓮": move_in(
            "住花蓮", birth_year=1996, gender="female", region="tw_18", last_seen_at=NOON
        ),
        "男生": move_in("男生", birth_year=1996, gender="male", region="tw_01", last_seen_at=NOON),
    }
    for number in range(12):
        tags = ("愛吃雙拼", "客訴中") if number == 0 else ("愛吃雙拼",)
        found[f"雙拼{number}"] = move_in(f"雙拼{number}", tags=tags, last_seen_at=NOON)
    return found


def sent_by_clicks(panel: Panel, clock: Any, name: str, **chosen: Any) -> Broadcast:
    """Written, looked at, confirmed and sent: what the sum said must come true row by row."""
    form = {"name": name, "when": "now", "messages": json.dumps([{"text": name}]), **chosen}
    told = panel.post("/admin/broadcasts/sum/", form).get_json()
    page = panel.post("/admin/broadcasts/new/", {**form, "go": "confirm"})
    row = Broadcast.get(Broadcast.name == name)
    assert page.location.endswith(f"/admin/broadcasts/{row.id}/confirm/")
    shown = panel.get(page.location).text
    expected = int(shown.split('name="expected" value="')[1].split('"')[0])
    assert f"{expected} 人" in told["button"]
    sent = {"version": row.version, "expected": expected}
    assert panel.post(page.location, sent).status_code == 302
    clock.forward(minutes=5)
    tick(shop_clock.now(), shop_clock.wall())
    row = Broadcast.get_by_id(row.id)
    found = changes.people(row)
    assert found is not None
    assert (found.any, found.people) == (False, [])
    assert (row.state, row.sent_count) == ("sent", expected)
    return row


def got(line: Any, town: dict[str, Friend], text: str) -> set[str]:
    """Whose phone shows the message, exactly once."""
    found = set()
    for name, friend in town.items():
        texts = line.client.texts(friend.line_user_id)
        assert texts.count(text) <= 1, name
        if text in texts:
            found.add(name)
    return found


def reasons(row: Broadcast) -> dict[str, str]:
    """{friend: why she was left out}"""
    query = (
        Delivery.select(Delivery.reason, Friend.display_name)
        .join(Friend, on=(Friend.id == Delivery.friend_id))
        .where(Delivery.origin_id == row.id, Delivery.state == DeliveryState.SKIPPED)
    )
    return {name: reason for reason, name in query.tuples()}


def test_the_right_people_get_the_right_message(
    line: Any, town: dict[str, Friend], app: Any, clock: Any
) -> None:
    panel = panel_of(app, "manager")
    send = sent_by_clicks

    gift = send(panel, clock, "新朋友見面禮", who="own", condition=json.dumps(NEW))
    assert got(line, town, "新朋友見面禮") == {"今天加入", "六天前"}
    assert reasons(gift) == {"新但封鎖": "blocked"}

    wake = send(panel, clock, "好久不見", who="own", condition=json.dumps(SILENT))
    assert got(line, town, "好久不見") == {"沉默"}
    assert reasons(wake) == {"沉默不要通知": "opted_out"}

    send(panel, clock, "台北女生下午茶", who="own", condition=json.dumps(WOMEN))
    assert got(line, town, "台北女生下午茶") == {"廿五歲", "卅四歲"}

    pairs = send(panel, clock, "雙拼八折", who="tag", tag=["愛吃雙拼"], without=["客訴中"])
    assert got(line, town, "雙拼八折") == {f"雙拼{number}" for number in range(1, 12)}
    assert reasons(pairs) == {}

    # Eight of them hear from the shop once more; with a cap of two they have had enough then.
    for number in range(4, 12):
        friend = town[f"雙拼{number}"]
        Delivery.create(
            friend_id=friend.id,
            origin_kind=2,
            origin_id=77,
            due_at=shop_clock.now() - timedelta(hours=1),
            planned_at=shop_clock.now(),
            state=int(DeliveryState.SENT),
        )
    settings.change_shop({"cap_messages": 2, "cap_days": 7}, staff=None, wall=NOON)
    again = send(panel, clock, "雙拼再來", who="tag", tag=["愛吃雙拼"], without=["客訴中"])
    assert got(line, town, "雙拼再來") == {"雙拼1", "雙拼2", "雙拼3"}
    assert reasons(again) == {f"雙拼{number}": "cap" for number in range(4, 12)}
    page = panel.get(f"/admin/broadcasts/{again.id}/").text
    assert "reason=cap" in page
