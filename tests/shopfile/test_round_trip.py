"""Whatever a shop is called and says: what is dumped loads into another shop as the same."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from lineadmin import shopfile
from lineadmin.db import atomic

TRICKY = st.sampled_from(
    ["yes", "null", "~", "1_000", "0x1F", "21:00", "2026-11-23", "- x", "a: b", "#tag", "'", '"']
)
WORDS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Co", "Cn")),
    min_size=1,
    max_size=12,
)
NAMES = (
    (TRICKY | WORDS)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: text and "|" not in text)
)
LINES = st.lists(TRICKY | WORDS, min_size=1, max_size=3).map("\n".join)
TEXTS = LINES.filter(lambda text: text.strip() and "{" not in text and "}" not in text)
CODES = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda at: f"{at[0]:02}:{at[1]:02}")
DAYS = st.dates(date(2027, 1, 1), date(2999, 12, 31)).map(lambda day: day.isoformat())
MESSAGES = st.lists(st.fixed_dictionaries({"text": TEXTS}), min_size=1, max_size=3)


def by(key: str, items: Any) -> Any:
    """A list in which every `key` stands once, in whatever letters."""
    return st.lists(items, max_size=3, unique_by=lambda item: item[key])


AGE = st.fixed_dictionaries(
    {"field": st.just("age"), "op": st.just("less_than"), "value": st.integers(1, 120)}
)
TREES = st.recursive(
    AGE,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: {"all": items})
        | st.lists(inner, max_size=3).map(lambda items: {"any": items})
        | inner.map(lambda item: {"not": item})
    ),
    max_leaves=5,
)
BENEFITS = (
    st.integers(1, 100).map(lambda value: {"type": "percent", "value": value})
    | st.integers(1, 5000).map(lambda value: {"type": "amount", "value": value})
    | NAMES.map(lambda text: {"type": "gift", "text": text})
)
VALID = (
    st.none()
    | st.integers(0, 366).map(lambda days: {"days": days})
    | DAYS.map(lambda day: {"until": day})
    | DAYS.map(lambda day: {"from": day})
)
STEPS = st.lists(
    st.fixed_dictionaries(
        {"after_days": st.integers(1, 30), "at": CLOCKS, "messages": MESSAGES},
        optional={"weekday": st.sampled_from(["mon", "sun"])},
    ),
    min_size=1,
    max_size=3,
)
PLANS = st.fixed_dictionaries(
    {"name": NAMES, "included": st.integers(0, 9_000), "fee": st.sampled_from([0.0, 800.0])},
    optional={
        "tiers": st.sampled_from(
            [[], [{"up_to": None, "price": 0.2}], [{"up_to": 100, "price": 0.2}]]
        )
    },
)
FILES = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "shop": st.fixed_dictionaries(
            {"name": NAMES | st.just(""), "undo_minutes": st.integers(0, 60)},
            optional={
                "cap": st.fixed_dictionaries(
                    {"messages": st.integers(1, 9), "days": st.integers(1, 9)}
                ),
                "plan": PLANS,
                "plans": by("name", PLANS),
                "reserve_messages": st.integers(0, 900),
                "approval": st.none()
                | st.fixed_dictionaries({"recipients": st.integers(0, 9), "twd": st.none()}),
            },
        ),
        "tags": by("name", st.fixed_dictionaries({"name": NAMES})),
        "sources": by("code", st.fixed_dictionaries({"code": CODES, "name": NAMES})),
        "fields": by(
            "key",
            st.fixed_dictionaries(
                {
                    "key": CODES.map(lambda key: f"x_{key}"),
                    "name": NAMES,
                    "type": st.just("choice"),
                    "choices": st.lists(NAMES, min_size=1, max_size=3, unique=True),
                }
            ),
        ),
        "segments": by("name", st.fixed_dictionaries({"name": NAMES, "where": TREES})),
        "coupons": by(
            "code",
            st.fixed_dictionaries(
                {"code": CODES, "title": NAMES, "benefit": BENEFITS, "valid": VALID},
                optional={"stock": st.none() | st.integers(0, 99), "terms": TEXTS},
            ),
        ),
        "greeting": st.fixed_dictionaries({"messages": MESSAGES, "returning": MESSAGES}),
        "replies": by(
            "name",
            st.fixed_dictionaries(
                {
                    "name": NAMES,
                    "keywords": st.lists(
                        st.sampled_from(["菜單", "menu", "1"]), min_size=1, unique=True
                    ),
                    "match": st.sampled_from(["exact", "contains"]),
                    "messages": MESSAGES,
                }
            ),
        ),
        "sequences": by(
            "name",
            st.fixed_dictionaries(
                {
                    "name": NAMES,
                    "enabled": st.booleans(),
                    "trigger": st.just({"follow": "any"}),
                    "branches": STEPS.map(lambda steps: [{"steps": steps}]),
                }
            ),
        ),
        "broadcasts": by(
            "name",
            st.fixed_dictionaries(
                {
                    "name": NAMES,
                    "to": TREES,
                    "messages": MESSAGES,
                    "state": st.sampled_from(["draft", "sent", "scheduled", "held", "canceled"]),
                },
                optional={
                    "variants": st.just([[{"text": "另一個版本，誰都沒有這樣寫"}]]),
                    "service": st.booleans(),
                    "holdout_percent": st.integers(0, 50),
                },
            ),
        ),
    }
)


class _TakeBack(Exception):
    pass


def in_an_empty_shop(what: Callable[[], Any]) -> Any:
    """The answer of `what`, whose changes are taken back."""
    answer: list[Any] = []
    try:
        with atomic():
            answer.append(what())
            raise _TakeBack
    except _TakeBack:
        return answer[0]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(FILES)
def test_what_is_dumped_loads_into_another_shop_as_the_same(
    load: Any, file: dict[str, Any]
) -> None:
    out = io.StringIO()
    YAML().dump(file, out)

    def first() -> tuple[str, Any]:
        load(out.getvalue())
        dumped = shopfile.dump()
        again = load(dumped)
        assert (again.created, again.changed) == ([], [])
        return dumped, shopfile.as_data()

    def second() -> tuple[str, Any]:
        load(dumped)
        return shopfile.dump(), shopfile.as_data()

    dumped, data = in_an_empty_shop(first)
    assert in_an_empty_shop(second) == (dumped, data)
    for section in ("tags", "sources", "segments", "coupons", "replies", "sequences", "broadcasts"):
        assert len(data[section]) == len(file[section]), section
