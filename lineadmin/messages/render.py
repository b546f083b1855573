"""From parts to LINE's message objects: a pure function of the parts and the context.

Sources: https://developers.line.biz/en/reference/messaging-api/#message-objects (2026-08-07)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineadmin.coupons.card import CardView
from lineadmin.i18n import DEFAULT_LOCALE, use_locale
from lineadmin.line import limits
from lineadmin.line.text import cut_to_graphemes, cut_to_units
from lineadmin.lottery.card import LotteryView
from lineadmin.messages import (
    cards,
    film,
    line_coupon,
    lottery_card,
    my_page_card,
    names,
    rich,
    survey_card,
    topic_card,
)
from lineadmin.messages.coupon_card import coupon_card
from lineadmin.messages.links import replace_addresses, tidy_link
from lineadmin.messages.parts import (
    PICKERS,
    Cards,
    CouponCard,
    Image,
    LineCouponPart,
    LotteryCard,
    MyPage,
    Part,
    QuickReply,
    RichMessage,
    Sticker,
    SurveyCard,
    Text,
    TopicCard,
    Video,
    bubbles,
    quick_replies,
    tracking,
)
from lineadmin.messages.tracked import tracked_addresses
from lineadmin.surveys.card import SurveyView
from lineadmin.topics.card import TopicView


@dataclass(frozen=True)
class Context:
    """What rendering needs beside the parts.

    `base_url` is this server's public address (empty in a preview: addresses stay relative);
    `coupons` holds the cards of this friend's copies by coupon code, `claims` those of coupons she
    can claim; `links` the addresses that
    stand in for those staff wrote, where taps are counted (parts.uris lists them); `lotteries` the
    cards of lotteries by code, `topics` and `surveys` those of topics and surveys; `friend_url`
    is the address of this friend's own pages; `locale` is the language of the words we add
    ourselves.
    """

    base_url: str
    name: str | None = None
    coupons: Mapping[str, CardView] = field(default_factory=dict)
    claims: Mapping[str, CardView] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    lotteries: Mapping[str, LotteryView] = field(default_factory=dict)
    topics: Mapping[str, TopicView] = field(default_factory=dict)
    friend_url: str = ""
    surveys: Mapping[str, SurveyView] = field(default_factory=dict)
    locale: str = DEFAULT_LOCALE

    def link(self, written: str) -> str:
        """What a tap on this address opens: through our tracking, or straight to it."""
        address = tidy_link(written) or written
        return self.links.get(address, address)

    def in_text(self, written: str) -> str:
        """The same within a text, where an address that is not tracked stays as it was typed."""
        address = tidy_link(written)
        return written if address is None else self.links.get(address, written)


def render(parts: Sequence[Part], context: Context) -> list[dict[str, Any]]:
    """The message objects LINE is to send, at most five, quick replies on the last.

    :raises KeyError: a coupon that is not in the context (prepare.py drops such parts before)
    """
    with use_locale(context.locale):
        messages = [_message(part, context) for part in bubbles(parts)]
    items = [_quick_reply(reply, context) for reply in quick_replies(parts)]
    if items and messages:
        messages[-1]["quickReply"] = {"items": items}
    return messages


def is_personal(parts: Sequence[Part]) -> bool:
    """True when two friends may get different messages: then each needs a push of her own."""
    followed = tracking(parts)
    if followed is not None and followed.track == "friend" and tracked_addresses(parts):
        return True
    own = (LotteryCard, SurveyCard, MyPage)
    carries = any(part.coupon_codes() or isinstance(part, own) for part in parts)
    return carries or uses_name(parts)


def uses_name(parts: Sequence[Part]) -> bool:
    """True when the friend's name appears, so that an unknown profile is worth fetching."""
    return any(names.has_name(words) for part in parts for words in _words(part))


def _words(part: Part) -> Iterator[str]:
    if isinstance(part, Text):
        yield part.text
    elif isinstance(part, Cards):
        yield from part.words()
    elif isinstance(part, RichMessage):
        yield part.alt


def _message(part: Part, context: Context) -> dict[str, Any]:
    if isinstance(part, Text):
        text = replace_addresses(part.text, context.in_text) if context.links else part.text
        words = names.substitute(text, context.name)
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
        return coupon_card((context.claims if part.claim else context.coupons)[part.coupon])
    if isinstance(part, LotteryCard):
        return lottery_card.render(context.lotteries[part.lottery])
    if isinstance(part, TopicCard):
        return topic_card.render(context.topics[part.topic])
    if isinstance(part, SurveyCard):
        return survey_card.render(context.surveys[part.survey])
    if isinstance(part, LineCouponPart):
        return line_coupon.render(part)
    if isinstance(part, MyPage):
        return my_page_card.render(part, context.friend_url)
    if isinstance(part, RichMessage):
        return rich.render(
            part,
            context.base_url,
            context.link,
            lambda words: names.substitute(words, context.name),
        )
    if isinstance(part, Cards):
        return cards.render(
            part,
            context.base_url,
            context.link,
            lambda code: context.coupons[code].url,
            lambda words: names.substitute(words, context.name),
        )
    if isinstance(part, Video):
        return film.render(part, context.base_url)
    raise TypeError(f"no rendering for {type(part).__name__}")


def _quick_reply(reply: QuickReply, context: Context) -> dict[str, Any]:
    label = cut_to_graphemes(reply.label, limits.LABEL_QUICK_REPLY_GRAPHEMES)
    return {"type": "action", "action": {"label": label, **_tap(reply, label, context)}}


def _tap(reply: QuickReply, label: str, context: Context) -> dict[str, Any]:
    if reply.text is not None:
        return {"type": "message", "text": reply.text}
    if reply.uri is not None:
        return {"type": "uri", "uri": context.link(reply.uri)}
    if reply.postback is not None:
        return {"type": "postback", "data": reply.postback, "displayText": label}
    if reply.ask in PICKERS:
        return {"type": "datetimepicker", "data": reply.data or label, "mode": reply.ask}
    return {"type": {"album": "cameraRoll"}.get(reply.ask or "", reply.ask)}
