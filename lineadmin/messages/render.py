"""From parts to LINE's message objects: a pure function of the parts and the context.

Sources: https://developers.line.biz/en/reference/messaging-api/#message-objects (2026-08-07)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineadmin.coupons.card import CardView
from lineadmin.i18n import DEFAULT_LOCALE, use_locale
from lineadmin.line import limits
from lineadmin.line.text import cut_to_graphemes, cut_to_units
from lineadmin.messages import names
from lineadmin.messages.coupon_card import coupon_card
from lineadmin.messages.links import tidy_link
from lineadmin.messages.parts import (
    CouponCard,
    Image,
    Part,
    QuickReply,
    Sticker,
    Text,
    bubbles,
    quick_replies,
)


@dataclass(frozen=True)
class Context:
    """What rendering needs beside the parts.

    `base_url` is this server's public address (empty in a preview: addresses stay relative);
    `coupons` holds the cards of this friend's copies by coupon code; `locale` is the language of
    the words we add ourselves.
    """

    base_url: str
    name: str | None = None
    coupons: Mapping[str, CardView] = field(default_factory=dict)
    locale: str = DEFAULT_LOCALE


def render(parts: Sequence[Part], context: Context) -> list[dict[str, Any]]:
    """The message objects LINE is to send, at most five, quick replies on the last.

    :raises KeyError: a coupon that is not in the context (prepare.py drops such parts before)
    """
    with use_locale(context.locale):
        messages = [_message(part, context) for part in bubbles(parts)]
    items = [_quick_reply(reply) for reply in quick_replies(parts)]
    if items and messages:
        messages[-1]["quickReply"] = {"items": items}
    return messages


def is_personal(parts: Sequence[Part]) -> bool:
    """True when two friends may get different messages: then each needs a push of her own."""
    return any(
        isinstance(part, CouponCard) or (isinstance(part, Text) and names.has_name(part.text))
        for part in parts
    )


def uses_name(parts: Sequence[Part]) -> bool:
    """True when the friend's name appears, so that an unknown profile is worth fetching."""
    return any(isinstance(part, Text) and names.has_name(part.text) for part in parts)


def _message(part: Part, context: Context) -> dict[str, Any]:
    if isinstance(part, Text):
        words = names.substitute(part.text, context.name)
        return {"type": "text", "text": cut_to_units(words, limits.TEXT_UNITS)}
    if isinstance(part, Sticker):
        return {"type": "sticker", "packageId": part.package_id, "stickerId": part.sticker_id}
    if isinstance(part, Image):
        address = f"{context.base_url}/media/{part.upload}"
        return {
            "type": "image",
            "originalContentUrl": f"{address}/original",
            "previewImageUrl": f"{address}/preview",
        }
    if isinstance(part, CouponCard):
        return coupon_card(context.coupons[part.coupon])
    raise TypeError(f"no rendering for {type(part).__name__}")


def _quick_reply(reply: QuickReply) -> dict[str, Any]:
    label = cut_to_graphemes(reply.label, limits.LABEL_QUICK_REPLY_GRAPHEMES)
    action: dict[str, Any]
    if reply.text is not None:
        action = {"type": "message", "label": label, "text": reply.text}
    elif reply.uri is not None:
        action = {"type": "uri", "label": label, "uri": tidy_link(reply.uri) or reply.uri}
    else:
        action = {
            "type": "postback",
            "label": label,
            "data": reply.postback,
            "displayText": label,
        }
    return {"type": "action", "action": action}
