"""One friend's page: her timeline from every source, her tags, her wish, what is known of her."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from lineadmin import journal
from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends import fields
from lineadmin.friends.models import BLOCKED, Field, Friend, FriendField, FriendTag, Source, Tag
from lineadmin.inbox.models import InboundMessage
from lineadmin.journal.models import Fact
from lineadmin.outbox import content
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind, Reply, ReplyState
from lineadmin.replies.models import ReplyRule
from lineadmin.reports import timeline
from lineadmin.sequences.models import Sequence
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import LONG_AGO, make_friend, make_staff
from tests.friends_screens.conftest import statements
from tests.panel import flashes_of, hidden_of, panel_of

pytestmark = pytest.mark.usefixtures("clock")


def address(friend, more=""):
    return f"/admin/friends/{friend.id}/{more}"


def told(page):
    """The timeline as lines of plain text."""
    lines = re.findall(r"<li class=\"[^\"]*\">(.*?)</li>", page.split("時間軸")[1], re.S)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", line)).split()) for line in lines]


def says(words="週一快樂"):
    return content.store([{"text": words}], personal=False, summary=words, now=NOON)


def delivery(friend, kind, number, at, state, reason="", *, run=0, **more):
    return Delivery.create(
        friend_id=friend.id,
        origin_kind=int(kind),
        origin_id=number,
        origin_run=run,
        content=says(),
        due_at=at,
        state=int(state),
        reason=reason,
        planned_at=at,
        **more,
    )


def wrote(friend, text, at, **more):
    more.setdefault("message_id", f"m{at.timestamp()}{text}"[:60])
    return InboundMessage.create(friend_id=friend.id, kind="text", text=text, at=at, **more)


def test_everything_that_happened_is_told_newest_first_with_names(manager):
    hana = make_friend("小花")
    staff = make_staff("staff", name="小雲")
    source = Source.create(code="counter", name="門市 QR", created_at=LONG_AGO)
    tag = Tag.create(name="常客", created_at=LONG_AGO)
    coupon = Coupon.create(code="welcome", title="見面禮", benefit="gift", created_at=LONG_AGO)
    sequence = Sequence.create(name="四週養成", created_at=LONG_AGO)
    monday = Broadcast.create(name="週一雙拼", created_at=LONG_AGO, audience={"all": []})
    rule = ReplyRule.create(title="看菜單", keywords=["菜單"], created_at=LONG_AGO)
    at = iter([NOON - timedelta(minutes=60 - number) for number in range(60)])

    def fact(kind, **more):
        journal.record(hana.id, kind, at=next(at), **more)

    fact("followed")
    fact("source.set", object_id=source.id, value={"by": "observed"})
    fact("tag.added", object_id=tag.id, value={"by": "csv"})
    fact("tag.removed", object_id=9999)
    fact("sequence.enrolled", object_id=sequence.id)
    fact("coupon.issued", object_id=coupon.id, value={"origin": "greeting"})
    Reply.create(
        friend_id=hana.id,
        reply_token="a",
        origin="greeting",
        content=says("{name|朋友}，歡迎"),
        body="{}",
        state=int(ReplyState.SENT),
        at=next(at),
        tried_at=NOON,
    )
    delivery(hana, OriginKind.STEP, sequence.id, next(at), DeliveryState.SENT, run=1002)
    delivery(hana, OriginKind.BROADCAST, monday.id, next(at), DeliveryState.SKIPPED, "cap")
    wrote(hana, "菜單", next(at), answered_by="rule")
    Reply.create(
        friend_id=hana.id,
        reply_token="b",
        origin="keyword",
        origin_id=rule.id,
        body="{}",
        state=int(ReplyState.UNKNOWN),
        reason="no_reply_answer",
        at=next(at),
        tried_at=NOON,
    )
    wrote(hana, "還有位子嗎？", next(at))
    wrote(hana, "", next(at), message_id="gone", unsent_at=NOON, answered_by="closed")
    fact("message", value={"kind": "text"})  # told by the message itself
    fact("postback", value={"data": "opt_out"})
    fact("opted_out", value={"by": "friend"})
    fact("attribute.set", value={"by": "staff", "set": {"gender": "female", "os": None}})
    fact("coupon.redeemed", object_id=coupon.id, value={"staff": staff.id}, amount=240)
    fact("coupon.undone", object_id=coupon.id, value={"staff": staff.id, "reason": "按錯了"})
    fact("event", value={"type": "videoPlayComplete"})
    fact("event", value={"type": "invented"})
    fact("sequence.ended", object_id=sequence.id, value={"reason": "blocked"})
    fact("blocked")

    lines = [re.sub(r" \d\d:\d\d", "", line) for line in told(manager.get(address(hana)).text)]
    assert lines == [
        "封鎖了帳號",
        "結束漸進式訊息 四週養成 ・封鎖了帳號",
        "其他動作 invented",
        "看完影片",
        "撤回核銷 見面禮 ・小雲・按錯了",
        "核銷優惠券 見面禮 ・NT$240・小雲",
        "資料變更 性別：女、作業系統：空白 ・店員",
        "停止通知 ・好友本人",
        "點了按鈕 不再通知",
        "傳來訊息 （好友已收回）",
        "傳來訊息 ・還沒有人回覆 還有位子嗎？",
        "不確定是否收到 自動回應「看菜單」 ・LINE 沒有回應",
        "傳來訊息 菜單",
        "沒有收到 群發「週一雙拼」 ・近期已達發送頻率上限 ・ 為什麼？ 週一快樂",
        "收到 「四週養成」第 2 步 ・ 為什麼？ 週一快樂",
        "收到 歡迎訊息 ・免費 小花，歡迎",
        "發給優惠券 見面禮 ・隨歡迎訊息",
        "進入漸進式訊息 四週養成",
        "移除標籤 （已刪除）",
        "加上標籤 常客 ・匯入",
        "設定來源 門市 QR ・系統觀察",
        "加入好友",
    ]


def test_another_friends_life_stays_out(manager):
    hana, other = make_friend("小花"), make_friend("別人")
    wrote(other, "秘密", NOON)
    delivery(other, OriginKind.BROADCAST, 1, NOON, DeliveryState.SENT)
    journal.record(other.id, "followed", at=NOON)
    page = manager.get(address(hana)).text
    assert told(page) == []
    assert "還沒有任何紀錄" in page


def test_older_pages_miss_nothing_and_repeat_nothing_even_within_one_moment(db):
    hana = make_friend("小花")
    for number in range(40):
        at = NOON - timedelta(minutes=number // 8)  # many at the very same moment
        journal.record(hana.id, "followed", at=at)
        if number % 2:
            delivery(hana, OriginKind.BROADCAST, number, at, DeliveryState.SENT)
        if number % 3 == 0:
            Reply.create(
                friend_id=hana.id,
                reply_token=f"t{number}",
                origin="keyword",
                body="{}",
                at=at,
                tried_at=NOON,
            )
    everything = timeline.page(hana.id, size=1000).moments
    assert len(everything) == 40 + 20 + 14
    assert [one.order for one in everything] == sorted((m.order for m in everything), reverse=True)
    for size in (1, 7, 30):
        seen, before = [], None
        while True:
            page = timeline.page(hana.id, before=before, size=size)
            seen += page.moments
            before = page.older
            if before is None:
                break
            before = timeline.Cursor.parse(str(before))
        assert [one.order for one in seen] == [one.order for one in everything]


@pytest.mark.parametrize("text", ["", "x", "1.2", "1.2.3.4", "-1.2.3", "9" * 30 + ".1.1", "1.9.1"])
def test_a_cursor_that_is_none_shows_the_newest(text):
    assert timeline.Cursor.parse(text) is None


def test_the_page_leads_to_older_things_and_back(manager):
    hana = make_friend("小花")
    for number in range(35):
        journal.record(hana.id, "followed", at=NOON - timedelta(hours=number))
    page = manager.get(address(hana)).text
    assert len(told(page)) == timeline.PAGE
    older = html.unescape(re.search(r'rel="next" href="([^"]+)"', page).group(1))
    rest = manager.get(older).text
    assert len(told(rest)) == 5
    assert "回到最新" in rest
    assert 'rel="next"' not in rest


def test_a_long_life_costs_no_more_queries_than_a_short_one(manager):
    hana = make_friend("小花")
    tags = [Tag.create(name=f"標籤{number}", created_at=LONG_AGO) for number in range(12)]
    manager.get(address(hana))
    for kind in ("tag.added", "coupon.issued"):
        journal.record(hana.id, kind, object_id=1, at=NOON)
    wrote(hana, "嗨", NOON)
    delivery(hana, OriginKind.BROADCAST, 1, NOON, DeliveryState.SENT)
    with statements() as few:
        manager.get(address(hana))
    for number in range(12):
        journal.record(hana.id, "tag.added", object_id=tags[number].id, at=NOON)
        wrote(hana, str(number), NOON, message_id=f"x{number}")
        delivery(hana, OriginKind.BROADCAST, number + 2, NOON, DeliveryState.SENT)
    with statements() as many:
        manager.get(address(hana))
    assert len(many) <= len(few)
    assert len(many) < 60


def test_tags_go_on_and_come_off_with_history_and_audit(manager):
    hana = make_friend("小花")
    tag = Tag.create(name="常客", created_at=LONG_AGO)
    rule = Tag.create(name="點過菜單", kind="dynamic", created_at=LONG_AGO)
    assert manager.post(address(hana, "tag/"), {"tag": tag.id}).status_code == 302
    manager.post(address(hana, "tag/"), {"tag": tag.id})
    assert FriendTag.select().count() == 1
    manager.post(address(hana, "untag/"), {"tag": tag.id})
    assert FriendTag.select().count() == 0
    manager.post(address(hana, "tag/"), {"tag": rule.id})
    manager.post(address(hana, "tag/"), {"tag": 999})
    assert FriendTag.select().count() == 0
    assert [row.kind for row in Fact.select().order_by(Fact.id)] == ["tag.added", "tag.removed"]
    assert [row.action for row in Audit.select().order_by(Audit.id)] == [
        "friend.tag",
        "friend.untag",
    ]
    assert Audit.get(Audit.action == "friend.tag").object_id == hana.id


def test_notifications_stop_and_resume_after_a_question(manager):
    hana = make_friend("小花")
    asked = manager.post(address(hana, "notify/"), {"stop": "1"}).text
    assert "停止通知「小花」？" in asked
    assert Friend.get_by_id(hana.id).opted_out_at is None
    manager.post(address(hana, "notify/"), hidden_of(asked))
    assert Friend.get_by_id(hana.id).opted_out_by == "staff"
    page = manager.get(address(hana)).text
    assert "不再通知" in page
    assert "停止通知 12:00 ・店員" in told(page)
    asked = manager.post(address(hana, "notify/"), {"stop": "0"}).text
    assert "對方曾表示不要通知" in asked
    manager.post(address(hana, "notify/"), hidden_of(asked))
    assert Friend.get_by_id(hana.id).opted_out_at is None
    lines = Audit.select().where(Audit.object_kind == "friend").order_by(Audit.id)
    assert [line.action for line in lines] == ["friend.opt_out", "friend.opt_in"]


def own_fields():
    Field.create(key="note", name="會員編號", type=fields.TEXT, position=1)
    Field.create(key="spice", name="辣度", type=fields.CHOICE, choices=["小辣", "大辣"], position=2)
    Field.create(key="orders", name="訂單數", type=fields.NUMBER, position=3)


def form_of(page):
    inputs = hidden_of(page)
    inputs |= dict(re.findall(r'<input[^>]* name="((?!csrf)\w+)"[^>]* value="([^"]*)"', page))
    return {name: html.unescape(value) for name, value in inputs.items()}


def test_what_is_known_stands_with_its_origin_and_can_be_corrected(manager):
    own_fields()
    source = Source.create(code="counter", name="門市 QR", created_at=LONG_AGO)
    hana = make_friend("小花", gender="female", gender_origin="self", birth_year=2002)
    FriendField.create(friend=hana, field=1, text="A1", origin="csv", at=LONG_AGO)
    page = manager.get(address(hana)).text
    facts = re.sub(r"<[^>]+>|\s+", " ", page.split("資料</h2>")[1])
    facts = " ".join(facts.split())
    assert "性別 女 （好友自填）" in facts
    assert "年齡 24 歲（2002 年生）" in facts
    assert "會員編號 A1 （已匯入）" in facts
    assert "地區 不明" in facts

    opened = manager.get(address(hana, "edit/")).text
    changed = {
        "birth_year": "1998",
        "gender": "female",
        "region": "tw_01",
        "os": "",
        "source": source.id,
        "own_note": "A2",
        "own_spice": "大辣",
        "own_orders": "12",
        "note": "不要香菜",
    }
    answer = manager.post(address(hana, "edit/"), {**hidden_of(opened), **changed})
    assert answer.status_code == 302
    saved = Friend.get_by_id(hana.id)
    assert (saved.birth_year, saved.birth_origin) == (1998, "staff")
    assert (saved.gender, saved.gender_origin) == ("female", "self")
    assert (saved.region, saved.source_id, saved.note) == ("tw_01", source.id, "不要香菜")
    own = {row.field.key: row.text or row.number for row in FriendField.select()}
    assert own == {"note": "A2", "spice": "大辣", "orders": 12}
    assert Audit.get(Audit.action == "friend.edit").after["birth_year"] == 1998
    page = manager.get(address(hana)).text
    assert "不要香菜" in page
    assert "出生年：1998" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"birth_year": "98"}, "出生年請填四位數"),
        ({"birth_year": "2090"}, "出生年請填 1900 到 2026"),
        ({"own_orders": "很多"}, "訂單數：請填數字"),
        ({"note": "x" * 2001}, "2000"),
        ({"region": "tw_99"}, None),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_saved(manager, changes, sentence):
    own_fields()
    hana = make_friend("小花")
    opened = manager.get(address(hana, "edit/")).text
    answer = manager.post(
        address(hana, "edit/"), {**hidden_of(opened), "note": "新", "own_note": "", **changes}
    )
    assert answer.status_code == 200
    assert 'class="error"' in answer.text
    if sentence:
        assert sentence in answer.text
    assert Friend.get_by_id(hana.id).note == ""
    assert Friend.get_by_id(hana.id).version == hana.version


def test_of_two_tabs_the_second_is_told_and_loses_nothing_typed(app, manager):
    hana = make_friend("小花")
    first = manager.get(address(hana, "edit/")).text
    other = panel_of(app, "owner", name="小美")
    theirs = other.get(address(hana, "edit/")).text
    other.post(address(hana, "edit/"), {**hidden_of(theirs), "region": "tw_06", "note": ""})

    answer = manager.post(
        address(hana, "edit/"), {**hidden_of(first), "region": "", "note": "我的"}
    )
    assert answer.status_code == 409
    assert "小美" in answer.text
    assert "高雄市" in answer.text
    assert "我的" in answer.text
    assert Friend.get_by_id(hana.id).note == ""
    again = manager.post(
        address(hana, "edit/"), {**hidden_of(answer.text), "region": "tw_06", "note": "我的"}
    )
    assert again.status_code == 302
    saved = Friend.get_by_id(hana.id)
    assert (saved.region, saved.note) == ("tw_06", "我的")


def test_her_coupons_lead_to_the_counter(app, manager):
    hana = make_friend("小花")
    coupon = Coupon.create(code="c", title="見面禮", benefit="gift", created_at=LONG_AGO)
    issue = {"coupon": coupon, "friend_id": hana.id, "issued_at": NOON}
    CouponIssue.create(**issue, number=1, token="a", code="ABCDEFGHJKMN")
    CouponIssue.create(**issue, number=2, token="b", code="ABCDEFGHJKMP", redeemed_at=NOON)
    page = manager.get(address(hana)).text
    assert page.count("/admin/redeem/ABCDEFGHJKM") == 1
    assert "已使用" in page


def test_a_friend_nobody_knows_is_no_page(manager):
    assert manager.get("/admin/friends/4711/").status_code == 404
    assert manager.post("/admin/friends/4711/tag/", {"tag": 1}).status_code == 404


@pytest.mark.parametrize(
    ("role", "page", "changes", "answers"),
    [("manager", 200, True, True), ("staff", 200, False, False), ("viewer", 403, False, False)],
)
def test_roles(app, role, page, changes, answers):
    hana = make_friend("小花")
    tag = Tag.create(name="常客", created_at=LONG_AGO)
    panel = panel_of(app, role)
    seen = panel.get(address(hana))
    assert seen.status_code == page
    assert ('id="add-tag"' in seen.text) is changes
    assert ('id="answer-text"' in seen.text) is answers
    for route in ("tag/", "untag/", "notify/", "edit/", "answer/", "done/"):
        status = panel.post(address(hana, route), {"tag": tag.id}).status_code
        assert (status == 403) is not changes, route


def test_somebody_who_blocked_us_cannot_be_answered(manager):
    hana = make_friend("小花", status=BLOCKED)
    page = manager.get(address(hana)).text
    assert "answer-text" not in page
    manager.post(address(hana, "answer/"), {"text": "嗨", "number": "5", "confirmed": "1"})
    assert Delivery.select().count() == 0
    assert flashes_of(page) == []
