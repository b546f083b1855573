"""Random trees over random friends: the SQL agrees with a reading in plain Python."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineadmin import segments
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import (
    Branch,
    Field,
    Friend,
    FriendField,
    FriendPlace,
    FriendTag,
    Source,
    Tag,
)
from lineadmin.journal.models import Fact
from lineadmin.purchases.models import PurchaseCategory
from lineadmin.segments.models import Segment
from lineadmin.segments.sample import sample_bucket
from lineadmin.surveys.models import Survey, SurveyAnswer, SurveySending
from lineadmin.topics.models import Subscription, Topic
from tests.factories import make_friend
from tests.segments.shop import NOW, TAIPEI, bought, days_ago

TAGS = ("a", "b", "c")
SOURCES = ("door", "pay")
CATEGORIES = ("便當", "湯", "茶")
BRANCHES = ("ximen", "xinyi")
REGIONS = ("tw_01", "tw_02", "tw_22")


@dataclass
class Person:
    """What the plain reading knows of a friend; None = nobody knows."""

    gender: str | None
    birth_year: int | None
    birthday: str | None
    region: str | None
    os: str | None
    language: str | None
    joined: float | None  # days ago
    seen: float | None
    source: str | None
    status: str
    opted_out: bool
    tags: dict[str, float] = field(default_factory=dict)  # name -> days ago
    coupon: str = "none"
    survey: str = "not"
    topic: str = "none"  # or "expired", which is "stopped" in the language
    messages: list[float] = field(default_factory=list)
    allergy: str | None = None
    visits: float | None = None
    since: str | None = None
    redeemed: list[str] = field(default_factory=list)  # codes, one for each redemption
    # (days ago, TWD, category or None, taken back or cancelled since)
    purchases: list[tuple[float, int, str | None, bool]] = field(default_factory=list)
    branch: str | None = None
    near: tuple[str, int] | None = None  # the nearest branch, and metres to it
    id: int = 0


def people(count: int) -> list[Person]:
    chance = random.Random(7)

    def maybe(*values: Any) -> Any:
        return None if chance.random() < 0.25 else chance.choice(values)

    return [
        Person(
            gender=maybe("male", "female"),
            birth_year=maybe(*range(1998, 2004)),
            birthday=maybe("11-22", "11-23", "11-24", "02-29"),
            region=maybe(*REGIONS),
            os=maybe("ios", "android", "other"),
            language=maybe("zh-TW", "ja"),
            joined=maybe(*[days + 0.3 for days in range(5)], 0.49, 0.51, 1.49, 1.51),
            seen=maybe(0.1, 0.6, 1.1, 1.6, 2.1, 3.6),
            source=maybe(*SOURCES, "unknown"),
            status=chance.choice(("friend", "friend", "blocked", "unknown")),
            opted_out=chance.random() < 0.2,
            tags={tag: chance.choice((1.5, 3.5)) for tag in TAGS if chance.random() < 0.4},
            coupon=chance.choice(("none", "held", "redeemed", "expired")),
            survey=chance.choice(("answered", "not")),
            topic=chance.choice(("none", "subscribed", "stopped", "expired")),
            messages=[chance.choice((0.5, 2.5, 9.5)) for _ in range(chance.randrange(4))],
            allergy=maybe("無", "花生"),
            visits=maybe(1.0, 2.0, 3.5),
            since=maybe("2025-12-31", "2026-01-01", "2026-02-01"),
            redeemed=[chance.choice(("gift", "soup")) for _ in range(chance.randrange(3))],
            purchases=[
                (
                    chance.choice((0.2, 0.6, 1.6, 2.1, 4.4, 9.1)),
                    chance.choice((100, 200, 500)),
                    chance.choice((None, *CATEGORIES)),
                    chance.random() < 0.25,
                )
                for _ in range(chance.randrange(4))
            ],
            branch=maybe(*BRANCHES),
            near=maybe(*((code, metres) for code in BRANCHES for metres in (999, 1_000, 1_500))),
        )
        for _ in range(count)
    ]


def store(everybody: list[Person]) -> None:
    tags = {name: Tag.create(name=name, created_at=NOW) for name in TAGS}
    sources = {
        code: Source.create(code=code, name=code, created_at=NOW) for code in (*SOURCES, "unknown")
    }
    allergy = Field.create(key="allergy", name="過敏", type="choice", choices=["無", "花生"])
    visits = Field.create(key="visits", name="次數", type="number")
    since = Field.create(key="since", name="入會日", type="date")
    coupon = Coupon.create(code="gift", title="gift", benefit="gift", created_at=NOW)
    soup = Coupon.create(code="soup", title="soup", benefit="gift", created_at=NOW)
    menu = Topic.create(code="menu", name="menu", frequency="weekly", created_at=NOW)
    categories = {name: PurchaseCategory.create(name=name, created_at=NOW) for name in CATEGORIES}
    survey = Survey.create(code="taste", title="taste", link_key="0", created_at=NOW)
    sent = SurveySending.create(survey=survey, origin="broadcast", first_at=NOW)
    Segment.create(name="young", tree=YOUNG, created_at=NOW)
    places = {
        code: Branch.create(code=code, name=code, latitude=25, longitude=121, created_at=NOW)
        for code in BRANCHES
    }
    for person in everybody:
        joined = None if person.joined is None else days_ago(person.joined)
        row = make_friend(
            gender=person.gender,
            birth_year=person.birth_year,
            birthday=person.birthday,
            region=person.region,
            os=person.os,
            language=person.language or "",
            followed_at=joined,
            first_followed_at=joined,
            last_seen_at=None if person.seen is None else days_ago(person.seen),
            source=sources.get(person.source) if person.source else None,
            status=person.status,
            opted_out_at=NOW if person.opted_out else None,
            branch=places.get(person.branch) if person.branch else None,
        )
        person.id = row.id
        if person.near is not None:
            FriendPlace.create(
                friend=row,
                latitude=25,
                longitude=121,
                sent_at=NOW,
                nearest=places[person.near[0]],
                metres=person.near[1],
                map_version=1,
            )
        for name, days in person.tags.items():
            FriendTag.create(friend=row, tag=tags[name], at=days_ago(days))
        for days in person.messages:
            Fact.create(friend_id=row.id, kind="message", at=days_ago(days), handled_at=NOW)
        for code in person.redeemed:
            about = {"gift": coupon, "soup": soup}[code].id
            Fact.create(
                friend_id=row.id,
                kind="coupon.redeemed",
                object_id=about,
                at=days_ago(1),
                handled_at=NOW,
            )
        if person.survey == "answered":
            SurveyAnswer.create(
                survey=survey, friend_id=row.id, sending=sent, revision=1, month=202611, at=NOW
            )
        if person.coupon != "none":
            CouponIssue.create(
                coupon=coupon,
                friend_id=row.id,
                token=f"t{row.id}",
                code=f"c{row.id}",
                issued_at=days_ago(5),
                redeemed_at=NOW if person.coupon == "redeemed" else None,
                expires_at=days_ago(1) if person.coupon == "expired" else None,
            )
        if person.topic != "none":
            Subscription.create(
                topic=menu,
                friend_id=row.id,
                state="stopped" if person.topic == "stopped" else "subscribed",
                wording_version=1,
                since=days_ago(5),
                until=days_ago(1) if person.topic == "expired" else None,
            )
        for days, amount, category, gone in person.purchases:
            bought(row, days, amount, categories.get(category or ""), gone=gone)
        if person.allergy is not None:
            FriendField.create(friend=row, field=allergy, text=person.allergy, at=NOW)
        if person.since is not None:
            FriendField.create(friend=row, field=since, text=person.since, at=NOW)
        if person.visits is not None:
            FriendField.create(friend=row, field=visits, number=person.visits, at=NOW)


def age(person: Person) -> int | None:
    if person.birth_year is None:
        return None
    had_birthday = person.birthday is None or person.birthday <= "11-23"
    return 2026 - person.birth_year - (0 if had_birthday else 1)


def calendar_days(days: float | None) -> int | None:
    if days is None:
        return None
    then = (NOW - timedelta(days=days)).astimezone(TAIPEI).date()
    return (NOW.date() - then).days


def truth(tree: dict[str, Any], person: Person) -> bool:
    """The plain reading of design 1.5."""
    if "all" in tree:
        return all(truth(item, person) for item in tree["all"])
    if "any" in tree:
        return any(truth(item, person) for item in tree["any"])
    if "not" in tree:
        return not truth(tree["not"], person)
    name, op, value = tree["field"], tree["op"], tree.get("value")
    if name == "tag":
        return tag_truth(tree, person)
    if name == "segment":
        inside = truth(YOUNG, person)
        return inside == (op in ("is", "any_of"))
    if name == "fact:coupon.redeemed":
        wanted = value if isinstance(value, list) else [value]
        met = sum(code in wanted for code in person.redeemed) >= tree.get("at_least", 1)
        return met == (op in ("is", "any_of"))
    if name == "fact:message":
        recent = [
            days
            for days in person.messages
            if "within_days" not in tree or days < tree["within_days"]
        ]
        if op in ("known", "unknown"):
            return (len(recent) >= tree.get("at_least", 1)) == (op == "known")
        return (len(recent) >= value) == (op == "at_least")
    if name in ("purchases", "purchase_amount", "spent", "purchase_days", "bought"):
        return purchase_truth(tree, person)
    if name == "sample":
        return (sample_bucket(person.id, tree.get("salt")) < value * 100) == (op == "less_than")
    if name == "status" and op in ("is", "is_not"):
        return (person.status == value) == (op == "is")
    if name == "opted_out":
        return (person.opted_out == value) == (op == "is")
    if name == "source" and value is not None:
        code = person.source or "unknown"
        values = value if isinstance(value, list) else [value]
        return (code in values) == (op in ("is", "any_of"))
    if name == "topic:menu":
        state = "stopped" if person.topic == "expired" else person.topic
        if op in ("known", "unknown"):
            return (state != "none") == (op == "known")
        return (state in (value if isinstance(value, list) else [value])) == (
            op in ("is", "any_of")
        )
    actual: Any = {
        "gender": person.gender,
        "age": age(person),
        "region": person.region,
        "os": person.os,
        "language": person.language,
        "friend_days": calendar_days(person.joined),
        "silent_days": calendar_days(person.seen),
        "source": None if person.source == "unknown" else person.source,
        "coupon:gift": person.coupon,
        "survey:taste": person.survey,
        "attr:allergy": person.allergy,
        "attr:visits": person.visits,
        "attr:since": person.since,
        "branch": person.branch,
        "nearest_branch": person.near and person.near[0],
        "branch_km": person.near and person.near[1] / 1000,
    }[name]
    if actual is None:
        return op in ("unknown", "is_not", "none_of")
    match op:
        case "known":
            return True
        case "unknown":
            return False
        case "is":
            return bool(actual == value)
        case "is_not":
            return bool(actual != value)
        case "any_of":
            return actual in value
        case "none_of":
            return actual not in value
        case "at_least":
            return bool(actual >= value)
        case _:
            return bool(actual < value)


def purchase_truth(tree: dict[str, Any], person: Person) -> bool:
    name, op, value = tree["field"], tree["op"], tree.get("value")
    mine = [
        (days, amount, category)
        for days, amount, category, gone in person.purchases
        if not gone and ("within_days" not in tree or days < tree["within_days"])
    ]
    if name == "purchases":
        return (len(mine) >= value) == (op == "at_least")
    if name == "spent":
        return (sum(amount for _d, amount, _c in mine) >= value) == (op == "at_least")
    if name == "purchase_amount":
        fits = [amount for _d, amount, _c in mine if (amount >= value) == (op == "at_least")]
        return len(fits) >= tree.get("at_least", 1)
    if name == "bought":
        what = {category for _d, _a, category in mine if category is not None}
        if op in ("known", "unknown"):
            return bool(what) == (op == "known")
        wanted = value if isinstance(value, list) else [value]
        return bool(what & set(wanted)) == (op in ("is", "any_of"))
    last = calendar_days(min((days for days, _a, _c in mine), default=None))
    if last is None:
        return op in ("unknown", "is_not", "none_of")
    wanted = value if isinstance(value, list) else [value]
    answers = {
        "known": True,
        "unknown": False,
        "is": last in wanted,
        "any_of": last in wanted,
        "is_not": last not in wanted,
        "none_of": last not in wanted,
    }
    if op in answers:
        return answers[op]
    return bool(last >= value) if op == "at_least" else bool(last < value)


def tag_truth(tree: dict[str, Any], person: Person) -> bool:
    has = {
        name
        for name, days in person.tags.items()
        if "within_days" not in tree or days < tree["within_days"]
    }
    match tree["op"]:
        case "known":
            return bool(has)
        case "unknown":
            return not has
        case "is":
            return tree["value"] in has
        case "is_not":
            return tree["value"] not in has
        case "any_of":
            return bool(has & set(tree["value"]))
        case _:
            return not has & set(tree["value"])


def asked(name: str, values: st.SearchStrategy[Any], *ops: str) -> st.SearchStrategy[Any]:
    shapes = []
    for op in ops:
        if op in ("known", "unknown"):
            shapes.append(st.just({"field": name, "op": op}))
        elif op in ("any_of", "none_of"):
            lists = st.lists(values, min_size=1, max_size=2)
            shapes.append(
                st.fixed_dictionaries({"field": st.just(name), "op": st.just(op), "value": lists})
            )
        else:
            shapes.append(
                st.fixed_dictionaries({"field": st.just(name), "op": st.just(op), "value": values})
            )
    return st.one_of(shapes)


YOUNG = {"any": [{"field": "age", "op": "less_than", "value": 25}]}
WORDS = ("is", "is_not", "any_of", "none_of", "known", "unknown")
NUMBERS = (*WORDS, "at_least", "less_than")
often = st.fixed_dictionaries({}, optional={"at_least": st.sampled_from((1, 2))})
DAYS = ("2025-12-31", "2026-01-01", "2026-01-15")
within = st.fixed_dictionaries({}, optional={"within_days": st.sampled_from((2, 5))})
LEAVES = st.one_of(
    asked("segment", st.just("young"), *WORDS[:4]),
    asked("attr:since", st.sampled_from(DAYS), *NUMBERS),
    st.builds(
        lambda leaf, more: {**leaf, **more},
        asked("fact:coupon.redeemed", st.sampled_from(("gift", "soup")), *WORDS[:4]),
        often,
    ),
    asked("gender", st.sampled_from(("male", "female")), *WORDS),
    asked("age", st.integers(22, 29), *NUMBERS),
    asked("region", st.sampled_from(REGIONS), *WORDS),
    asked("os", st.sampled_from(("ios", "android", "other")), *WORDS),
    asked("language", st.sampled_from(("zh-TW", "ja", "en")), *WORDS),
    asked("friend_days", st.integers(0, 5), *NUMBERS),
    asked("silent_days", st.integers(0, 5), *NUMBERS),
    asked("source", st.sampled_from((*SOURCES, "unknown")), *WORDS),
    asked("branch", st.sampled_from(BRANCHES), *WORDS),
    asked("nearest_branch", st.sampled_from(BRANCHES), *WORDS),
    asked("branch_km", st.sampled_from((0.5, 1, 1.5)), *NUMBERS[4:]),
    asked("status", st.sampled_from(("friend", "blocked", "unknown")), "is", "is_not"),
    asked("opted_out", st.booleans(), "is", "is_not"),
    asked("survey:taste", st.sampled_from(("answered", "not")), *WORDS[:4]),
    asked("coupon:gift", st.sampled_from(("held", "redeemed", "expired", "none")), *WORDS[:4]),
    asked("topic:menu", st.sampled_from(("subscribed", "stopped", "none")), *WORDS),
    asked("attr:allergy", st.sampled_from(("無", "花生")), *WORDS),
    asked("attr:visits", st.sampled_from((1, 2, 3.5)), *NUMBERS),
    asked("sample", st.integers(0, 100), "less_than", "at_least"),
    st.builds(
        lambda leaf, more: {**leaf, **more}, asked("tag", st.sampled_from(TAGS), *WORDS), within
    ),
    st.builds(
        lambda leaf, more: {**leaf, **more},
        asked("fact:message", st.integers(0, 3), "known", "unknown", "at_least", "less_than"),
        within,
    ),
)
BUYING = st.one_of(
    st.builds(
        lambda leaf, more: {**leaf, **more},
        st.one_of(
            asked("purchases", st.integers(0, 3), "at_least", "less_than"),
            asked("spent", st.sampled_from((0, 100, 300, 700)), "at_least", "less_than"),
            asked("purchase_amount", st.sampled_from((0, 200, 201)), "at_least", "less_than"),
            asked("bought", st.sampled_from(CATEGORIES), *WORDS),
        ),
        within,
    ),
    st.builds(
        lambda leaf, more: {**leaf, **more},
        asked("purchase_amount", st.sampled_from((200, 500)), "at_least", "less_than"),
        often,
    ),
    asked("purchase_days", st.integers(0, 5), *NUMBERS),
)
LEAVES = st.one_of(LEAVES, BUYING)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)


@pytest.fixture
def everybody(db: Any) -> list[Person]:
    made = people(60)
    store(made)
    return made


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(tree=TREES, per_friend=st.booleans())
def test_sql_agrees_with_a_plain_reading(
    everybody: list[Person], tree: dict[str, Any], per_friend: bool
) -> None:
    condition = segments.where(tree, now=NOW, zone=TAIPEI, per_friend=per_friend)
    found = {row.id for row in Friend.select(Friend.id).where(condition)}
    assert found == {person.id for person in everybody if truth(tree, person)}
    assert segments.sentence(tree)


def test_a_sample_is_stable_fair_and_its_own_for_every_salt(db: Any) -> None:
    numbers = range(1, 20_001)
    spring = {n for n in numbers if sample_bucket(n, "spring") < 1_000}
    autumn = {n for n in numbers if sample_bucket(n, "autumn") < 1_000}
    assert 1_800 < len(spring) < 2_200
    assert 120 < len(spring & autumn) < 280  # a tenth of a tenth, as if thrown anew
    assert sample_bucket(1, "spring") == 1746
    assert sample_bucket(2_147_483_647, 7) == 4593
