"""What coupons give, in words and in money."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lineadmin.coupons import benefits
from lineadmin.coupons.card import card_view
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.i18n import use_locale


def _coupon(benefit, value=None, text="", **more):
    return Coupon(benefit=benefit, benefit_value=value, benefit_text=text, **more)


@pytest.mark.parametrize(
    ("coupon", "zh", "en", "ja"),
    [
        (_coupon("percent", 20), "8 折", "20% off", "20%OFF"),
        (_coupon("percent", 15), "85 折", "15% off", "15%OFF"),
        (_coupon("percent", 5), "95 折", "5% off", "5%OFF"),
        (_coupon("percent", 90), "1 折", "90% off", "90%OFF"),
        (_coupon("percent", 95), "0.5 折", "95% off", "95%OFF"),
        (_coupon("percent", 100), "免費", "100% off", "100%OFF"),
        (_coupon("amount", 1050), "NT$1,050 折抵", "NT$1,050 off", "NT$1,050割引"),
        (_coupon("gift", text="紅茶"), "贈品：紅茶", "Gift: 紅茶", "プレゼント：紅茶"),
        (_coupon("cashback", 30), "現金回饋 NT$30", "NT$30 cashback", "NT$30キャッシュバック"),
    ],
)
def test_a_benefit_reads_naturally_in_each_language(coupon, zh, en, ja):
    told = []
    for locale in ("zh_Hant_TW", "en", "ja"):
        with use_locale(locale):
            told.append(benefits.benefit_text(coupon))
    assert told == [zh, en, ja]


@pytest.mark.parametrize(
    ("coupon", "amount", "off"),
    [
        (_coupon("percent", 20), 180, 36),
        (_coupon("percent", 15), 99, 15),  # 84.15 is paid as 84
        (_coupon("percent", 15), 110, 16),  # 93.5 is paid as 94
        (_coupon("percent", 100), 250, 250),
        (_coupon("amount", 50), 180, 50),
        (_coupon("amount", 50), 30, 30),
        (_coupon("gift", text="紅茶"), 180, None),
        (_coupon("cashback", 30), 180, None),
    ],
)
def test_what_is_taken_off_a_purchase(coupon, amount, off):
    assert benefits.discount(coupon, amount) == off


def test_the_card_says_the_last_day_as_staff_and_friends_count_it():
    coupon = _coupon("percent", 20, title="雙拼便當 8 折", valid_days=7, minimum_spend=100)
    ends = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # 24:00 of the 30th in Taipei
    copy = CouponIssue(coupon=coupon, expires_at=ends)
    card = card_view(coupon, copy, "https://shop.example/c/x", "zh_Hant_TW")
    assert card.benefit_text == "8 折"
    assert card.title == "雙拼便當 8 折"
    assert card.validity_text == "2026/11/30（一）24:00 前有效"
    assert card.minimum_text == "最低消費 NT$100"
    assert card.url == "https://shop.example/c/x"
    assert card_view(coupon, None, "", "zh_Hant_TW").validity_text == "領取後 7 天內有效"
