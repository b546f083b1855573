"""A coupon ends at the shop's midnight, to the second, exactly as its card and page say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lineadmin import i18n, settings
from lineadmin.coupons.card import card_view
from lineadmin.coupons.redeem import Refused, redeem
from lineadmin.coupons.states import State
from tests.coupons.making import NOON, give, make_coupon
from tests.factories import make_friend, make_staff

SECOND = timedelta(seconds=1)


def midnight(day: str, zone: str) -> datetime:
    """0:00 after that day on the shop's clock."""
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    return (start + timedelta(days=1)).astimezone(UTC)


def use(copy, now):
    key = f"try-{now:%d%H%M%S}"
    return redeem(copy, staff=make_staff(), how="scan", request_key=key, now=now, wall=now)


@pytest.mark.parametrize("zone", ["Asia/Taipei", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("fixed", [False, True])
def test_it_is_good_to_the_last_second_of_the_day_that_is_printed(db, zone, fixed):
    settings.change_shop({"timezone": zone}, staff=None, wall=NOON)
    i18n.set_zone(ZoneInfo(zone))
    last = "2026-11-29" if zone == "America/New_York" else "2026-11-30"  # NOON is Sunday there
    ends = midnight(last, zone)
    dates = {"valid_days": None, "valid_until": ends} if fixed else {"valid_days": 7}
    coupon = make_coupon(**dates)
    first, second = (give(coupon, make_friend().id) for _copy in range(2))
    printed = card_view(coupon, first, "https://x", "zh_Hant_TW").validity_text
    assert printed.startswith(last.replace("-", "/"))
    assert "24:00" in printed
    use(first, ends - SECOND)
    with pytest.raises(Refused) as refused:
        use(second, ends)
    assert refused.value.outcome is State.EXPIRED
    assert last.replace("-", "/") in str(refused.value)


def test_a_copy_got_a_minute_after_midnight_counts_from_the_new_day(db):
    coupon = make_coupon(valid_days=1)
    before = midnight("2026-11-23", "Asia/Taipei") - timedelta(minutes=1)
    after = before + timedelta(minutes=2)
    early, late = (give(coupon, make_friend().id, now=now) for now in (before, after))
    assert early.expires_at == midnight("2026-11-24", "Asia/Taipei")
    assert late.expires_at == midnight("2026-11-25", "Asia/Taipei")


def test_the_friends_page_turns_with_the_moved_clock(client, clock):
    copy = give(make_coupon(), make_friend().id)
    ends = midnight("2026-11-30", "Asia/Taipei")
    address = f"/c/{copy.token}"
    clock.set(ends - SECOND)
    page = re.sub(r"<[^>]+>", " ", client.get(address).text)
    assert "2026/11/30（一）24:00" in page
    assert client.get(f"{address}/state").json == {"state": "valid"}
    clock.set(ends)
    assert client.get(f"{address}/state").json == {"state": "expired"}
