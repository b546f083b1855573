"""Trees written by hand, with the friends who must match."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin import segments
from lineadmin.friends.models import Friend
from lineadmin.segments.actions import change_segment, create_segment
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import TreeError
from tests.factories import make_staff
from tests.segments.shop import NOW, TAIPEI, make_shop

EVERYBODY = "hana taro ming popo kai mute csv"


def leaf(field: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    written = {"field": field, "op": op, **more}
    return written if value is None else {**written, "value": value}


TABLE: list[tuple[dict[str, Any], str]] = [
    ({"all": []}, EVERYBODY),
    ({"any": []}, ""),
    ({"not": {"all": []}}, ""),
    # Gender: popo, mute and csv never told.
    (leaf("gender", "is", "male"), "taro ming kai"),
    (leaf("gender", "is_not", "male"), "hana popo mute csv"),
    (leaf("gender", "any_of", ["male", "female"]), "hana taro ming kai"),
    (leaf("gender", "none_of", ["female"]), "taro ming popo kai mute csv"),
    (leaf("gender", "known"), "hana taro ming kai"),
    (leaf("gender", "unknown"), "popo mute csv"),
    ({"not": leaf("gender", "is", "male")}, "hana popo mute csv"),
    ({"not": leaf("gender", "unknown")}, "hana taro ming kai"),
    # Age: hana is 24 until tomorrow, taro 25 since today, ming 45 and popo 76 by the year.
    (leaf("age", "less_than", 25), "hana"),
    (leaf("age", "at_least", 25), "taro ming popo"),
    (leaf("age", "is", 24), "hana"),
    (leaf("age", "is_not", 24), "taro ming popo kai mute csv"),
    (leaf("age", "any_of", [25, 45]), "taro ming"),
    (leaf("age", "none_of", [25, 45]), "hana popo kai mute csv"),
    (leaf("age", "unknown"), "kai mute csv"),
    ({"not": leaf("age", "less_than", 25)}, "taro ming popo kai mute csv"),
    ({"all": [leaf("age", "at_least", 25), leaf("age", "less_than", 45)]}, "taro"),
    # Region, OS, language.
    (leaf("region", "is", "tw_01"), "hana popo"),
    (leaf("region", "unknown"), "ming kai mute csv"),
    (leaf("region", "none_of", ["tw_01", "tw_02"]), "taro ming kai mute csv"),
    (leaf("os", "is", "ios"), "hana kai"),
    (leaf("os", "is_not", "ios"), "taro ming popo mute csv"),
    (leaf("language", "any_of", ["ja", "en"]), "taro mute"),
    (leaf("language", "unknown"), "ming popo kai csv"),
    # Days by the shop's calendar.
    (leaf("friend_days", "less_than", 7), "hana"),
    (leaf("friend_days", "at_least", 30), "taro popo kai"),
    (leaf("friend_days", "is", 7), "ming"),
    (leaf("friend_days", "is_not", 7), "hana taro popo kai mute csv"),
    (leaf("friend_days", "unknown"), "mute csv"),
    (leaf("silent_days", "at_least", 30), "taro popo"),
    (leaf("silent_days", "less_than", 30), "hana ming kai"),
    (leaf("silent_days", "known"), "hana taro ming popo kai"),
    # Source: nobody told about popo, kai and csv, which is the source `unknown`, as ming's is.
    (leaf("source", "is", "storefront"), "hana mute"),
    (leaf("source", "is", "unknown"), "ming popo kai csv"),
    (leaf("source", "unknown"), "ming popo kai csv"),
    (leaf("source", "is_not", "storefront"), "taro ming popo kai csv"),
    (leaf("source", "any_of", ["line_pay", "unknown"]), "taro ming popo kai csv"),
    (leaf("source", "known"), "hana taro mute"),
    # Status and notifications.
    (leaf("status", "is", "blocked"), "kai"),
    (leaf("status", "is_not", "blocked"), "hana taro ming popo mute csv"),
    (leaf("status", "unknown"), "csv"),
    (leaf("opted_out", "is", True), "mute"),
    (leaf("opted_out", "is", False), "hana taro ming popo kai csv"),
    (leaf("opted_out", "is_not", True), "hana taro ming popo kai csv"),
    # Tags; kai's membership has run out.
    (leaf("tag", "is", "愛吃雙拼"), "hana taro"),
    (leaf("tag", "is_not", "愛吃雙拼"), "ming popo kai mute csv"),
    (leaf("tag", "any_of", ["會員", "客訴中"]), "hana ming"),
    (leaf("tag", "none_of", ["會員", "客訴中"]), "taro popo kai mute csv"),
    (leaf("tag", "is", "愛吃雙拼", within_days=30), "hana"),
    (leaf("tag", "known"), "hana taro ming"),
    (leaf("tag", "unknown"), "popo kai mute csv"),
    # Coupons: held by hana, run out at taro's, used by ming, taken back from popo.
    (leaf("coupon:bento20", "is", "held"), "hana"),
    (leaf("coupon:bento20", "is", "expired"), "taro"),
    (leaf("coupon:bento20", "is", "redeemed"), "ming"),
    (leaf("coupon:bento20", "is", "none"), "popo kai mute csv"),
    (leaf("coupon:bento20", "is_not", "redeemed"), "hana taro popo kai mute csv"),
    (leaf("coupon:bento20", "any_of", ["held", "expired"]), "hana taro"),
    (leaf("coupon:bento20", "none_of", ["held", "none"]), "taro ming"),
    (leaf("coupon:soup", "is", "redeemed", within_days=45), ""),
    (leaf("coupon:soup", "is", "redeemed", within_days=46), "hana"),
    # Surveys: answered by hana lately, by ming long ago.
    (leaf("survey:taste", "is", "answered"), "hana ming"),
    (leaf("survey:taste", "is", "answered", within_days=30), "hana"),
    (leaf("survey:taste", "is", "not"), "taro popo kai mute csv"),
    (leaf("survey:taste", "is_not", "answered"), "taro popo kai mute csv"),
    (leaf("survey:taste", "any_of", ["answered", "not"]), "hana taro ming popo kai mute csv"),
    # Topics: hana and mute subscribe, taro's consent has run out, ming stopped.
    (leaf("topic:menu", "is", "subscribed"), "hana mute"),
    (leaf("topic:menu", "is", "stopped"), "taro ming"),
    (leaf("topic:menu", "is", "none"), "popo kai csv"),
    (leaf("topic:menu", "is_not", "subscribed"), "taro ming popo kai csv"),
    (leaf("topic:menu", "any_of", ["subscribed", "stopped"]), "hana taro ming mute"),
    (leaf("topic:menu", "none_of", ["stopped", "none"]), "hana mute"),
    (leaf("topic:menu", "known"), "hana taro ming mute"),
    (leaf("topic:menu", "unknown"), "popo kai csv"),
    ({"not": leaf("topic:menu", "is", "subscribed")}, "taro ming popo kai csv"),
    # Facts.
    (leaf("fact:message", "known"), "hana taro"),
    (leaf("fact:message", "unknown"), "ming popo kai mute csv"),
    (leaf("fact:message", "known", within_days=30), "hana"),
    (leaf("fact:message", "known", within_days=30, at_least=2), "hana"),
    (leaf("fact:message", "known", at_least=3), "hana"),
    (leaf("fact:message", "known", within_days=30, at_least=3), ""),
    (leaf("fact:message", "at_least", 2), "hana"),
    (leaf("fact:message", "less_than", 2), "taro ming popo kai mute csv"),
    (leaf("fact:coupon.redeemed", "is", "bento20", within_days=30), "ming"),
    (leaf("fact:coupon.redeemed", "is_not", "bento20"), "hana taro popo kai mute csv"),
    (leaf("fact:coupon.redeemed", "known"), "hana ming"),
    # Purchases: hana bought three times for 1,000, taro twice for 999, popo once for 1,000 and long
    # ago; ming's was taken back.
    (leaf("purchases", "at_least", 3), "hana"),
    (leaf("purchases", "at_least", 2), "hana taro"),
    (leaf("purchases", "at_least", 2, within_days=30), "hana"),  # taro's are 3 and 30 days old
    (leaf("purchases", "less_than", 1), "ming kai mute csv"),
    (leaf("purchases", "at_least", 0), EVERYBODY),
    (leaf("spent", "at_least", 1_000), "hana popo"),
    (leaf("spent", "at_least", 1_001), ""),
    (leaf("spent", "at_least", 800, within_days=11), "hana"),
    (leaf("spent", "less_than", 999), "ming kai mute csv"),
    (
        {"all": [leaf("purchases", "at_least", 3), leaf("spent", "at_least", 1_000)]},
        "hana",
    ),
    (leaf("purchase_amount", "at_least", 500), "hana taro popo"),
    (leaf("purchase_amount", "at_least", 300, at_least=2), "hana taro"),
    (leaf("purchase_amount", "at_least", 301, at_least=2), "taro"),
    (leaf("purchase_amount", "less_than", 300), "hana"),
    (leaf("purchase_days", "at_least", 3), "taro popo"),
    (leaf("purchase_days", "less_than", 3), "hana"),
    (leaf("purchase_days", "is", 3), "taro"),
    (leaf("purchase_days", "is_not", 3), "hana ming popo kai mute csv"),
    (leaf("purchase_days", "unknown"), "ming kai mute csv"),
    (leaf("bought", "is", "便當"), "hana taro"),
    (leaf("bought", "any_of", ["湯", "茶"]), "hana popo"),
    (leaf("bought", "is_not", "便當"), "ming popo kai mute csv"),
    ({"all": [leaf("bought", "is", "便當"), leaf("bought", "is_not", "湯")]}, "taro"),
    (leaf("bought", "is", "湯", within_days=30), "hana"),
    (leaf("bought", "known"), "hana taro popo"),
    # The shop's own fields.
    (leaf("attr:allergy", "is", "花生"), "hana"),
    (leaf("attr:allergy", "is_not", "花生"), "taro ming popo kai mute csv"),
    (leaf("attr:allergy", "unknown"), "ming popo kai mute csv"),
    (leaf("attr:visits", "at_least", 5), "hana"),
    (leaf("attr:visits", "less_than", 5), "taro"),
    (leaf("attr:visits", "any_of", [3, 12]), "hana taro"),
    (leaf("attr:since", "at_least", "2026-01-01"), "hana"),
    (leaf("attr:since", "less_than", "2026-01-01"), "popo"),
    # Branches: hana and taro sent where they are, taro and ming told their home branch.
    (leaf("branch", "is", "ximen"), "hana taro"),
    (leaf("branch", "is_not", "ximen"), "ming popo kai mute csv"),
    (leaf("branch", "none_of", ["xinyi"]), "hana taro popo kai mute csv"),
    (leaf("branch", "unknown"), "popo kai mute csv"),
    (leaf("nearest_branch", "is", "xinyi"), "taro"),
    (leaf("nearest_branch", "is_not", "xinyi"), "hana ming popo kai mute csv"),
    (leaf("nearest_branch", "any_of", ["xinyi", "ximen"]), "hana taro"),
    (leaf("nearest_branch", "unknown"), "ming popo kai mute csv"),
    (leaf("branch_km", "less_than", 1), "hana"),
    (leaf("branch_km", "less_than", 1.5), "hana"),
    (leaf("branch_km", "at_least", 1.5), "taro"),
    (leaf("branch_km", "known"), "hana taro"),
    ({"not": leaf("branch_km", "less_than", 1.5)}, "taro ming popo kai mute csv"),
    # What nobody knows, in every field that can be unknown.
    (leaf("age", "known"), "hana taro ming popo"),
    (leaf("region", "known"), "hana taro popo"),
    (leaf("os", "unknown"), "ming mute csv"),
    (leaf("os", "none_of", ["ios"]), "taro ming popo mute csv"),
    (leaf("language", "is_not", "ja"), "hana ming popo kai mute csv"),
    (leaf("friend_days", "none_of", [7]), "hana taro popo kai mute csv"),
    (leaf("silent_days", "unknown"), "mute csv"),
    (leaf("silent_days", "is_not", 7), "hana taro popo kai mute csv"),
    (leaf("source", "none_of", ["storefront"]), "taro ming popo kai csv"),
    (leaf("status", "known"), "hana taro ming popo kai mute"),
    (leaf("attr:visits", "unknown"), "ming popo kai mute csv"),
    (leaf("attr:visits", "none_of", [3]), "hana ming popo kai mute csv"),
    (leaf("attr:since", "unknown"), "taro ming kai mute csv"),
    (leaf("attr:since", "is_not", "2026-01-01"), "taro ming popo kai mute csv"),
    ({"not": leaf("attr:since", "at_least", "2026-01-01")}, "taro ming popo kai mute csv"),
    # Samples: all, none, and the same friends for the same name.
    (leaf("sample", "less_than", 100), EVERYBODY),
    (leaf("sample", "at_least", 100), ""),
    (leaf("sample", "is", 0, salt="x"), ""),
    # Saved segments.
    (leaf("segment", "is", "年輕人"), "hana"),
    (leaf("segment", "is_not", "年輕人"), "taro ming popo kai mute csv"),
    (leaf("segment", "any_of", ["年輕人", "不年輕"]), "hana taro ming popo"),
    # Everything together.
    (
        {
            "all": [
                leaf("tag", "is", "愛吃雙拼"),
                {"any": [leaf("age", "less_than", 25), leaf("fact:message", "known")]},
                {"not": leaf("tag", "is", "客訴中")},
            ]
        },
        "hana taro",
    ),
    ({"not": {"any": [leaf("gender", "is", "male"), leaf("age", "unknown")]}}, "hana popo"),
]


@pytest.fixture
def shop(db: Any) -> dict[int, str]:
    staff = make_staff()
    friends = make_shop()
    for name, tree in (
        ("年輕人", {"all": [leaf("age", "less_than", 25), leaf("tag", "is_not", "客訴中")]}),
        ("不年輕", {"all": [leaf("age", "known"), {"not": leaf("segment", "is", "年輕人")}]}),
    ):
        create_segment(name, tree, staff=staff, now=NOW, wall=NOW)
    return {friend.id: name for name, friend in friends.items()}


def names(shop: dict[int, str], tree: dict[str, Any], **how: Any) -> set[str]:
    condition = segments.where(tree, now=NOW, zone=TAIPEI, **how)
    return {shop[row.id] for row in Friend.select(Friend.id).where(condition)}


def test_every_tree_picks_exactly_its_friends(shop: dict[int, str]) -> None:
    wrong = []
    for tree, expected in TABLE:
        for per_friend in (False, True):
            found = names(shop, tree, per_friend=per_friend)
            if found != set(expected.split()):
                wrong.append((tree, per_friend, sorted(found), expected))
    assert not wrong
    assert len(TABLE) >= 30


def test_every_tree_says_yes_or_no_to_everybody(shop: dict[int, str]) -> None:
    """NULL would vanish from both a condition and its opposite."""
    for tree, _expected in TABLE:
        assert names(shop, tree) | names(shop, {"not": tree}) == set(EVERYBODY.split()), tree
        assert not names(shop, tree) & names(shop, {"not": tree}), tree


def test_every_tree_has_a_sentence_and_is_written_as_it_was_read(shop: dict[int, str]) -> None:
    for tree, _expected in TABLE:
        assert segments.dump(segments.parse(tree)) == tree
        assert segments.sentence(tree)
        segments.check_names(segments.parse(tree))


def test_counting_stops_one_past_the_cap(shop: dict[int, str]) -> None:
    condition = segments.where({"all": []}, now=NOW, zone=TAIPEI)
    assert segments.count(condition) == 7
    assert segments.count(condition, cap=3) == 4
    assert segments.count(condition, cap=None) == 7


def test_what_the_shop_no_longer_has_matches_nobody(db: Any) -> None:
    friend = {make_shop()["hana"].id: "hana"}
    for tree in (
        leaf("tag", "is", "gone"),
        leaf("segment", "is", "gone"),
        leaf("coupon:gone", "is", "held"),
        leaf("topic:gone", "is", "subscribed"),
        leaf("attr:gone", "is", "x"),
        leaf("source", "is", "gone"),
    ):
        assert names(friend, tree) == set(), tree
        with pytest.raises(TreeError):
            segments.check_names(segments.parse(tree))


def test_a_segment_cannot_lead_back_to_itself(shop: dict[int, str]) -> None:
    staff = make_staff()
    young = Segment.get(Segment.name == "年輕人")
    with pytest.raises(TreeError, match="年輕人"):
        change_segment(young, leaf("segment", "is", "不年輕"), staff=staff, wall=NOW)
    # One that got in another way is refused when it is asked.
    Segment.update(tree=leaf("segment", "is", "不年輕")).where(Segment.id == young.id).execute()
    with pytest.raises(TreeError):
        names(shop, leaf("segment", "is", "年輕人"))


BAD: list[tuple[Any, tuple[str | int, ...]]] = [
    ([], ()),
    ({}, ("field",)),
    ({"all": {}}, ("all",)),
    ({"all": [], "any": []}, ()),
    ({"all": [leaf("age", "is", "25")]}, ("all", 0, "value")),
    ({"not": leaf("gender", "is", "x")}, ("not", "value")),
    (leaf("topic:menu", "is", "x"), ("value",)),
    (leaf("topic", "is", "subscribed"), ("field",)),
    (leaf("shoe_size", "is", 3), ("field",)),
    (leaf("coupon", "is", "held"), ("field",)),
    (leaf("age:x", "is", 3), ("field",)),
    (leaf("age", "like", 3), ("op",)),
    (leaf("gender", "at_least", 3), ("op",)),
    (leaf("age", "known", 3), ("value",)),
    (leaf("age", "any_of", 3), ("value",)),
    (leaf("age", "any_of", []), ("value",)),
    (leaf("age", "is"), ("value",)),
    (leaf("age", "at_least", -1), ("value",)),
    (leaf("age", "at_least", 2.5), ("value",)),
    (leaf("age", "at_least", True), ("value",)),
    (leaf("age", "is", 3, within_days=3), ("within_days",)),
    (leaf("tag", "is", "x", within_days=0), ("within_days",)),
    (leaf("tag", "is", "x", within_day=1), ("within_day",)),
    (leaf("fact:nothing", "known"), ("field",)),
    (leaf("fact:message", "is", "x"), ("op",)),
    (leaf("fact:message", "known", at_least=0), ("at_least",)),
    (leaf("sample", "less_than", 101), ("value",)),
    (leaf("purchases", "is", 3), ("op",)),
    (leaf("spent", "at_least", 9.5), ("value",)),
    (leaf("spent", "at_least", 5, at_least=2), ("at_least",)),
    (leaf("bought", "is", ""), ("value",)),
    (leaf("opted_out", "is", "yes"), ("value",)),
]


@pytest.mark.parametrize(("tree", "path"), BAD, ids=str)
def test_what_cannot_be_is_refused_with_its_place(tree: Any, path: tuple[str | int, ...]) -> None:
    with pytest.raises(TreeError) as refused:
        segments.parse(tree)
    assert refused.value.path == path
    assert str(refused.value)


def test_a_tree_may_not_be_deeper_or_wider_than_staff_can_read() -> None:
    deep: Any = {"all": []}
    for _ in range(10):
        deep = {"not": deep}
    with pytest.raises(TreeError):
        segments.parse(deep)
    with pytest.raises(TreeError):
        segments.parse({"all": [leaf("age", "known")] * 101})
