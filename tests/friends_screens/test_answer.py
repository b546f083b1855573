"""Answering a friend: free within the minute, else paid after a question, and never twice."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from lineadmin import clock as shop_clock
from lineadmin import settings
from lineadmin.friends.models import Friend
from lineadmin.inbox import queries
from lineadmin.inbox.models import InboundMessage
from lineadmin.inbox.run import dispatch_due
from lineadmin.line.gateway import Gateway
from lineadmin.outbox.models import Delivery, OriginKind, Reply, ReplyState
from lineadmin.outbox.replies import TOKEN_IS_GOOD_FOR
from lineadmin.staff.models import Audit
from tests.factories import make_friend
from tests.panel import flashes_of, hidden_of


def address(friend_id, more=""):
    return f"/admin/friends/{friend_id}/{more}"


@pytest.fixture
def hana(live, line, line_config):
    """A friend with a phone who has just written something no rule answers."""
    user = line.client.add_phone("小花")["user_id"]
    line.client.text(user, "請問今天有開嗎？", wait_ms=30_000)
    line.client.wait_for_events()
    gateway = Gateway(line_config)
    dispatch_due(gateway, shop_clock.now(), shop_clock.wall(), public_url="https://shop.example")
    gateway.close()
    Friend.update(display_name="小花").execute()
    return InboundMessage.get(InboundMessage.text == "請問今天有開嗎？")


def form_on(page, **more):
    form = page.split('id="answer"')[1].split("</form>")[0]
    return {**hidden_of(form), **more}


def age(message, **units):
    message.token_at -= timedelta(**units)
    message.save()


def test_within_the_minute_the_answer_is_free_and_everything_is_answered(hana, line, manager):
    page = manager.get(address(hana.friend_id)).text
    assert "現在回覆免費" in page
    answer = manager.post(
        address(hana.friend_id, "answer/"), form_on(page, text="有的！{營業到 20:00}\r\n歡迎")
    )
    assert answer.status_code == 302
    received = [item for items in line.client.received().values() for item in items]
    assert [item[0] for item in received] == ["reply"]
    reply = Reply.get()
    assert (reply.origin, reply.state) == ("staff", int(ReplyState.SENT))
    assert "{營業到 20:00}" in reply.body
    assert Delivery.select().count() == 0
    assert InboundMessage.get_by_id(hana.id).answered_by == "staff"
    assert queries.unanswered_count() == 0
    assert flashes_of(manager.get(address(hana.friend_id)).text) == ["已回覆（免費）。"]
    line_of = Audit.get(Audit.action == "message.answer")
    assert line_of.after["free"] is True
    assert line_of.staff_name == "阿德"
    page = manager.get(address(hana.friend_id)).text
    assert "阿德 的回覆" in page
    assert "還沒有人回覆" not in page


def test_a_token_is_used_once_then_a_push_is_asked_for(hana, manager):
    page = manager.get(address(hana.friend_id)).text
    manager.post(address(hana.friend_id, "answer/"), form_on(page, text="一"))
    page = manager.get(address(hana.friend_id)).text
    assert "現在回覆免費" not in page
    asked = manager.post(address(hana.friend_id, "answer/"), form_on(page, text="二")).text
    assert "傳送這則訊息給「小花」？" in asked
    assert Reply.select().count() == 1
    assert Delivery.select().count() == 0


def test_after_the_minute_the_price_is_told_and_asked_for_first(hana, manager, app):
    settings.change_shop(
        {"plan_included": 0, "plan_extra_price": 0.2}, staff=None, wall=shop_clock.wall()
    )
    age(hana, seconds=TOKEN_IS_GOOD_FOR.seconds + 1)
    page = manager.get(address(hana.friend_id)).text
    assert "會用掉 1 則（約 NT$0.2）" in page
    form = form_on(page, text="有的！\n歡迎")
    asked = manager.post(address(hana.friend_id, "answer/"), form).text
    assert "已超過免費回覆的時間：這次會用掉 1 則（約 NT$0.2）。" in asked
    assert "<li>有的！</li>" in asked
    assert Delivery.select().count() == 0

    confirmed = hidden_of(asked)
    assert manager.post(address(hana.friend_id, "answer/"), confirmed).status_code == 302
    manager.post(address(hana.friend_id, "answer/"), confirmed)  # pressed twice
    queued = Delivery.get()
    assert queued.origin_kind == int(OriginKind.STAFF)
    assert queued.content.parts == [{"text": "有的！\n歡迎"}]
    assert InboundMessage.get_by_id(hana.id).answered_by == "staff"
    assert Audit.select().where(Audit.action == "message.answer").count() == 1
    page = manager.get(address(hana.friend_id)).text
    assert "將會收到" in page
    assert "店員的回覆" in page


def test_no_message_left_is_said_before_sending(hana, manager):
    settings.change_shop({"plan_included": 0}, staff=None, wall=shop_clock.wall())
    age(hana, minutes=5)
    page = manager.get(address(hana.friend_id)).text
    assert "會用掉 1 則，本月訊息已用完" in page
    asked = manager.post(address(hana.friend_id, "answer/"), form_on(page, text="有")).text
    assert "會最多等 24 小時" in asked


def test_a_token_that_dies_on_the_way_leads_to_the_question(hana, line, manager):
    line.client.age(70_000)
    page = manager.get(address(hana.friend_id)).text
    asked = manager.post(address(hana.friend_id, "answer/"), form_on(page, text="有")).text
    assert "已超過免費回覆的時間" in asked
    assert hidden_of(asked)["text"] == "有"
    assert InboundMessage.get_by_id(hana.id).answered_by == ""


def test_a_refusal_is_said_and_the_text_kept(hana, line, manager):
    line.client.fail("400", endpoint="reply")
    page = manager.get(address(hana.friend_id)).text
    answer = manager.post(address(hana.friend_id, "answer/"), form_on(page, text="有的")).text
    assert "LINE 拒絕了" in answer
    assert ">有的</textarea>" in answer
    assert InboundMessage.get_by_id(hana.id).answered_by == ""


def test_an_unclear_answer_is_told_and_never_followed_by_a_push(hana, line, manager):
    line.client.fail("500", endpoint="reply")
    page = manager.get(address(hana.friend_id)).text
    answer = manager.post(address(hana.friend_id, "answer/"), form_on(page, text="有"))
    assert answer.status_code == 302
    page = manager.get(address(hana.friend_id)).text
    assert "不確定對方是否收到" in page
    assert Delivery.select().count() == 0
    assert InboundMessage.get_by_id(hana.id).answered_by == ""


@pytest.mark.parametrize("text", ["", "   ", "字" * 5001])
def test_what_line_would_not_take_stays_in_the_box_with_the_reason(hana, manager, text):
    page = manager.get(address(hana.friend_id)).text
    answer = manager.post(address(hana.friend_id, "answer/"), form_on(page, text=text))
    assert answer.status_code == 200
    assert 'id="answer-text-error"' in answer.text
    kept = re.search(r'<textarea id="answer-text"[^>]*>(.*?)</textarea>', answer.text, re.S)
    assert html.unescape(kept.group(1)).strip() == text.strip()
    assert Reply.select().count() == 0


def test_what_she_wrote_after_the_page_was_opened_stays_open(hana, manager):
    page = manager.get(address(hana.friend_id)).text
    later = InboundMessage.create(
        friend_id=hana.friend_id, message_id="later", kind="text", text="喂？", at=hana.at
    )
    manager.post(address(hana.friend_id, "answer/"), form_on(page, text="有"))
    assert InboundMessage.get_by_id(hana.id).answered_by == "staff"
    assert InboundMessage.get_by_id(later.id).answered_by == ""
    manager.post(address(hana.friend_id, "done/"), {"up_to": later.id})
    assert InboundMessage.get_by_id(later.id).answered_by == "closed"


def test_needs_no_answer_closes_what_was_seen(hana, manager):
    page = manager.get(address(hana.friend_id)).text
    assert "不需要回覆" in page
    manager.post(address(hana.friend_id, "done/"), {"up_to": hana.id})
    assert InboundMessage.get_by_id(hana.id).answered_by == "closed"
    assert Audit.get(Audit.action == "message.close").object_label == "小花"
    assert "不需要回覆" not in manager.get(address(hana.friend_id)).text


def test_somebody_who_wrote_nothing_can_be_written_to_as_a_push(manager):
    taro = make_friend("太郎")
    page = manager.get(address(taro.id)).text
    asked = manager.post(address(taro.id, "answer/"), form_on(page, text="生日快樂")).text
    manager.post(address(taro.id, "answer/"), hidden_of(asked))
    assert Delivery.get().friend_id == taro.id
