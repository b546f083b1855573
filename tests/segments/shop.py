"""A small shop of friends about whom little, much or nothing is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

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
from lineadmin.purchases.models import Purchase, PurchaseCategory, PurchaseLine
from lineadmin.surveys.models import Survey, SurveyAnswer, SurveySending
from lineadmin.topics.models import Subscription, Topic
from tests.factories import make_friend

TAIPEI = ZoneInfo("Asia/Taipei")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=TAIPEI)
CATEGORIES = ("便當", "湯", "茶")
TAGS = ("愛吃雙拼", "客訴中", "會員")
SOURCES = ("storefront", "line_pay", "unknown")


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def make_shop() -> dict[str, Friend]:
    """Seven friends by name; whoever is missing in a list below is unknown there."""
    for name in TAGS:
        Tag.create(name=name, created_at=days_ago(300))
    for code in SOURCES:
        Source.create(code=code, name=code, created_at=days_ago(300))
    Field.create(key="allergy", name="過敏", type="choice", choices=["無", "花生"])
    Field.create(key="visits", name="來店次數", type="number")
    Field.create(key="since", name="入會日", type="date")
    for code in ("bento20", "soup"):
        Coupon.create(code=code, title=code, benefit="percent", created_at=days_ago(300))
    survey = Survey.create(code="taste", title="口味", link_key="0", created_at=days_ago(300))
    sent = SurveySending.create(survey=survey, origin="broadcast", first_at=days_ago(300))
    friends = {
        "hana": _friend(
            "hana",
            gender="female",
            birth_year=2001,
            birthday="11-24",  # 25 tomorrow
            region="tw_01",
            os="ios",
            language="zh-TW",
            source="storefront",
            joined=2,
            seen=0,
        ),
        "taro": _friend(
            "taro",
            gender="male",
            birth_year=2001,
            birthday="11-23",  # 25 today
            region="tw_06",
            os="android",
            language="ja",
            source="line_pay",
            joined=40,
            seen=31,
        ),
        "ming": _friend("ming", gender="male", birth_year=1981, source="unknown", joined=7, seen=7),
        "popo": _friend("popo", birth_year=1950, region="tw_01", os="other", joined=400, seen=90),
        "kai": _friend("kai", status="blocked", gender="male", os="ios", joined=30, seen=29),
        "mute": _friend("mute", opted_out_at=days_ago(1), language="en", source="storefront"),
        "csv": _friend("csv", status="unknown", followed_at=None, last_seen_at=None),
    }
    _tag(friends["hana"], "愛吃雙拼", 1)
    _tag(friends["hana"], "會員", 100)
    _tag(friends["taro"], "愛吃雙拼", 50)
    _tag(friends["ming"], "客訴中", 3)
    _tag(friends["kai"], "會員", 5, until=days_ago(1))  # has run out
    _field(friends["hana"], "allergy", text="花生")
    _field(friends["taro"], "allergy", text="無")
    _field(friends["hana"], "visits", number=12.0)
    _field(friends["taro"], "visits", number=3.0)
    _field(friends["popo"], "since", text="2020-05-01")
    _field(friends["hana"], "since", text="2026-01-01")
    _issue(friends["hana"], "bento20", 5, expires=-2)  # still good for two days
    _issue(friends["taro"], "bento20", 20, expires=13)  # ran out
    _issue(friends["ming"], "bento20", 9, expires=2, redeemed=3)
    _issue(friends["popo"], "bento20", 9, expires=2, voided=8)
    _issue(friends["hana"], "soup", 50, expires=43, redeemed=45)
    _fact(friends["hana"], "message", 1)
    _fact(friends["hana"], "message", 6)
    _fact(friends["hana"], "message", 40)
    _fact(friends["taro"], "message", 31)
    _fact(friends["ming"], "coupon.redeemed", 3, Coupon.get(Coupon.code == "bento20").id)
    _fact(friends["hana"], "coupon.redeemed", 45, Coupon.get(Coupon.code == "soup").id)
    near = {
        code: Branch.create(
            code=code, name=code, latitude=25, longitude=121.5, created_at=days_ago(300)
        )
        for code in ("ximen", "xinyi")
    }
    for name, code, metres in (("hana", "ximen", 900), ("taro", "xinyi", 1_500)):
        FriendPlace.create(
            friend=friends[name],
            latitude=25,
            longitude=121.5,
            sent_at=days_ago(1),
            nearest=near[code],
            metres=metres,
            map_version=1,
        )
    for name, code in (("hana", "ximen"), ("taro", "ximen"), ("ming", "xinyi")):
        Friend.update(branch=near[code]).where(Friend.id == friends[name].id).execute()
    menu = Topic.create(code="menu", name="每週菜單", frequency="weekly", created_at=NOW)
    for name, state, until in (
        ("hana", "subscribed", None),
        ("taro", "subscribed", days_ago(1)),  # has run out
        ("ming", "stopped", None),
        ("mute", "subscribed", days_ago(-30)),
    ):
        Subscription.create(
            topic=menu,
            friend_id=friends[name].id,
            state=state,
            wording_version=1,
            since=days_ago(9),
            until=until,
        )
    goods = {
        name: PurchaseCategory.create(name=name, created_at=days_ago(300)) for name in CATEGORIES
    }
    for days, amount, category in ((1, 500, "便當"), (10, 300, "湯"), (40, 200, "便當")):
        bought(friends["hana"], days, amount, goods[category])
    bought(friends["taro"], 3, 500, goods["便當"])
    bought(friends["taro"], 30, 499, None)
    bought(friends["ming"], 2, 9_000, goods["湯"], gone=True)  # taken back
    bought(friends["popo"], 100, 1_000, goods["湯"])
    for name, days in (("hana", 2), ("ming", 40)):
        SurveyAnswer.create(
            survey=survey,
            friend_id=friends[name].id,
            sending=sent,
            revision=1,
            month=202611,
            at=days_ago(days),
        )
    return friends


def _friend(
    name: str, joined: float | None = None, seen: float | None = None, **fields: Any
) -> Friend:
    if joined is not None:
        fields["followed_at"] = fields["first_followed_at"] = days_ago(joined)
    else:
        fields.setdefault("followed_at", None)
    fields["last_seen_at"] = None if seen is None else days_ago(seen)
    if "source" in fields:
        fields["source"] = Source.get(Source.code == fields["source"])
    return make_friend(name, **fields)


def _tag(friend: Friend, name: str, days: float, until: datetime | None = None) -> None:
    tag = Tag.get(Tag.name == name)
    FriendTag.create(friend=friend, tag=tag, at=days_ago(days), until=until)


def _field(friend: Friend, key: str, **value: Any) -> None:
    FriendField.create(friend=friend, field=Field.get(Field.key == key), at=NOW, **value)


def _issue(
    friend: Friend,
    code: str,
    days: float,
    *,
    expires: float | None = None,
    redeemed: float | None = None,
    voided: float | None = None,
) -> None:
    mark = f"{code}-{friend.id}"
    CouponIssue.create(
        coupon=Coupon.get(Coupon.code == code),
        friend_id=friend.id,
        token=mark,
        code=mark[:16],
        issued_at=days_ago(days),
        expires_at=None if expires is None else days_ago(expires),
        redeemed_at=None if redeemed is None else days_ago(redeemed),
        voided_at=None if voided is None else days_ago(voided),
    )


def _fact(friend: Friend, kind: str, days: float, object_id: int = 0) -> None:
    Fact.create(
        friend_id=friend.id, kind=kind, object_id=object_id, at=days_ago(days), handled_at=NOW
    )


def bought(
    friend: Friend, days: float, amount: int, category: Any = None, *, gone: bool = False
) -> None:
    """A purchase of one line; `gone`: it was taken back since."""
    row = Purchase.create(
        receipt_no=f"R{friend.id}-{Purchase.select().count()}",
        friend=friend,
        at=days_ago(days),
        amount=amount,
        status="done",
        origin="staff",
        recorded_at=NOW,
        uncounted_at=NOW if gone else None,
    )
    PurchaseLine.create(
        purchase=row,
        category=category,
        friend_id=friend.id,
        at=row.at,
        uncounted_at=row.uncounted_at,
    )
