"""Topics on staff's screens, without JavaScript."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.topic import subscribers_of
from lineadmin.friends.models import Friend
from lineadmin.friends.tags import create_tag
from lineadmin.journal import record
from lineadmin.outbox.models import OriginKind
from lineadmin.reports import topic as numbers
from lineadmin.reports import uses
from lineadmin.settings import change_shop, shop
from lineadmin.staff.models import Audit
from lineadmin.topics import actions, consent
from lineadmin.topics.models import Consent, Topic, TopicWording
from lineadmin.tracking.models import TrackedLink
from tests.broadcasts import stage
from tests.conftest import NOON
from tests.factories import make_friend, make_friends
from tests.panel import flashes_of, hidden_of, panel_of
from tests.topics.making import make_topic, wish

NEW = {"name": "每週菜單", "frequency": "weekly", "life_months": "12", "description": "菜單"}
DAY = timedelta(days=1)


@pytest.fixture
def manager(app, clock):
    return panel_of(app, "manager")


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_a_topic_is_made_changed_and_archived(manager):
    answer = manager.post("/admin/topics/new/", NEW)
    topic = Topic.get()
    assert answer.location.endswith(f"/admin/topics/details/?id={topic.id}")
    assert (topic.code, topic.life_months) == ("topic-1", 12)
    page = manager.get(answer.location)
    for told in ("最多每週一次", "我同意透過 LINE 收到「每週菜單」", "12 個月"):
        assert told in words(page)
    address = f"/admin/topics/edit/?id={topic.id}"
    hidden = hidden_of(manager.get(address).text)
    answer = manager.post(address, hidden | NEW | {"wording": "我同意。", "life_months": ""})
    assert answer.status_code == 302, flashes_of(answer.text)
    assert [row.text for row in TopicWording.select().order_by(TopicWording.version)][
        -1
    ] == "我同意。"
    answer = manager.post(address, hidden | NEW | {"wording": "我也同意。"})
    assert answer.status_code == 409
    state = {"id": topic.id, "archived": "1"}
    assert "封存「每週菜單」" in manager.post("/admin/topics/state/", state).text
    assert Topic.get().archived_at is None
    manager.post("/admin/topics/state/", state | {"confirmed": "1"})
    assert Topic.get().archived_at is not None
    manager.post("/admin/topics/state/", {"id": topic.id, "archived": "0"})
    assert Topic.get().archived_at is None
    made = [row.action for row in Audit.select().order_by(Audit.id) if row.object_kind == "topic"]
    assert made == ["topic.create", "topic.edit", "topic.archive", "topic.unarchive"]
    assert "訂閱主題" in manager.get("/admin/audit/").text


def test_a_tag_a_topic_keeps_is_in_use(manager):
    tag = create_tag("要菜單", staff=None, now=NOON, wall=NOON)
    make_topic(tag="要菜單")
    assert uses.told(uses.of_tag(tag)) == ["訂閱主題「每週菜單」"]


def test_what_cannot_be_a_topic_comes_back_with_what_was_typed(manager):
    make_topic()
    answer = manager.post("/admin/topics/new/", NEW | {"description": "還有一個"})
    assert "已經有「每週菜單」" in answer.text
    assert "還有一個" in answer.text


def test_viewers_read_and_change_nothing(app, manager):
    topic = make_topic()
    friend = make_friend()
    viewer = panel_of(app, "viewer")
    assert viewer.get(f"/admin/topics/details/?id={topic.id}").status_code == 200
    assert viewer.post("/admin/topics/new/", NEW).status_code == 403
    assert viewer.get(f"/admin/topics/proof/{friend.id}.csv").status_code == 403
    typed = {"id": topic.id, "on": "1", "reason": "她說的"}
    assert viewer.post(f"/admin/topics/of/{friend.id}/", typed).status_code == 403
    assert Consent.select().count() == 0


@pytest.fixture
def fixture(manager):
    """Four subscribers of six who were asked by a broadcast, two of them long ago; one stopped."""
    topic = make_topic()
    ids = make_friends(6)
    asking = stage.confirmed(parts=[{"topic": "weekly"}], name="徵求訂閱")
    stage.tick(NOON + 6 * stage.MINUTE)
    stage.deliver(asking)
    from lineadmin.topics.queries import note_ask

    note_ask(topic, origin="broadcast", origin_id=asking.id, origin_place=0, now=NOON)
    for number, friend in enumerate(ids[:4]):
        at = NOON - (30 if number < 2 else 1) * DAY
        consent.subscribe(topic, friend, wish("card", at, origin="broadcast", origin_id=asking.id))
    consent.subscribe(topic, ids[4], wish("page", NOON - 20 * DAY))
    consent.stop(topic, ids[4], wish("page", NOON - 2 * DAY))
    menu = stage.confirmed(subscribers_of("weekly"), name="本週菜單")
    stage.tick(NOON + 6 * stage.MINUTE)
    stage.deliver(menu)
    Broadcast.update(blocks_48=1, sent_count=4).where(Broadcast.id == menu.id).execute()
    link = TrackedLink.create(
        code="abc",
        origin_kind=int(OriginKind.BROADCAST),
        origin_id=menu.id,
        url="https://example.com",
        url_hash="x",
        per_friend=True,
        created_at=NOON,
    )
    for friend in (ids[0], ids[0], ids[1]):
        record(friend, "link.clicked", object_id=link.id, at=NOON)
    return topic


def test_the_numbers_of_a_topic_are_those_of_what_happened(fixture):
    people = numbers.people([fixture.id], NOON)[fixture.id]
    assert (people.subscribers, people.new, people.stopped, people.stopped_lately) == (4, 2, 1, 1)
    brought = numbers.brought(fixture)
    assert (brought.sent, brought.tapped, brought.blocked) == (4, 2, 1)
    told = [(one.name, one.asked, one.agreed, one.rate) for one in numbers.places(fixture)]
    assert told == [
        ("群發訊息「徵求訂閱」", 6, 4, 4 / 6),
        ("好友自己的頁面", None, 1, None),
    ]


def test_a_month_of_a_topic_is_charged_for_every_subscriber(fixture):
    def price(count, **plan):
        change_shop(plan, staff=None, wall=NOON)
        return numbers.monthly_cost(fixture, count, shop())

    plan = {"plan_name": "高用量", "plan_included": 6000, "plan_fee": 1200.0}
    assert (price(900, **plan).messages, price(900, **plan).twd) == (3900, 780.0)
    dear = price(3000, **plan, plan_extra_price=0.2)  # 13,000: 7,000 of them beyond the plan
    assert (dear.messages, dear.twd, dear.share) == (13_000, 1200 + 1400, 1.0)
    assert price(3000, **plan, plan_extra_price=None).sold_out
    assert price(900, plan_included=None, plan_fee=None).twd is None


def test_the_page_and_the_list_show_them_and_the_calendar_the_days(manager, fixture):
    listed = words(manager.get("/admin/topics/"))
    assert "每週菜單" in listed
    page = words(manager.get(f"/admin/topics/details/?id={fixture.id}"))
    for told in ("本週新增 2 人", "67%", "本週菜單", "下一則最早可在 2026/11/30"):
        assert told in page
    month = manager.get(f"/admin/topics/calendar/?id={fixture.id}&month=2026-11")
    assert "本週菜單" in words(month)
    assert "徵求訂閱" not in words(month)
    assert "本週菜單" not in words(manager.get("/admin/topics/calendar/?month=2026-12"))
    for odd in ("month=x", "month=9999-12", "id=x", "month=2026-13"):
        assert manager.get(f"/admin/topics/calendar/?{odd}").status_code == 200


def test_the_editor_starts_with_the_topic_and_the_confirm_page_asks_why(manager, fixture):
    editor = manager.get("/admin/broadcasts/new/?topic=weekly").text
    assert re.search(r'checked[^>]*value="topic"', editor)
    typed = {"name": "第二則", "who": "topic", "topic": "weekly", "when": "now"}
    typed |= {"messages": '[{"text": "再一則"}]', "go": "confirm"}
    answer = manager.post("/admin/broadcasts/new/", typed)
    row = Broadcast.get(Broadcast.name == "第二則")
    assert row.audience == subscribers_of("weekly")
    page = manager.get(answer.location).text
    assert "比好友同意的更頻繁" in page
    assert "「每週菜單」的訂閱者" in page
    sent = hidden_of(page) | {"frequency_override": ""}
    assert manager.post(answer.location, sent).status_code == 400
    answer = manager.post(answer.location, sent | {"frequency_override": "颱風停業"})
    assert answer.status_code == 302
    assert "颱風停業" in manager.get(answer.location).text


def test_her_page_shows_her_topics_and_staff_switch_them_with_a_reason(manager):
    topic = make_topic()
    friend = make_friend("小花")
    address = f"/admin/topics/of/{friend.id}/"
    answer = manager.post(address, {"id": topic.id, "on": "1", "reason": " "})
    assert Consent.select().count() == 0
    assert answer.location.endswith(f"/admin/friends/{friend.id}/")
    for on in ("1", "1", "0"):
        manager.post(address, {"id": topic.id, "on": on, "reason": "電話裡說的"})
    page = words(manager.get(f"/admin/friends/{friend.id}/"))
    for told in ("每週菜單", "已停止或到期", "電話裡說的", "訂閱・店員"):
        assert told in page
    assert [row.change for row in Consent.select().order_by(Consent.id)] == [
        "subscribed",
        "stopped",
    ]
    made = [row.action for row in Audit.select().order_by(Audit.id) if row.object_kind == "friend"]
    assert made == ["friend.subscribe", "friend.unsubscribe"]
    actions.archive(topic.id, staff=None, now=NOON, wall=NOON)
    manager.post(address, {"id": topic.id, "on": "1", "reason": "電話裡說的"})
    assert Consent.select().count() == 2


def test_the_proof_of_one_friend_names_when_where_and_the_words(manager):
    topic = make_topic(wording="我同意收到每週菜單。")
    friend, other = make_friend("小花"), make_friend("太郎")
    consent.subscribe(topic, friend.id, wish("card", origin="greeting"))
    consent.stop(topic, friend.id, wish("keyword"))
    consent.subscribe(topic, other.id, wish())
    answer = manager.get(f"/admin/topics/proof/{friend.id}.csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert len(rows) == 3
    line_user_id = Friend.get_by_id(friend.id).line_user_id
    assert rows[1][:4] == [
        line_user_id,
        "每週菜單",
        "訂閱",
        "點了卡片：加入好友的歡迎訊息",
    ]
    assert "我同意收到每週菜單。" in rows[2]
    assert Audit.select().where(Audit.action == "topic.export").count() == 1
