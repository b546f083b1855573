"""Phones write, the shop answers: free, at once, and never twice."""

from datetime import timedelta

import pytest

from lineadmin import clock as shop_clock
from lineadmin import settings
from lineadmin.friends import actions as friends
from lineadmin.friends.models import Friend, FriendTag
from lineadmin.inbox import run
from lineadmin.inbox.models import InboundEvent
from lineadmin.journal.models import Fact
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import pauses, reasons
from lineadmin.outbox.models import Delivery, OriginKind, Reply, ReplyState
from lineadmin.replies import owed
from lineadmin.staff import linking
from tests.conftest import NOON
from tests.factories import make_staff
from tests.inbox.conftest import HANA, event, text

WELCOME = {"text": "歡迎 {name}！"}
BACK = {"text": "歡迎回來！"}


@pytest.fixture(autouse=True)
def noon(clock):
    """Shop time stands at noon of a Monday."""


def test_a_new_friend_is_greeted_by_name_and_free(shop):
    shop.greet(WELCOME, returning=[BACK])
    hana = shop.phone("小花", status="stranger")
    shop.line.follow(hana)
    assert shop.settle() == 1
    assert shop.line.texts(hana) == ["歡迎 小花！"]
    assert shop.line.counters().get("push.requests", 0) == 0
    reply = Reply.get()
    assert (reply.origin, reply.state) == ("greeting", ReplyState.SENT)
    assert Friend.get().display_name == "小花"


def test_somebody_who_comes_back_gets_the_other_greeting(shop):
    shop.greet(WELCOME, returning=[BACK])
    hana = shop.phone(status="stranger")
    shop.line.follow(hana)
    shop.settle()
    shop.line.block(hana)
    shop.line.unblock(hana)
    shop.settle()
    assert shop.line.texts(hana) == ["歡迎 小花！", "歡迎回來！"]


def test_without_a_greeting_for_those_who_return_nothing_is_said(shop):
    shop.greet(WELCOME)
    hana = shop.phone(status="stranger")
    shop.line.follow(hana)
    shop.settle()
    shop.line.block(hana)
    shop.line.unblock(hana)
    shop.settle()
    assert shop.line.texts(hana) == ["歡迎 小花！"]


def test_a_name_line_does_not_tell_in_time_becomes_the_fallback(shop, monkeypatch):
    monkeypatch.setattr(owed, "NAME_SECONDS", 0.5)
    shop.greet({"text": "歡迎 {name|貴賓}！"})
    hana = shop.phone(status="stranger")
    shop.line.latency(2500, endpoint="profile")
    shop.line.follow(hana)
    shop.settle()
    assert shop.line.texts(hana) == ["歡迎 貴賓！"]


def test_a_keyword_is_answered_and_counted(shop):
    rule = shop.rule("菜單", "menu", says="雙拼、排骨、素食")
    hana = shop.phone()
    shop.line.text(hana, "ＭＥＮＵ")
    shop.settle()
    assert shop.line.texts(hana) == ["雙拼、排骨、素食"]
    row = shop.messages()[0]
    assert row.answered_by == "rule"
    again = type(rule).get_by_id(rule.id)
    assert again.hits == 1
    assert NOON - timedelta(seconds=5) < again.last_hit_at <= NOON
    assert Fact.get(Fact.kind == "message").value == {"kind": "text", "rule": rule.id}


def test_the_higher_priority_answers_and_the_other_is_noted(shop):
    low = shop.rule("菜單", says="低", priority=1)
    high = shop.rule("菜", says="高", priority=5, match="contains")
    hana = shop.phone()
    shop.line.text(hana, "菜單")
    shop.settle()
    assert shop.line.texts(hana) == ["高"]
    value = Fact.get(Fact.kind == "message").value
    assert (value["rule"], value["also"]) == (high.id, [low.id])


def test_a_rule_can_tag_who_asked(shop):
    tag = friends.create_tag("問過菜單", staff=None, now=NOON, wall=shop_clock.wall())
    shop.rule("菜單", add_tags=[tag.id])
    hana = shop.phone()
    shop.line.text(hana, "菜單")
    shop.line.text(hana, "菜單")
    shop.settle()
    assert FriendTag.get().by_kind == "reply"
    assert Fact.select().where(Fact.kind == "tag.added").count() == 1


def test_text_nobody_wrote_a_rule_for_waits_for_staff(shop):
    shop.rule("菜單")
    hana = shop.phone()
    shop.line.text(hana, "有停車場嗎")
    shop.line.sticker(hana, "446", "1988")
    shop.settle()
    assert shop.line.texts(hana) == []
    assert [row.answered_by for row in shop.messages()] == ["", ""]


def test_any_answers_what_nothing_else_does(shop):
    shop.rule(match="any", says="稍後回覆您", priority=99)
    shop.rule("菜單", says="雙拼")
    hana = shop.phone()
    shop.line.text(hana, "菜單")
    shop.line.text(hana, "在嗎")
    shop.settle()
    assert sorted(shop.line.texts(hana)) == ["稍後回覆您", "雙拼"]


def test_answers_come_in_the_order_of_the_questions(shop):
    for number in range(6):
        shop.rule(f"第{number}", says=f"答{number}")
    hana = shop.phone()
    for number in range(6):
        shop.line.text(hana, f"第{number}")
    shop.settle()
    assert shop.line.texts(hana) == [f"答{number}" for number in range(6)]


@pytest.mark.parametrize("word", ["不再通知", "STOP", "取消訂閱"])
def test_a_friend_stops_notifications_by_word_and_is_told_so(shop, word):
    shop.rule(match="any", says="稍後回覆您")
    hana = shop.phone()
    shop.line.text(hana, word)
    shop.settle()
    assert Friend.get().opted_out_at is not None
    assert "不會再主動傳送" in shop.line.texts(hana)[0]
    shop.line.tap(hana, "恢復通知")
    shop.settle()
    assert Friend.get().opted_out_at is None
    assert "歡迎回來" in shop.line.texts(hana)[1]
    assert shop.line.counters().get("push.requests", 0) == 0


def test_a_friend_is_answered_in_her_own_language(shop):
    hana = shop.phone("花子", language="ja")
    shop.line.text(hana, "こんにちは")
    shop.settle()
    Friend.update(language="ja").execute()
    shop.line.text(hana, "stop")
    shop.settle()
    assert shop.line.texts(hana)[-1].startswith("承知しました")


def test_a_staff_members_code_binds_her_phone(shop):
    staff = make_staff("manager", name="小美")
    code = linking.issue_code(staff, wall=shop_clock.wall())
    hana = shop.phone()
    shop.line.text(hana, code.code)
    shop.settle()
    assert type(staff).get_by_id(staff.id).friend_id == Friend.get().id
    assert "小美" in shop.line.texts(hana)[0]
    assert Fact.select().where(Fact.kind == "linked").count() == 1


def test_a_redelivered_event_is_not_answered_twice(shop):
    shop.rule("菜單", says="雙拼")
    hana = shop.phone()
    shop.line.text(hana, "菜單")
    shop.settle()
    shop.line.redeliver(last=1)
    shop.settle()
    assert shop.line.texts(hana) == ["雙拼"]
    assert shop.line.abuse() == []


def test_an_event_that_came_too_late_is_not_answered(shop):
    shop.rule("菜單", says="雙拼")
    hana = shop.phone()
    shop.line.text(hana, "菜單")
    shop.line.wait_for_events()
    shop.work(wall=shop_clock.wall() + timedelta(minutes=2))
    assert shop.line.texts(hana) == []
    assert shop.line.counters().get("reply.requests", 0) == 0
    assert Reply.get().reason == reasons.TOKEN_EXPIRED
    assert shop.messages()[0].answered_by == ""  # staff see it


def test_a_late_first_greeting_follows_as_a_push_once(shop):
    shop.greet(WELCOME)
    hana = shop.phone(status="stranger")
    shop.line.follow(hana)
    shop.line.wait_for_events()
    shop.work(wall=shop_clock.wall() + timedelta(minutes=2))
    delivery = Delivery.get()
    assert delivery.origin_kind == OriginKind.GREETING
    assert delivery.content.parts == [WELCOME]
    shop.line.block(hana)
    shop.line.unblock(hana)
    shop.settle()
    assert Delivery.select().count() == 1


def test_the_push_can_be_switched_off(shop):
    settings.change_shop({"first_greeting_falls_back": False}, staff=None, wall=shop_clock.wall())
    shop.greet(WELCOME)
    shop.line.follow(shop.phone(status="stranger"))
    shop.line.wait_for_events()
    shop.work(wall=shop_clock.wall() + timedelta(minutes=2))
    assert Delivery.select().count() == 0


def test_a_greeting_line_may_have_taken_is_never_followed_by_a_push(shop):
    shop.greet(WELCOME)
    hana = shop.phone(status="stranger")
    shop.line.fail("drop_after", endpoint="reply")
    shop.line.follow(hana)
    shop.settle()
    assert Reply.get().state == ReplyState.UNKNOWN
    assert Delivery.select().count() == 0
    assert shop.line.texts(hana) == ["歡迎 小花！"]


def test_a_greeting_line_certainly_refused_is_followed_by_a_push(shop):
    shop.greet(WELCOME)
    shop.line.fail("429", endpoint="reply")
    shop.line.follow(shop.phone(status="stranger"))
    shop.settle()
    assert Reply.get().state == ReplyState.DROPPED
    assert Delivery.select().count() == 1


def test_a_keyword_reply_that_was_dropped_leaves_the_message_to_staff(shop):
    shop.rule("菜單")
    shop.line.fail("429", endpoint="reply")
    shop.line.text(shop.phone(), "菜單")
    shop.settle()
    assert shop.messages()[0].answered_by == ""
    assert Delivery.select().count() == 0


def test_while_all_sending_is_stopped_nothing_is_replied(shop):
    shop.rule("菜單")
    pauses.stop_all(staff=None, wall=shop_clock.wall())
    hana = shop.phone()
    shop.line.text(hana, "菜單")
    shop.settle()
    assert shop.line.texts(hana) == []


def test_somebody_who_blocked_us_since_is_not_greeted(inbox):
    settings.put("greeting", {"messages": [WELCOME]}, staff=None, wall=shop_clock.wall())
    inbox.take(event("unfollow", age=1))
    inbox.take(event("follow", age=5))
    assert Reply.select().count() == 0
    assert Delivery.select().count() == 0


def test_a_crash_before_the_reply_leaves_changes_once_and_gives_the_reply_later(shop, monkeypatch):
    shop.greet(WELCOME)
    hana = shop.phone(status="stranger")
    shop.line.follow(hana)
    shop.line.wait_for_events()

    def killed(*_arguments, **_named):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(run, "pay", killed)
        shop.work()
    assert Fact.select().where(Fact.kind == "followed").count() == 1
    row = InboundEvent.get()
    assert (row.handled_at, row.tries) == (None, 1)
    shop.work(wall=shop_clock.wall() + timedelta(seconds=5))
    assert shop.line.texts(hana) == ["歡迎 小花！"]
    assert Fact.select().where(Fact.kind == "followed").count() == 1
    assert InboundEvent.get().answer is None


def test_a_crash_after_the_reply_does_not_repeat_it(shop, monkeypatch):
    shop.rule("菜單", says="雙拼")
    hana = shop.phone()
    shop.line.text(hana, "菜單")
    shop.line.wait_for_events()

    def killed(*_arguments, **_named):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(run, "_finish", killed)
        shop.work()
    shop.work(wall=shop_clock.wall() + timedelta(seconds=5))
    assert shop.line.texts(hana) == ["雙拼"]
    assert shop.line.counters()["reply.requests"] == 1
    assert InboundEvent.get().handled_at is not None


def test_a_follow_without_a_token_still_greets_by_push(inbox):
    settings.put("greeting", {"messages": [WELCOME]}, staff=None, wall=shop_clock.wall())
    inbox.take(event("follow", replyToken=None))
    assert Delivery.get().origin_kind == OriginKind.GREETING


def test_line_out_of_reach_turns_a_first_greeting_into_a_push(inbox):
    settings.put("greeting", {"messages": [WELCOME]}, staff=None, wall=shop_clock.wall())
    inbox.take(event("follow"))
    assert Reply.get().reason == reasons.UNREACHABLE
    assert Delivery.select().count() == 1


def test_a_redelivered_token_lives_twenty_minutes_after_the_event_at_most():
    wall = shop_clock.wall()
    times = {"received_at": wall, "wall": wall}
    old = wall - timedelta(minutes=21)
    fresh = wall - timedelta(minutes=19)
    assert owed.token_time(event_at=old, redelivered=True, **times) == 0
    assert owed.token_time(event_at=fresh, redelivered=True, **times) > 0
    assert owed.token_time(event_at=old, redelivered=False, **times) > 0


def test_a_friend_in_a_group_is_not_answered(inbox, config):
    assert isinstance(inbox.gateway, Gateway)
    source = {"type": "group", "groupId": "C1", "userId": HANA}
    inbox.take(text("stop", None, source=source), event("follow", None, source=source))
    assert Reply.select().count() == 0
