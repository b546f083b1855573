"""Loading adds and changes, deletes nothing, and leaves alone what the file does not say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lineadmin import settings, shopfile
from lineadmin.broadcasts import states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Field, FriendField, Source, Tag
from lineadmin.outbox.models import Delivery
from lineadmin.replies import greeting
from lineadmin.replies.models import ReplyRule
from lineadmin.sequences.models import Sequence, SequenceVersion
from lineadmin.shopfile import ShopFileError
from lineadmin.shopfile.errors import ShopFileErrors
from lineadmin.staff.models import Audit
from tests.broadcasts.stage import confirm, draft
from tests.conftest import NOON, MovableClock
from tests.factories import make_friend, make_staff

DEMO = Path(shopfile.__file__).parent / "demo.yaml"
WHOLE = """
version: 1
shop: {name: 熊大便當, timezone: Asia/Taipei, quiet_hours: {from: "21:00", until: "09:00"},
       plan: {name: 中用量, included: 3000, extra_price: null}, cap: {messages: 3, days: 7}, undo_minutes: 5}
tags:     [{name: 愛吃雙拼, color: "#e07a2f", kind: static}, {name: 客訴中, color: "#b3261e", kind: static}]
fields:   [{key: allergy, name: 過敏, type: choice, choices: [無, 花生]}]
sources:  [{code: storefront, name: 門市 QR}, {code: line_pay, name: LINE Pay}]
segments:
  - name: 年輕人
    where: {all: [{field: age, op: less_than, value: 25}, {not: {field: tag, op: is, value: 客訴中}}]}
coupons:
  - {code: bento20, title: 雙拼便當 8 折, benefit: {type: percent, value: 20}, minimum_spend: 100,
     valid: {days: 7}, stock: 500, per_friend: 1, redeem: staff}
greeting: {messages: [{text: "歡迎 {name}！"}, {coupon: bento20}], returning: [{text: 歡迎回來！}]}
replies:  [{keywords: [菜單, menu], match: exact, priority: 10, messages: [{text: 便當}], add_tags: []}]
sequences:
  - name: 新好友四週養成
    enabled: true
    period: {from: 2026-11-01, until: 2027-01-31}
    trigger: {follow: [storefront, line_pay]}
    branches:
      - {name: 25 歲以下, where: {field: age, op: less_than, value: 25},
         steps: [{after_days: 1, at: "10:00", messages: [{text: "{name|朋友} 週一快樂！"}, {coupon: bento20}]}]}
      - {name: 其他好友, otherwise: true, steps: [{after_days: 3, at: "10:00", weekday: mon, messages: [{text: 嗨}]}]}
broadcasts:
  - {name: 週一雙拼, to: {segment: 年輕人}, at: "2026-11-30T11:30:00+08:00", messages: [{text: 嗨}], holdout_percent: 0, state: scheduled}
"""  # noqa: E501


def test_the_file_of_the_manual_is_loaded_and_twice_is_the_same_as_once(load: Any) -> None:
    first = load(WHOLE)
    assert len(first.created) == 10
    audited = Audit.select().count()
    second = load(WHOLE)
    assert (second.created, second.changed) == ([], [])
    assert second.unchanged == 12
    assert Audit.select().count() == audited
    shop = settings.shop()
    assert (shop.quiet_from, shop.plan_included, shop.cap_days) == ("21:00", 3000, 7)
    assert SequenceVersion.select().count() == 1
    assert Sequence.get().enabled
    assert Broadcast.get().state == "scheduled"


@pytest.mark.parametrize("text", [WHOLE, DEMO.read_text(encoding="utf-8")], ids=["whole", "demo"])
def test_a_dump_loads_again_without_a_change(load: Any, text: str) -> None:
    load(text)
    dumped = shopfile.dump()
    report = load(dumped)
    assert (report.created, report.changed) == ([], [])
    assert shopfile.dump() == dumped
    assert '"21:00"' in dumped, "a plain 21:00 is 1260 to older YAML"


def test_absent_is_left_alone_and_null_switches_off(load: Any) -> None:
    load(WHOLE)
    before = shopfile.as_data()
    load("version: 1\nshop: {undo_minutes: 10}\ncoupons: [{code: bento20, title: 新名字}]")
    after = shopfile.as_data()
    assert after["shop"] == {**before["shop"], "undo_minutes": 10}
    assert after["coupons"] == [{**before["coupons"][0], "title": "新名字"}]
    load("version: 1\nshop: {quiet_hours: null, cap: null, plan: null}")
    shop = settings.shop()
    assert (shop.quiet_from, shop.cap_messages, shop.plan_included) == (None, None, None)
    load("version: 1\ncoupons: [{code: bento20, stock: null}]")
    assert Coupon.get().stock is None
    assert shopfile.as_data()["tags"] == before["tags"]


def test_a_dry_run_tells_all_and_does_nothing(load: Any) -> None:
    empty = shopfile.as_data()
    report = load(WHOLE, dry_run=True)
    assert len(report.created) == 10
    assert shopfile.as_data() == empty
    assert Audit.select().count() == 0


def test_a_file_is_put_down_to_the_owner(load: Any) -> None:
    owner = make_staff("owner")
    load(WHOLE, staff=owner)
    assert {line.staff_name for line in Audit.select()} == {owner.name}
    assert Broadcast.get().confirmed_by == owner.id


def test_things_are_known_by_their_names(load: Any) -> None:
    load(WHOLE)
    load(
        """
version: 1
tags: [{name: 愛吃雙拼, color: "#000000"}]
fields: [{key: allergy, name: 對什麼過敏, choices: [無, 花生, 蛋]}]
sources: [{code: storefront, name: 店門口}]
segments: [{name: 年輕人, where: {field: age, op: less_than, value: 30}}]
replies:
  - {keywords: [menu, 菜單], match: contains, messages: [{text: 新菜單}], add_tags: [愛吃雙拼]}
"""
    )
    assert Tag.get(Tag.name == "愛吃雙拼").color == "#000000"
    assert Tag.select().count() == 2
    field = Field.get()
    assert (field.name, field.choices) == ("對什麼過敏", ["無", "花生", "蛋"])
    assert Source.get(Source.code == "storefront").name == "店門口"
    rule = ReplyRule.get()
    assert (rule.match, rule.parts) == ("contains", [{"text": "新菜單"}])
    assert ReplyRule.select().count() == 1


def test_replies_with_the_same_words_are_told_apart_by_name_or_hours(load: Any) -> None:
    text = """
version: 1
replies:
  - {match: any, hours: {from: "20:00", until: "10:00"}, messages: [{text: 打烊了}]}
  - {match: any, messages: [{text: 稍後回覆}]}
  - {name: 菜單, keywords: [菜單], messages: [{text: 便當}]}
"""
    load(text)
    assert ReplyRule.select().count() == 3
    assert load(text).changed == []
    load("version: 1\nreplies: [{name: 菜單, keywords: [菜單, 便當], messages: [{text: 便當}]}]")
    assert ReplyRule.select().count() == 3
    assert ReplyRule.get(ReplyRule.title == "菜單").keywords == ["菜單", "便當"]


def test_a_field_friends_have_chosen_from_keeps_what_they_chose(load: Any) -> None:
    load(WHOLE)
    friend = make_friend()
    FriendField.create(friend=friend, field=Field.get(), text="花生", at=friend.first_seen_at)
    with pytest.raises(ShopFileError, match="choices"):
        load("version: 1\nfields: [{key: allergy, choices: [無]}]")
    with pytest.raises(ShopFileError, match="type"):
        load("version: 1\nfields: [{key: allergy, type: text}]")


def test_segments_may_name_each_other_in_any_order(load: Any) -> None:
    load(
        """
version: 1
segments:
  - {name: 甲, where: {field: segment, op: is, value: 乙}}
  - {name: 乙, where: {field: age, op: less_than, value: 25}}
"""
    )
    assert [row["name"] for row in shopfile.as_data()["segments"]] == ["乙", "甲"]


def test_a_coupon_of_fixed_days_counts_both_in_full(load: Any) -> None:
    load(
        "version: 1\ncoupons: [{code: a, title: A, benefit: {type: amount, value: 50}, "
        "valid: {from: 2026-12-01, until: 2026-12-24}, state: paused}]"
    )
    coupon = Coupon.get()
    assert coupon.valid_from.isoformat() == "2026-11-30T16:00:00+00:00"
    assert coupon.valid_until.isoformat() == "2026-12-24T16:00:00+00:00"
    assert coupon.state == "paused"
    dumped = shopfile.as_data()["coupons"][0]
    assert dumped["valid"] == {"from": "2026-12-01", "until": "2026-12-24"}
    load("version: 1\ncoupons: [{code: a, state: closed}]")
    with pytest.raises(ShopFileError, match="closed"):
        load("version: 1\ncoupons: [{code: a, state: active}]")


def test_greetings_are_changed_one_by_one(load: Any) -> None:
    load("version: 1\ngreeting: {messages: [{text: 嗨}]}")
    load("version: 1\ngreeting: {returning: [{text: 歡迎回來}], push_when_refused: false}")
    now = greeting.current()
    assert (now.messages, now.returning) == ([{"text": "嗨"}], [{"text": "歡迎回來"}])
    assert not settings.shop().first_greeting_falls_back
    load("version: 1\ngreeting: {messages: []}")
    assert greeting.current().messages == []


def test_changing_a_sequence_publishes_a_version(load: Any) -> None:
    load(WHOLE)
    load(WHOLE.replace("after_days: 3", "after_days: 5"))
    assert SequenceVersion.select().count() == 2
    load("version: 1\nsequences: [{name: 新好友四週養成, enabled: false, period: null}]")
    row = Sequence.get()
    assert (row.enabled, row.period_from) == (False, None)
    assert SequenceVersion.select().count() == 2


def test_a_sequence_that_is_not_enabled_may_be_unfinished(load: Any) -> None:
    text = """
version: 1
sequences:
  - {name: 草稿, enabled: false, trigger: {follow: any},
     branches: [{steps: [{after_days: 1, at: "10:00", messages: []}]}]}
"""
    load(text)
    assert Sequence.get().live_version is None
    assert load(text).changed == []
    with pytest.raises(ShopFileError):
        load("version: 1\nsequences: [{name: 草稿, enabled: true}]")


def test_a_draft_that_is_half_done_survives_its_own_dump(load: Any) -> None:
    load(
        """
version: 1
sequences:
  - {name: 草稿, enabled: false, draft: true, trigger: {tag_added: 還沒有的標籤},
     branches: [{name: 新分支, where: {all: []}, steps: []},
                {name: 其他好友, otherwise: true, steps: []}]}
"""
    )
    dumped = shopfile.dump()
    assert ("sequence", "草稿") not in load(dumped).changed
    assert shopfile.dump() == dumped
    assert Sequence.get().live_version is None
    with pytest.raises(ShopFileError):
        load(dumped.replace("enabled: false", "enabled: true"))


def test_what_friends_underway_do_when_they_are_asked_and_what_stops_them(load: Any) -> None:
    load(WHOLE)
    stop = "{field: tag, op: is, value: 客訴中}"
    change = (
        "version: 1\nsequences: [{name: 新好友四週養成, priority: 10, when_off: finish, "
        f"when_over: stop, decide: first_step, stop: {stop}, trigger: {{segment: 年輕人}}}}]"
    )
    load(change)
    assert load(change).changed == []
    written = next(one for one in shopfile.as_data()["sequences"] if one["priority"] == 10)
    assert (written["when_off"], written["when_over"]) == ("finish", "stop")
    assert (written["decide"], written["stop"]["value"]) == ("first_step", "客訴中")
    assert written["trigger"] == {"segment": "年輕人"}
    load("version: 1\nsequences: [{name: 新好友四週養成, stop: null, decide: enrolment}]")
    written = next(one for one in shopfile.as_data()["sequences"] if one["priority"] == 10)
    assert (written["decide"], written["stop"]) == ("enrolment", None)
    for wrong in ("priority: 0", "priority: 1.5", "when_off: later", "when_over: pause"):
        with pytest.raises(ShopFileError, match=r"line 2: sequences\[0\]"):
            load(f"version: 1\nsequences: [{{name: 新好友四週養成, {wrong}}}]")


# -- broadcasts --------------------------------------------------------------------------------


def broadcast(at: str = "", *, text: str = "嗨", state: str = "", name: str = "甲") -> str:
    """A file with one broadcast to everyone."""
    more = (f', at: "{at}"' if at else "") + (f", state: {state}" if state else "")
    return (
        f"version: 1\nbroadcasts:\n"
        f"  - {{name: {name}, to: {{all: []}}, messages: [{{text: {text}}}]{more}}}\n"
    )


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-11-23T11:30:00+08:00", "scheduled"),  # half an hour ago: leaves now
        ("2026-11-23T10:00:00+08:00", "scheduled"),  # two hours ago to the minute
        ("2026-11-23T09:59:59+08:00", "late"),
        ("2026-11-20T12:00:00+08:00", "late"),
        ("2026-12-24T12:00:00+08:00", "scheduled"),
    ],
)
def test_the_time_decides_what_becomes_of_it(load: Any, at: str, state: str) -> None:
    make_friend()
    make_friend()
    load(broadcast(at))
    row = Broadcast.get()
    assert row.state == state
    assert row.content_id is not None
    load(broadcast(at))
    assert Broadcast.get().version == row.version


def test_a_broadcast_before_there_are_friends_waits_for_them(load: Any, clock: Any) -> None:
    load(broadcast("2026-12-24T12:00:00+08:00"))
    row = Broadcast.get()
    assert (row.state, row.expected) == (states.SCHEDULED, 0)
    assert row.leaves_at == row.at


def test_without_a_time_it_is_a_draft_unless_the_file_says_otherwise(load: Any) -> None:
    make_friend()
    make_friend()  # to a single one it would leave at once
    load(broadcast())
    assert Broadcast.get().state == states.DRAFT
    load(broadcast(state="scheduled"))
    assert Broadcast.get().state == states.SCHEDULED
    load(broadcast(state="draft"))
    assert Broadcast.get().state == states.DRAFT


def test_a_scheduled_one_can_still_be_changed(load: Any) -> None:
    make_friend()
    load(broadcast("2026-12-24T12:00:00+08:00"))
    load(broadcast("2026-12-25T12:00:00+08:00", text="聖誕快樂"))
    row = Broadcast.get()
    assert (row.state, row.parts) == (states.SCHEDULED, [{"text": "聖誕快樂"}])
    assert row.leaves_at.isoformat() == "2026-12-25T04:00:00+00:00"


@pytest.mark.parametrize("state", ["planning", "sending", "paused", "sent", "canceled", "held"])
def test_one_that_left_stays_as_it_was(load: Any, state: str) -> None:
    make_friend()
    load(broadcast("2026-11-23T12:00:00+08:00"))
    Broadcast.update(state=state).execute()
    assert load(broadcast("2026-11-23T12:00:00+08:00")).changed == []
    assert Broadcast.get().state == state
    with pytest.raises(ShopFileError, match=f"is {state} here and cannot be changed"):
        load(broadcast("2026-11-23T12:00:00+08:00", text="換了"))
    assert Broadcast.get().parts == [{"text": "嗨"}]


@pytest.mark.parametrize("state", ["sent", "canceled"])
def test_what_a_file_calls_sent_is_never_sent(load: Any, clock: MovableClock, state: str) -> None:
    from lineadmin.broadcasts import run

    make_friend()
    load(broadcast("2026-11-23T12:00:00+08:00", state=state))
    run.advance(clock() + timedelta(hours=1), clock())
    assert Broadcast.get().state == state
    assert Delivery.select().count() == 0
    assert shopfile.as_data()["broadcasts"][0]["state"] == state


def test_a_dump_calls_everything_that_left_sent(load: Any) -> None:
    make_friend()
    load(broadcast("2026-11-23T12:00:00+08:00"))
    for state in ("planning", "sending", "paused", "stopping", "sent"):
        Broadcast.update(state=state).execute()
        assert shopfile.as_data()["broadcasts"][0]["state"] == "sent"
    Broadcast.update(state="held", cursor=5).execute()
    assert shopfile.as_data()["broadcasts"][0]["state"] == "sent"


def test_a_file_counts_as_approved_and_a_dump_never_approves(load: Any) -> None:
    make_friend("花子")
    settings.change_shop({"approval_recipients": 0}, staff=None, wall=NOON)
    load(
        "version: 1\nbroadcasts:\n"
        "  - {name: 甲, to: {all: []}, state: scheduled, messages: [{text: 嗨}]}"
    )
    assert Broadcast.get().state == "scheduled"
    author = make_staff("manager")
    row = draft(name="乙", staff=author)
    confirm(row, staff=author)
    assert Broadcast.get_by_id(row.id).state == "approval"
    dumped = shopfile.dump()
    assert [one["state"] for one in shopfile.as_data()["broadcasts"]] == ["scheduled", "draft"]
    assert "broadcast" not in {kind for kind, _name in load(dumped).changed}
    assert Broadcast.get_by_id(row.id).state == "approval"


def test_prices_by_amount_give_way_to_one_price(load: Any) -> None:
    load(
        "version: 1\nshop: {plan: {name: 高用量, included: 6000, tiers: [{up_to: 9, price: 0.2}]}}"
    )
    assert settings.shop().plan_tiers == [{"up_to": 9, "price": 0.2}]
    load("version: 1\nshop: {plan: {extra_price: 0.1}}")
    assert (settings.shop().plan_tiers, settings.shop().plan_extra_price) == (None, 0.1)
    with pytest.raises(ShopFileErrors, match="price"):
        load("version: 1\nshop: {plan: {tiers: [{up_to: 9}]}}")
