"""What a definition may say, and in which words and at which place it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from lineadmin.coupons.models import Coupon
from lineadmin.sequences.definition import (
    EMPTY,
    DefinitionError,
    cumulative_days,
    dump,
    parse,
)
from lineadmin.sequences.problems import problems
from tests.sequences.stage import at, step

NOW = at("2026-11-23")
YOUNG = {"field": "age", "op": "less_than", "value": 25}


def whole(*steps: Any, **more: Any) -> dict[str, Any]:
    return {"trigger": {"follow": "any"}, "branches": [{"steps": list(steps)}], **more}


def split(count: int, *, rest: bool = True) -> dict[str, Any]:
    branches: list[dict[str, Any]] = [
        {"name": str(number), "where": YOUNG, "steps": [step()]} for number in range(count)
    ]
    if rest:
        branches.append({"name": "rest", "otherwise": True, "steps": [step()]})
    return {"trigger": {"follow": "any"}, "branches": branches}


def test_what_is_read_is_written_the_same() -> None:
    for raw in (
        dump(EMPTY),
        whole(step(1), step(30, "23:59", weekday="sun")),
        whole(step(), trigger={"follow": ["storefront"]}),
        whole(step(), trigger={"tag_added": "VIP"}),
        whole(step(), trigger={"coupon_redeemed": "bento20"}),
        whole(step(), trigger={"segment": "年輕人"}),
        whole(step(), trigger={"manual": True}),
        whole(step(), trigger={"date": {"field": "birthday", "offset_days": -7}}),
        whole(step(), decide="first_step", stop=YOUNG),
        split(4),
    ):
        assert dump(parse(raw)) == raw


def test_the_limits_are_inside() -> None:
    parse(whole(*[step(30)] * 10))
    parse(whole(step(1)))
    parse(split(4))
    assert cumulative_days(parse(whole(*[step(30)] * 10)).branches[0].steps)[-1] == 300


BAD: list[tuple[Any, tuple[str | int, ...]]] = [
    ([], ()),
    ({"trigger": {"follow": "any"}}, ("branches",)),
    (whole(step(), extra=1), ("extra",)),
    (whole(step(), trigger={}), ("trigger",)),
    (whole(step(), trigger={"follow": []}), ("trigger", "follow")),
    (whole(step(), trigger={"follow": "all"}), ("trigger", "follow")),
    (whole(step(), trigger={"birthday": 1}), ("trigger", "birthday")),
    (whole(step(), trigger={"tag_added": ""}), ("trigger", "tag_added")),
    (whole(step(), trigger={"manual": False}), ("trigger", "manual")),
    (whole(step(), trigger={"date": "birthday"}), ("trigger", "date")),
    (whole(step(), trigger={"date": {"offset_days": 1}}), ("trigger", "date", "field")),
    *(
        (
            whole(step(), trigger={"date": {"field": "birthday", "offset_days": days}}),
            ("trigger", "date", "offset_days"),
        )
        for days in (366, -366, 1.5, "", True)
    ),
    (whole(step(), decide="later"), ("decide",)),
    (whole(step(), stop={"field": "age"}), ("stop", "op")),
    (whole(*[step()] * 11), ("branches", 0, "steps", 10)),
    *(
        (whole(step(days)), ("branches", 0, "steps", 0, "after_days"))
        for days in (0, 31, -1, 1.5, "", "1", None, True)
    ),
    *(
        (whole(step(1, clock)), ("branches", 0, "steps", 0, "at"))
        for clock in ("", "24:00", "9:00", "09:60", "noon")
    ),
    (whole(step(weekday="monday")), ("branches", 0, "steps", 0, "weekday")),
    (whole(step(messages=[{"txt": "x"}])), ("branches", 0, "steps", 0, "messages", 0, "txt")),
    (whole({"at": "10:00", "messages": []}), ("branches", 0, "steps", 0, "after_days")),
    (split(5), ("branches", 5)),
    (split(2, rest=False), ("branches", 1)),
    (split(1, rest=False), ("branches", 0, "where")),
    (
        {"trigger": {"follow": "any"}, "branches": [{"where": {"field": "age"}, "steps": []}]},
        ("branches", 0, "where", "op"),
    ),
    ({"trigger": {"follow": "any"}, "branches": []}, ("branches",)),
]


@pytest.mark.parametrize(("raw", "path"), BAD, ids=str)
def test_what_cannot_be_is_refused_at_its_place(raw: Any, path: tuple[str | int, ...]) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(raw)
    assert refused.value.path == path
    assert str(refused.value)


def problem_list(raw: Any) -> list[tuple[tuple[str | int, ...], str]]:
    found = problems(parse(raw), now=NOW, public_url="https://shop.example")
    return [(problem.path, problem.sentence) for problem in found]


def test_a_draft_without_messages_can_be_kept_but_not_published(db: Any) -> None:
    found = problem_list(whole(step(messages=[])))
    assert [path for path, _sentence in found] == [("branches", 0, "steps", 0, "messages")]
    assert problem_list(whole(step())) == []
    assert [path for path, _ in problem_list(whole())] == [("branches", 0, "steps")]


def test_a_coupon_must_exist_and_live_until_its_step(db: Any) -> None:
    gift = [{"coupon": "gift"}]
    assert problem_list(whole(step(messages=gift)))
    Coupon.create(
        code="gift",
        title="見面禮",
        benefit="gift",
        created_at=NOW,
        valid_until=at("2026-11-30", "00:00"),
    )
    assert problem_list(whole(step(6, messages=gift))) == []
    late = problem_list(whole(step(3), step(4, messages=gift)))
    assert [path for path, _sentence in late] == [("branches", 0, "steps", 1, "messages")]
    assert "見面禮" in late[0][1]


def test_what_a_trigger_names_must_exist(db: Any) -> None:
    for trigger in (
        {"follow": ["gone"]},
        {"tag_added": "gone"},
        {"coupon_redeemed": "gone"},
        {"segment": "gone"},
        {"date": {"field": "gone"}},
    ):
        found = problem_list(whole(step(), trigger=trigger))
        assert [path for path, _sentence in found] == [("trigger",)]
    for trigger in ({"follow": ["unknown"]}, {"manual": True}, {"date": {"field": "birthday"}}):
        assert problem_list(whole(step(), trigger=trigger)) == []
    gone = {"field": "tag", "op": "is", "value": "gone"}
    assert [path for path, _ in problem_list(whole(step(), stop=gone))] == [("stop",)]
