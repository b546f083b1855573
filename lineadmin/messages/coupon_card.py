"""A coupon as a card in the chat: LINE's Flex bubble, with the benefit in large type."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lineadmin.i18n import _, _n, format_date, format_twd, locale
from lineadmin.line import limits
from lineadmin.line.text import cut_to_units, grapheme_length
from lineadmin.messages.references import CouponFace

# Contrast of white on either colour is at least 3:1, as large type needs.
WARM_START, WARM_END = "#e8590c", "#c2255c"
INK, HINT, LINK = "#1a211c", "#55605a", "#067a3e"
BENEFIT_LARGE_GRAPHEMES = 8


def coupon_card(
    face: CouponFace, url: str, *, expires_at: datetime | None, zone: ZoneInfo
) -> dict[str, Any]:
    """The Flex message for one copy of a coupon; `url` opens it.

    `expires_at` is the copy's own end; None where the card stands for no copy yet (a preview).
    """
    benefit = benefit_words(face)
    about = [line for line in (spend_words(face), validity_words(face, expires_at, zone)) if line]
    action = {"type": "uri", "label": _("View coupon"), "uri": url}
    bubble = {
        "type": "bubble",
        "size": "kilo",
        "hero": {
            "type": "box",
            "layout": "vertical",
            "height": "112px",
            "justifyContent": "center",
            "paddingAll": "12px",
            "background": {
                "type": "linearGradient",
                "angle": "135deg",
                "startColor": WARM_START,
                "endColor": WARM_END,
            },
            "contents": [
                {
                    "type": "text",
                    "text": benefit,
                    "size": "4xl" if grapheme_length(benefit) <= BENEFIT_LARGE_GRAPHEMES else "xl",
                    "weight": "bold",
                    "color": "#ffffff",
                    "align": "center",
                    "wrap": True,
                    "maxLines": 2,
                }
            ],
        },
        "body": {
            "type": "box",
            "layout": "vertical",
            "spacing": "xs",
            "paddingAll": "14px",
            "contents": [
                {
                    "type": "text",
                    "text": face.title,
                    "weight": "bold",
                    "size": "md",
                    "color": INK,
                    "wrap": True,
                },
                *(
                    {"type": "text", "text": line, "size": "xs", "color": HINT, "wrap": True}
                    for line in about
                ),
            ],
        },
        "footer": {
            "type": "box",
            "layout": "vertical",
            "paddingAll": "4px",
            "contents": [
                {
                    "type": "button",
                    "style": "link",
                    "height": "sm",
                    "color": LINK,
                    "action": action,
                }
            ],
        },
        "styles": {"footer": {"separator": True}},
    }
    alt_text = " ".join([f"【{face.title}】", *about])
    return {
        "type": "flex",
        "altText": cut_to_units(alt_text, limits.ALT_TEXT_UNITS),
        "contents": bubble,
    }


def benefit_words(face: CouponFace) -> str:
    """What the coupon gives, in a few large characters."""
    value = face.benefit_value or 0
    if face.benefit == "percent" and value:
        if locale() == "zh_Hant_TW":
            return _zh_discount(value)
        return _("%(percent)s%% off", percent=_plain(value))
    if face.benefit == "amount" and value:
        return _("%(money)s off", money=format_twd(value))
    if face.benefit == "cashback" and value:
        return _("%(money)s back", money=format_twd(value))
    return face.benefit_text or face.title


def spend_words(face: CouponFace) -> str:
    """From which sum on it counts; empty where from the first dollar."""
    if not face.minimum_spend:
        return ""
    return _("From %(money)s on", money=format_twd(face.minimum_spend))


def validity_words(face: CouponFace, expires_at: datetime | None, zone: ZoneInfo) -> str:
    """Until when it counts; empty where it never ends."""
    end = expires_at or face.valid_until
    if end is None:
        if face.valid_days is None:
            return ""
        return _n(
            "Valid for %(count)s day after you get it",
            "Valid for %(count)s days after you get it",
            face.valid_days,
        )
    there = end.astimezone(zone)
    if (there.hour, there.minute) == (0, 0):
        # The end itself is excluded: midnight belongs to the day before.
        return _("Valid until %(day)s", day=format_date((there - timedelta(minutes=1)).date()))
    return _("Valid until %(day)s", day=f"{format_date(there.date())} {there:%H:%M}")


def _zh_discount(percent: float) -> str:
    """Taiwan names what remains: 20 % off is 8 折, 15 % off 85 折."""
    remains = 100 - percent
    if remains <= 0:
        return "免費"
    if remains < 10 or remains % 10 == 0:
        return f"{_plain(remains / 10)} 折"
    return f"{_plain(remains)} 折"


def _plain(value: float) -> str:
    return f"{round(value, 2):g}"
