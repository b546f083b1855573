"""Taiwan's 22 cities and counties under LINE's area codes.

Source: https://developers.line.biz/en/reference/messaging-api/#send-narrowcast-message, area
(2026-08-07)
"""

from __future__ import annotations

from typing import Any

from lineadmin.i18n import _l

REGIONS: dict[str, Any] = {
    "tw_01": _l("Taipei City"),
    "tw_02": _l("New Taipei City"),
    "tw_03": _l("Taoyuan City"),
    "tw_04": _l("Taichung City"),
    "tw_05": _l("Tainan City"),
    "tw_06": _l("Kaohsiung City"),
    "tw_07": _l("Keelung City"),
    "tw_08": _l("Hsinchu City"),
    "tw_09": _l("Chiayi City"),
    "tw_10": _l("Hsinchu County"),
    "tw_11": _l("Miaoli County"),
    "tw_12": _l("Changhua County"),
    "tw_13": _l("Nantou County"),
    "tw_14": _l("Yunlin County"),
    "tw_15": _l("Chiayi County"),
    "tw_16": _l("Pingtung County"),
    "tw_17": _l("Yilan County"),
    "tw_18": _l("Hualien County"),
    "tw_19": _l("Taitung County"),
    "tw_20": _l("Penghu County"),
    "tw_21": _l("Kinmen County"),
    "tw_22": _l("Lienchiang County"),
}
GENDERS: dict[str, Any] = {"male": _l("male"), "female": _l("female")}
SYSTEMS: dict[str, Any] = {"ios": "iOS", "android": "Android", "other": _l("other")}
ORIGINS: dict[str, Any] = {
    "self": _l("told by the friend"),
    "staff": _l("entered by staff"),
    "csv": _l("imported"),
    "observed": _l("observed"),
}

_WRITTEN = (
    "台北市 新北市 桃園市 台中市 台南市 高雄市 基隆市 新竹市 嘉義市 新竹縣 苗栗縣 "
    "彰化縣 南投縣 雲林縣 嘉義縣 屏東縣 宜蘭縣 花蓮縣 台東縣 澎湖縣 金門縣 連江縣"
)
_BY_NAME = dict(zip(_WRITTEN.split(), REGIONS, strict=True))


def region_code(text: str) -> str | None:
    """The code of a region written as a code or as its Chinese name; None where it is neither."""
    text = text.strip()
    if text.lower() in REGIONS:
        return text.lower()
    return _BY_NAME.get(text.replace("臺", "台"))


def region_in(address: str) -> str | None:
    """The code of the region a Chinese or Japanese address names first, or None."""
    written = address.replace("臺", "台")
    named = {written.find(name): code for name, code in _BY_NAME.items() if name in written}
    return named[min(named)] if named else None
