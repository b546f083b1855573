"""Messages nobody answered: listed, led to their friend, marked as done; events set aside."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineadmin import clock as shop_clock
from lineadmin.inbox.models import InboundEvent, InboundMessage
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import make_friend
from tests.friends_screens.conftest import names_on, plan_of, statements
from tests.panel import hidden_of, panel_of

INBOX = "/admin/inbox/"


def wrote(friend, text, minutes=0, **more):
    return InboundMessage.create(
        friend_id=friend.id,
        message_id=f"{friend.id}-{text}"[:60],
        kind="text",
        text=text,
        at=NOON - timedelta(minutes=minutes),
        **more,
    )


def aside(number=1):
    wall = shop_clock.wall()
    return InboundEvent.create(
        event_id=f"e{number}",
        type="message",
        line_user_id="U1",
        raw="{}",
        at=wall,
        received_at=wall,
        try_at=wall,
        tries=5,
        set_aside_at=wall,
        error="KeyError: 'x'",
    )


def test_open_messages_are_listed_newest_first_and_lead_to_their_friend(manager):
    hana, taro = make_friend("小花"), make_friend("")
    wrote(hana, "早", 9)
    wrote(taro, "在嗎", 5, token_at=shop_clock.wall())
    wrote(hana, "已回", 1, answered_by="staff")
    page = manager.get(INBOX).text
    assert names_on(page) == ["還沒有名字", "小花"]
    assert f'href="/admin/friends/{hana.id}/"' in page
    assert "已回" not in page
    assert page.count("現在可以免費回覆") == 1 or page.count("badge ok") >= 1
    assert '<span class="count num">2</span>' in page
    found = manager.get(INBOX + "?search=早").text
    assert names_on(found) == ["小花"]


def test_marking_as_done_closes_what_was_seen_of_these_friends(manager):
    hana, taro = make_friend("小花"), make_friend("太郎")
    first, second = wrote(hana, "一"), wrote(hana, "二")
    later, other = wrote(hana, "三"), wrote(taro, "四")
    manager.post(INBOX + "action/", {"action": "close", "rowid": [first.id, second.id]})
    state = {row.text: row.answered_by for row in InboundMessage.select()}
    assert state == {"一": "closed", "二": "closed", "三": "", "四": ""}
    assert Audit.get(Audit.action == "message.close").object_label == "小花"
    manager.post(INBOX + "action/", {"action": "close", "rowid": [later.id, other.id]})
    page = manager.get(INBOX).text
    assert "已處理 2 則訊息。" in page
    assert "所有訊息都有回覆了" in page


def test_home_leads_here_and_to_the_friend(manager):
    for number in range(10):
        wrote(make_friend(f"好友{number}"), "嗨", number)
    page = manager.get("/admin/").text
    assert 'href="/admin/inbox/"' in page
    assert "/admin/friends/" in page.split("沒有人回覆")[1]


@pytest.mark.parametrize(
    ("role", "list_status", "event_status"),
    [("manager", 200, 200), ("staff", 200, 403), ("viewer", 403, 403)],
)
def test_roles(app, role, list_status, event_status):
    message = wrote(make_friend("小花"), "嗨")
    panel = panel_of(app, role)
    assert panel.get(INBOX).status_code == list_status
    assert panel.get(INBOX + "events/").status_code == event_status
    panel.post(INBOX + "action/", {"action": "close", "rowid": message.id})
    done = InboundMessage.get_by_id(message.id).answered_by == "closed"
    assert done is (role == "manager")


def test_the_list_is_answered_by_the_index_of_open_messages(manager):
    wrote(make_friend("小花"), "嗨")
    with statements() as seen:
        manager.get(INBOX)
    plans = [
        plan_of(sql, params)
        for sql, params in seen
        if 'FROM "inbound_message"' in sql and "ORDER BY" in sql
    ]
    assert plans
    assert all("inboundmessage_open" in plan for plan in plans), plans


def test_events_set_aside_run_again_or_are_given_up(manager):
    first, second, third = aside(1), aside(2), aside(3)
    assert "有 LINE 傳來的事件無法處理" in manager.get(INBOX).text
    page = manager.get(INBOX + "events/").text
    assert "KeyError" in page
    manager.post(INBOX + "events/decide/", {"do": "replay", "event": [first.id]})
    row = InboundEvent.get_by_id(first.id)
    assert (row.set_aside_at, row.tries, row.handled_at) == (None, 0, None)

    asked = manager.post(INBOX + "events/decide/", {"do": "drop", "event": [second.id]}).text
    assert "放棄這些事件？" in asked
    assert InboundEvent.get_by_id(second.id).handled_at is None
    manager.post(INBOX + "events/decide/", hidden_of(asked))
    assert InboundEvent.get_by_id(second.id).handled_at is not None
    assert InboundEvent.get_by_id(third.id).set_aside_at is not None
    manager.post(INBOX + "events/decide/", {"do": "replay", "everything": "1"})
    assert InboundEvent.get_by_id(third.id).set_aside_at is None
    manager.post(INBOX + "events/decide/", {"do": "replay"})
    assert "沒有擱置的事件" in manager.get(INBOX + "events/").text
    actions = [row.action for row in Audit.select().order_by(Audit.id)]
    assert actions == ["inbox.replay", "inbox.drop", "inbox.replay"]
