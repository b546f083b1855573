"""The list of friends: who is found, who gets a tag, and what it asks of the database."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import pytest

from lineadmin import clock, settings
from lineadmin.friends import tags
from lineadmin.friends.models import BLOCKED, FRIEND, UNKNOWN, Friend, FriendTag, Source, Tag
from lineadmin.journal.models import Fact
from lineadmin.segments import tag_jobs
from lineadmin.staff.models import Audit
from tests.conftest import NOON
from tests.factories import LONG_AGO, make_friend, make_friends
from tests.friends_screens.conftest import names_on, plan_of, statements
from tests.panel import hidden_of, panel_of

LIST = "/admin/friends/"


def found(panel, query=""):
    return names_on(panel.get(LIST + query).text)


def tag_of(name="常客", **more):
    return Tag.create(name=name, created_at=LONG_AGO, **more)


def tagged(tag):
    return {row.friend_id for row in FriendTag.select().where(FriendTag.tag == tag)}


def test_friends_are_found_by_every_word_of_a_name_or_by_their_line_id(manager):
    make_friend("陳 小明", line_user_id="U" + "c" * 32)
    make_friend("陳大同")
    make_friend("100%")

    assert found(manager, "?search=" + quote("陳")) == ["陳大同", "陳 小明"]
    assert found(manager, "?search=" + quote("明 陳")) == ["陳 小明"]
    assert found(manager, "?search=U" + "c" * 32) == ["陳 小明"]
    assert found(manager, "?search=" + quote("%")) == ["100%"]
    assert "沒有符合條件" in manager.get(LIST + "?search=nobody").text or not found(
        manager, "?search=nobody"
    )


def test_filters_narrow_by_tag_status_source_and_consent_and_add_up(manager):
    source = Source.create(code="counter", name="門市 QR", created_at=LONG_AGO)
    make_friend("標籤", tags=("常客",))
    make_friend("封鎖", status=BLOCKED, tags=("常客",))
    make_friend("沒聽過", status=UNKNOWN, source=source)
    make_friend("不要通知", opted_out_at=LONG_AGO)
    tag = Tag.get(Tag.name == "常客")

    assert found(manager, f"?tag={tag.id}") == ["封鎖", "標籤"]
    assert found(manager, "?status=blocked") == ["封鎖"]
    assert found(manager, f"?tag={tag.id}&status=friend") == ["標籤"]
    assert found(manager, f"?source={source.id}") == ["沒聽過"]
    assert set(found(manager, "?source=0")) == {"標籤", "封鎖", "不要通知"}
    assert found(manager, "?opted_out=1") == ["不要通知"]
    assert len(found(manager, "?opted_out=0")) == 3
    assert len(found(manager, "?tag=999&status=nonsense")) == 4


def test_pages_follow_each_other_without_a_gap(manager):
    make_friends(120)
    seen, address = [], LIST
    while address:
        page = manager.get(address).text
        seen += names_on(page)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        address = html.unescape(more.group(1)) if more else None
    assert len(seen) == len(set(seen)) == 120
    assert "共 120 筆" in manager.get(LIST).text


def test_headings_sort_by_name_and_by_last_activity(manager):
    make_friend("乙", last_seen_at=LONG_AGO)
    make_friend("甲", last_seen_at=None)
    page = manager.get(LIST).text
    assert "sort=display_name" in page
    assert "sort=last_seen_at" in page
    assert found(manager, "?sort=last_seen_at&desc=1") == ["乙", "甲"]
    assert "sort=status" not in page


def test_ticked_friends_get_a_tag_and_lose_it_with_one_audit_line_each_time(manager):
    tag = tag_of()
    one, two, three = (make_friend(name) for name in "甲乙丙")
    answer = manager.post(
        LIST + "action/", {"action": "tag", "rowid": [one.id, two.id], "tag": tag.id}
    )
    assert answer.status_code == 302
    assert tagged(tag) == {one.id, two.id}
    assert Fact.select().where(Fact.kind == "tag.added").count() == 2
    line = Audit.select().where(Audit.action == "friend.tag").get()
    assert line.after == {"tag": "常客", "count": 2}

    manager.post(LIST + "action/", {"action": "untag", "rowid": [one.id, three.id], "tag": tag.id})
    assert tagged(tag) == {two.id}
    assert Audit.select().where(Audit.action == "friend.untag").get().after["count"] == 1


def test_everybody_the_list_shows_is_asked_for_with_their_number_then_tagged(manager):
    tag = tag_of()
    ids = make_friends(70, status=FRIEND)
    outside = make_friend("封鎖", status=BLOCKED)
    form = {
        "action": "tag",
        "rowid": ids[0],
        "tag": tag.id,
        "everybody": "1",
        "url": LIST + "?status=friend&search=" + quote("好友"),
    }
    asked = manager.post(LIST + "action/", form).text
    assert "為 70 位好友加上標籤「常客」？" in asked
    assert "狀態：好友" in asked
    assert tagged(tag) == set()

    answer = manager.post(LIST + "action/", hidden_of(asked))
    assert answer.status_code == 302
    assert "進行中" in manager.get(answer.location).text
    assert tagged(tag) == set()  # the page does not wait for it
    tag_jobs.advance(NOON)
    assert tagged(tag) == set(ids)
    assert outside.id not in tagged(tag)
    line = Audit.select().where(Audit.action == "friend.tag").get()
    assert line.after["count"] == 70
    assert line.after["filters"] == {"狀態": "好友", "名字或 LINE 用戶 ID": "好友"}
    assert "已變更 70 位好友" in manager.get(answer.location).text


def test_everybody_with_a_tag_can_lose_it(manager):
    tag = tag_of()
    ids = make_friends(60)
    tags.add_tag_many(ids[:55], tag.id, at=LONG_AGO)
    asked = manager.post(
        LIST + "action/",
        {
            "action": "untag",
            "rowid": ids[0],
            "tag": tag.id,
            "everybody": "1",
            "url": f"{LIST}?tag={tag.id}",
        },
    ).text
    assert "從 55 位好友拿掉標籤「常客」？" in asked
    manager.post(LIST + "action/", hidden_of(asked))
    tag_jobs.advance(NOON)
    assert tagged(tag) == set()


def test_the_choice_of_everybody_is_offered_only_where_there_are_more_pages(manager):
    tag_of()
    make_friends(50)
    assert 'name="everybody"' not in manager.get(LIST).text
    make_friend()
    assert "全部符合條件的好友（51 位）" in manager.get(LIST).text


def test_no_tag_or_a_dynamic_one_changes_nothing(manager):
    rule = tag_of("點過菜單", kind=tags.DYNAMIC)
    friend = make_friend()
    for chosen in ("", "999", "x", str(rule.id)):
        manager.post(LIST + "action/", {"action": "tag", "rowid": friend.id, "tag": chosen})
    assert FriendTag.select().count() == 0
    page = manager.get(LIST).text
    assert "請先選擇標籤。" in page
    assert "行為標籤只能由規則設定。" in page
    assert "點過菜單" not in page.split("data-bulk-bar")[1]


def test_nobody_can_opt_many_out_at_once(owner):
    make_friend()
    page = owner.get(LIST).text
    assert re.findall(r'name="action" value="([^"]+)"', page) == ["tag", "untag"]
    assert owner.post(LIST + "action/", {"action": "opt_out", "rowid": "1"}).status_code == 404


@pytest.mark.parametrize(
    ("role", "sees", "tags_them", "exports"),
    [
        ("owner", 200, True, 200),
        ("manager", 200, True, 403),
        ("staff", 200, False, 403),
        ("viewer", 403, False, 403),
    ],
)
def test_roles(app, role, sees, tags_them, exports):
    tag, friend = tag_of(), make_friend()
    panel = panel_of(app, role)
    page = panel.get(LIST)
    assert page.status_code == sees
    assert ('value="untag"' in page.text) is tags_them
    form = {"action": "tag", "rowid": friend.id, "tag": tag.id}
    assert (panel.post(LIST + "action/", form).status_code == 302) is tags_them
    assert bool(tagged(tag)) is tags_them
    assert panel.get(LIST + "export/csv/").status_code == exports


def test_the_export_is_what_an_import_takes_and_leaves_a_line(owner):
    make_friend("=1+1", tags=("常客", "會員"))
    make_friend("封鎖", status=BLOCKED)
    answer = owner.get(LIST + "export/csv/")
    text = answer.get_data(as_text=True)
    assert answer.mimetype == "text/csv"
    assert text.startswith("\ufeffline_user_id,display_name,")
    assert "'=1+1" in text
    assert "會員|常客" in text or "常客|會員" in text
    assert len(text.strip().splitlines()) == 3
    some = owner.get(LIST + "export/csv/?status=blocked").get_data(as_text=True)
    assert len(some.strip().splitlines()) == 2
    lines = Audit.select().where(Audit.action == "friend.export").order_by(Audit.id)
    assert [line.after for line in lines] == [{"filters": {}}, {"filters": {"status": "blocked"}}]


def test_an_empty_list_says_how_friends_arrive(manager):
    page = manager.get(LIST).text
    assert "還沒有好友" in page
    assert "匯入 CSV" in page


def test_a_page_costs_the_same_however_many_friends_it_shows(manager):
    manager.get(LIST)
    make_friends(3)
    with statements() as few:
        manager.get(LIST)
    tag = tag_of()
    ids = make_friends(60)
    tags.add_tag_many(ids, tag.id, at=LONG_AGO)
    with statements() as many:
        manager.get(LIST)
    assert len(many) <= len(few) + 1


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "friend_pkey|SCAN t1$"),  # SQLite calls the walk along the key a scan
        ("?status=blocked", "status"),
        ("?source=1", "source"),
        ("?tag=1", "friendtag|tag_id"),
        ("?sort=display_name", "display_name"),
        ("?sort=last_seen_at&desc=1", "last_seen_at"),
        ("?opted_out=1", "opted_out"),
        ("?search=U" + "0" * 32, "line_user_id"),
    ],
)
def test_every_order_and_filter_walks_along_an_index(manager, query, index):
    make_friend("甲", tags=("常客",))
    Source.create(id=1, code="counter", name="門市", created_at=LONG_AGO)
    with statements() as seen:
        assert manager.get(LIST + query).status_code == 200
    pages = [
        (sql, params)
        for sql, params in seen
        if 'FROM "friend" AS "t1"' in sql and "COUNT" not in sql
    ]
    assert pages
    plans = [plan_of(sql, params) for sql, params in pages]
    assert any(re.search(index, plan, re.M) for plan in plans), plans
    assert Friend.select().count() == 1


def test_the_heading_tells_how_many_of_all_friends_are_known_and_how_to_learn_more(owner):
    make_friend("小花")
    make_friend("封鎖", status=BLOCKED)
    assert "以前就加入的好友" in owner.get(LIST).text
    settings.mark("friends.total", {"friends": 40, "day": "2026-11-22"}, wall=clock.wall())
    page = owner.get(LIST).text
    assert "LINE 在 2026/11/22（日） 統計有 40 位好友，這裡認識 1 位。" in page
    assert "/admin/connection/#before" in page
    settings.mark("friends.total", {"friends": 1, "day": "2026-11-22"}, wall=clock.wall())
    assert "帳號的 1 位好友都已認識。" in owner.get(LIST).text
