"""Dynamic tags: set by a rule, kept true as things happen and time passes, with their history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from lineadmin import journal
from lineadmin.coupons.models import Coupon
from lineadmin.errors import DomainError
from lineadmin.friends import tags
from lineadmin.friends.models import Friend, FriendTag, Tag
from lineadmin.journal.models import Fact
from lineadmin.segments import tag_keeping, tag_rules
from lineadmin.segments.actions import change_segment, create_segment
from lineadmin.segments.models import Segment, TagRule
from lineadmin.segments.tree import TreeError
from tests.conftest import NOON
from tests.factories import make_friend, make_friends

DAY = timedelta(days=1)
YOUNG = {"field": "age", "op": "less_than", "value": 25}
WOMEN = {"field": "gender", "op": "is", "value": "female"}


def rule(name: str, raw: dict[str, Any] | None, kind: str = "dynamic") -> Tag:
    tag = Tag.get_or_none(Tag.name == name)
    if tag is None:
        tag = tags.create_tag(name, kind=kind, staff=None, now=NOON, wall=NOON)
    tag_rules.save_rule(tag, raw, staff=None, now=NOON, wall=NOON)
    return tag


def carriers(tag: Tag) -> set[int]:
    return {row.friend_id for row in FriendTag.select().where(FriendTag.tag == tag)}


def set_gender(friend: Friend, gender: str | None) -> None:
    Friend.update(gender=gender).where(Friend.id == friend.id).execute()
    journal.record(friend.id, "attribute.set", value={"by": "staff"}, at=NOON)


def history(tag: Tag, friend: Friend) -> list[str]:
    facts = Fact.select().where(Fact.object_id == tag.id, Fact.friend_id == friend.id)
    return [fact.kind for fact in facts.order_by(Fact.id)]


@pytest.fixture
def hana(db: Any) -> Friend:
    return make_friend("hana", gender="female")


@pytest.fixture
def taro(db: Any) -> Friend:
    return make_friend("taro", gender="male")


def test_a_new_rule_tags_everybody_it_fits(hana: Friend, taro: Friend) -> None:
    tag = rule("女性", {"where": WOMEN})
    assert tag_keeping.is_due(NOON)
    tag_keeping.advance(NOON)
    assert carriers(tag) == {hana.id}
    assert history(tag, hana) == ["tag.added"]
    assert Fact.get(Fact.kind == "tag.added").value == {"by": "rule"}
    assert not tag_keeping.is_due(NOON)
    assert tag_keeping.advance(NOON) == 0


def test_what_happens_to_a_friend_sets_it_and_takes_it_off(hana: Friend, taro: Friend) -> None:
    tag = rule("女性", {"where": WOMEN})
    tag_keeping.advance(NOON)
    set_gender(hana, None)
    set_gender(taro, "female")
    assert tag_keeping.is_due(NOON)
    tag_keeping.advance(NOON)
    assert carriers(tag) == {taro.id}
    assert history(tag, hana) == ["tag.added", "tag.removed"]


def test_a_friend_who_is_new_is_looked_at_although_nothing_is_in_the_journal(hana: Friend) -> None:
    tag = rule("女性", {"where": WOMEN})
    tag_keeping.advance(NOON)
    late = make_friend("late", gender="female")
    tag_keeping.advance(NOON)
    assert carriers(tag) == {hana.id, late.id}


def test_work_costs_what_changed(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = make_friends(50, gender="female")
    rule("女性", {"where": WOMEN})
    tag_keeping.advance(NOON)
    looked_at: list[int] = []
    really = tag_keeping._wanted

    def watched(rule: Any, friends: list[int], *rest: Any) -> Any:
        looked_at.extend(friends)
        return really(rule, friends, *rest)

    monkeypatch.setattr(tag_keeping, "_wanted", watched)
    journal.record(ids[7], "message", at=NOON)
    tag_keeping.advance(NOON)
    assert looked_at == [ids[7]]


def test_on_something_that_happens_it_lasts_so_many_days_after_the_last(
    hana: Friend, taro: Friend
) -> None:
    tag = rule("最近說話", {"on": "message", "days": 30})
    tag_keeping.advance(NOON)
    assert carriers(tag) == set()
    journal.record(hana.id, "message", at=NOON)
    tag_keeping.advance(NOON)
    assert FriendTag.get().until == NOON + 30 * DAY

    again = NOON + 20 * DAY
    journal.record(hana.id, "message", at=again)
    tag_keeping.advance(again)
    assert FriendTag.get().until == again + 30 * DAY
    assert history(tag, hana) == ["tag.added"]  # longer is no new tag

    over = again + 30 * DAY
    assert not tag_keeping.is_due(over - timedelta(seconds=1))
    assert tag_keeping.is_due(over)
    tag_keeping.advance(over)
    assert carriers(tag) == set()
    assert history(tag, hana) == ["tag.added", "tag.removed"]
    assert Fact.get(Fact.kind == "tag.removed").value == {"by": "rule", "why": "expired"}


def test_a_rule_may_ask_for_one_coupon_and_a_condition_besides(hana: Friend, taro: Friend) -> None:
    for code in ("bento20", "soup"):
        Coupon.create(code=code, title=code, benefit="percent", created_at=NOON)
    bento, soup = Coupon.select().order_by(Coupon.id)
    tag = rule("雙拼女客", {"on": "coupon.redeemed", "about": "bento20", "where": WOMEN})
    for friend, coupon in ((hana, soup), (taro, bento)):
        journal.record(friend.id, "coupon.redeemed", object_id=coupon.id, at=NOON)
    tag_keeping.advance(NOON)
    assert carriers(tag) == set()
    journal.record(hana.id, "coupon.redeemed", object_id=bento.id, at=NOON)
    tag_keeping.advance(NOON)
    assert carriers(tag) == {hana.id}
    assert FriendTag.get().until is None


def test_what_happened_before_the_rule_counts_too(hana: Friend) -> None:
    journal.record(hana.id, "message", at=NOON - 3 * DAY)
    tag = rule("最近說話", {"on": "message", "days": 7})
    tag_keeping.advance(NOON)
    assert carriers(tag) == {hana.id}
    assert FriendTag.get().until == NOON + 4 * DAY


def test_a_condition_that_time_alone_changes_is_asked_once_a_day(db: Any) -> None:
    friend = make_friend("new", followed_at=NOON, first_followed_at=NOON)
    tag = rule("新好友", {"where": {"field": "friend_days", "op": "less_than", "value": 7}})
    tag_keeping.advance(NOON)
    assert carriers(tag) == {friend.id}
    assert not tag_keeping.is_due(NOON + timedelta(hours=3))
    later = NOON + 7 * DAY
    assert tag_keeping.is_due(later)
    tag_keeping.advance(later)
    assert carriers(tag) == set()


def test_a_changed_rule_and_a_changed_segment_are_asked_of_everybody_again(
    hana: Friend, taro: Friend
) -> None:
    create_segment("對象", WOMEN, staff=None, now=NOON, wall=NOON)
    tag = rule("對象標籤", {"where": {"field": "segment", "op": "is", "value": "對象"}})
    tag_keeping.advance(NOON)
    assert carriers(tag) == {hana.id}
    men = {"field": "gender", "op": "is", "value": "male"}
    change_segment(Segment.get(), men, staff=None, wall=NOON)
    tag_keeping.advance(NOON)
    assert carriers(tag) == {taro.id}
    rule("對象標籤", {"where": {"field": "gender", "op": "known"}})
    tag_keeping.advance(NOON)
    assert carriers(tag) == {hana.id, taro.id}
    rule("對象標籤", None)
    tag_keeping.advance(NOON)
    assert carriers(tag) == set()
    assert not TagRule.select().exists()


def test_tags_that_links_or_people_set_are_left_alone(hana: Friend, taro: Friend) -> None:
    tag = rule("女性", {"where": WOMEN})
    tags.add_tag(taro.id, tag.id, at=NOON, by_kind="link", until=NOON + DAY)
    tag_keeping.advance(NOON)
    assert carriers(tag) == {hana.id, taro.id}
    tag_keeping.advance(NOON + DAY)
    assert carriers(tag) == {hana.id}


def test_one_portion_at_a_time_goes_on_where_it_ended(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_keeping, "CHUNK", 3)
    ids = set(make_friends(8, gender="female"))
    tag = rule("女性", {"where": WOMEN})
    assert tag_keeping.advance(NOON, most=1) == 1
    assert len(carriers(tag)) == 3
    assert tag_keeping.is_due(NOON)
    tag_keeping.advance(NOON)
    assert carriers(tag) == ids


def test_a_static_tag_has_no_rule(db: Any) -> None:
    with pytest.raises(DomainError):
        rule("客訴中", {"where": WOMEN}, kind="static")


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({}, ()),
        ([], ()),
        ({"when": 1, "where": YOUNG}, ("when",)),
        ({"on": "nothing"}, ("on",)),
        ({"on": "message", "about": "bento20"}, ("about",)),
        ({"on": "coupon.redeemed", "about": "gone"}, ("about",)),
        ({"on": "message", "days": 0}, ("days",)),
        ({"where": YOUNG, "days": 3}, ("days",)),
        ({"where": {"field": "age", "op": "is", "value": "x"}}, ("where", "value")),
        ({"where": {"field": "tag", "op": "is", "value": "這個"}}, ("where",)),
        ({"where": {"field": "tag", "op": "known"}}, ("where",)),
        ({"where": {"field": "segment", "op": "is", "value": "有這個的"}}, ("where",)),
        ({"where": {"field": "tag", "op": "is", "value": "另一個"}}, ("where",)),
        ({"on": "tag.added", "about": "這個"}, ("where",)),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_is_refused_with_its_place(
    db: Any, raw: Any, path: tuple[str, ...]
) -> None:
    own = {"field": "tag", "op": "is", "value": "這個"}
    tag = tags.create_tag("這個", kind="dynamic", staff=None, now=NOON, wall=NOON)
    create_segment("有這個的", own, staff=None, now=NOON, wall=NOON)
    rule("另一個", {"where": own})
    with pytest.raises(TreeError) as refused:
        tag_rules.save_rule(tag, raw, staff=None, now=NOON, wall=NOON)
    assert refused.value.path == path


def test_every_rule_is_told_in_words(db: Any) -> None:
    Coupon.create(code="bento20", title="雙拼 8 折", benefit="percent", created_at=NOON)
    told = tag_rules.sentence(
        tag_rules.parse_rule(
            {"on": "coupon.redeemed", "about": "bento20", "days": 30, "where": YOUNG}
        )
    )
    assert told == "核銷優惠券 「bento20」後 30 天內，而且年齡未滿 25"


def test_sweeping_runs_along_an_index(db: Any) -> None:
    if db.__class__.__name__.startswith("Postgres"):
        pytest.skip("the planner of PostgreSQL decides by size")
    query = FriendTag.select(FriendTag.id).where(tag_keeping._run_out(NOON)).limit(10)
    sql, params = query.sql()
    plan = " ".join(str(row[-1]) for row in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params))
    assert "friendtag_until" in plan


def test_the_moment_a_friend_is_tagged_she_may_start_a_sequence(hana: Friend) -> None:
    rule("女性", {"where": WOMEN})
    tag_keeping.advance(datetime(2026, 11, 23, 4, 0, tzinfo=NOON.tzinfo))
    assert Fact.get(Fact.kind == "tag.added").handled_at is None
