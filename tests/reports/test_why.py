"""Why a friend did or did not get a message: one sentence for every way it can go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lineadmin import journal, settings
from lineadmin.broadcasts import control
from lineadmin.friends.models import Friend
from lineadmin.i18n import use_locale
from lineadmin.outbox import pauses, reasons
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.reports import why
from tests.broadcasts import stage
from tests.conftest import NOON
from tests.factories import make_friend
from tests.sequences import stage as steps

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def database(db: Any) -> None:
    """Every test here needs one."""


def told(delivery: Delivery, **more: Any) -> str:
    more.setdefault("now", NOON + 6 * MINUTE)
    return why.explain(Delivery.get_by_id(delivery.id), **more)


def broadcast_delivery() -> Delivery:
    make_friend(tags=("VIP",))
    row = stage.confirmed(stage.tagged("VIP"), name="週一雙拼")
    stage.tick(NOON + 5 * MINUTE)
    return Delivery.get(Delivery.origin_id == row.id)


def become(delivery: Delivery, state: DeliveryState, reason: str = "", **more: Any) -> None:
    Delivery.update(state=int(state), reason=reason, done_at=NOON, **more).where(
        Delivery.id == delivery.id
    ).execute()


def test_a_broadcast_says_whom_it_was_for_and_when_line_took_it() -> None:
    delivery = broadcast_delivery()
    become(delivery, DeliveryState.SENT)
    assert told(delivery) == (
        "群發訊息「週一雙拼」的對象：有「VIP」標籤。 LINE 在 2026/11/23（一）12:00 收下。"
    )


def test_a_step_says_since_when() -> None:
    steps.publish(steps.step(1), now=NOON, name="四週養成")
    hana = steps.follow(NOON)
    steps.tick(NOON)
    steps.tick(NOON + timedelta(days=1))
    delivery = Delivery.get(Delivery.friend_id == hana.id)
    become(delivery, DeliveryState.SENT)
    assert "「四週養成」第 1 步，這位好友從 2026/11/23（一） 開始。" in told(delivery)


def test_what_waits_says_for_what() -> None:
    delivery = broadcast_delivery()
    assert "即將傳送" in told(delivery)
    assert "等待預定時間" in told(delivery, now=NOON - MINUTE)
    settings.change_shop({"quiet_from": "12:00", "quiet_until": "13:00"}, staff=None, wall=NOON)
    assert "勿擾時段" in told(delivery)
    settings.change_shop({"quiet_from": None, "quiet_until": None}, staff=None, wall=NOON)
    control.pause(delivery.origin_id, staff=None, wall=NOON)
    assert "已暫停" in told(delivery)
    pauses.stop_all(staff=None, wall=NOON)
    assert "所有傳送已停止" in told(delivery)


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        (DeliveryState.SKIPPED, reasons.BLOCKED, "已封鎖"),
        (DeliveryState.SKIPPED, reasons.OPTED_OUT, "不再接收通知"),
        (DeliveryState.SKIPPED, reasons.HOLDOUT, "對照組"),
        (DeliveryState.SKIPPED, reasons.EXPIRED, "太晚"),
        (DeliveryState.SKIPPED, reasons.LATE, "停機"),
        (DeliveryState.SKIPPED, reasons.COUPON_GONE, "優惠券"),
        (DeliveryState.FAILED, reasons.REFUSED, "LINE 拒絕"),
        (DeliveryState.UNKNOWN, reasons.NO_ANSWER, "不會自動重送"),
        (DeliveryState.CANCELED, reasons.CANCELED, "送出前已停止"),
        (DeliveryState.CANCELED, reasons.LEFT, "已離開"),
        (DeliveryState.HELD, reasons.RESTORED, "暫緩"),
        (DeliveryState.SENT, reasons.COUNTED_AS_SENT, "當作已送出"),
        (DeliveryState.PACKED, "", "正在傳給 LINE"),
    ],
)
def test_every_outcome_has_its_sentence(state: DeliveryState, reason: str, expected: str) -> None:
    delivery = broadcast_delivery()
    become(delivery, state, reason)
    assert expected in told(delivery)


def test_the_cap_is_told_with_its_numbers() -> None:
    settings.change_shop({"cap_messages": 3, "cap_days": 7}, staff=None, wall=NOON)
    delivery = broadcast_delivery()
    become(delivery, DeliveryState.SKIPPED, reasons.CAP)
    assert "7 天內會超過 3 則" in told(delivery)


@pytest.mark.parametrize("kind", [OriginKind.GREETING, OriginKind.STAFF, OriginKind.TEST])
def test_single_messages_say_what_they_are(kind: OriginKind) -> None:
    delivery = broadcast_delivery()
    become(delivery, DeliveryState.SENT, origin_kind=int(kind))
    assert why.meant(Delivery.get_by_id(delivery.id))


def test_every_reason_there_is_can_be_told_in_every_language() -> None:
    delivery = broadcast_delivery()
    journal.record(delivery.friend_id, "blocked", at=NOON)
    Friend.update(status="blocked").execute()
    for locale in ("zh_Hant_TW", "en", "ja"):
        with use_locale(locale):
            for state in DeliveryState:
                for reason in reasons.LABELS:
                    become(delivery, state, reason)
                    assert told(delivery)
