"""A message in one line, for lists and timelines."""

from __future__ import annotations

from collections.abc import Sequence

from lineadmin.coupons.models import Coupon
from lineadmin.line.text import cut_to_graphemes
from lineadmin.messages.names import substitute
from lineadmin.messages.parts import (
    Cards,
    CouponCard,
    Image,
    LineCouponPart,
    LotteryCard,
    MyPage,
    Part,
    RichMessage,
    Sticker,
    SurveyCard,
    Text,
    TopicCard,
    Video,
    bubbles,
    coupon_codes,
    topic_codes,
)
from lineadmin.topics.models import Topic

SUMMARY_GRAPHEMES = 60


def summarise(parts: Sequence[Part]) -> str:
    """The beginning of what is said. It is stored, so what is no text shows as a sign that
    needs no language, and a coupon by the title it has now."""
    titles = _titles(parts)
    words = " ".join(word for part in bubbles(parts) if (word := _word(part, titles)))
    short = cut_to_graphemes(words, SUMMARY_GRAPHEMES)
    return short if short == words else f"{short.rstrip()}…"


def as_read(parts: Sequence[Part]) -> str:
    """The same as a friend whose name is not known would read it: nothing in braces."""
    return substitute(summarise(parts), None)


def _titles(parts: Sequence[Part]) -> dict[str, str]:
    codes, topics = coupon_codes(parts), topic_codes(parts)
    titles: dict[str, str] = {}
    if topics:
        named = Topic.select(Topic.code, Topic.name).where(Topic.code.in_(topics))
        titles = {f"{TopicCard.key}:{row.code}": row.name for row in named}
    if codes:
        rows = Coupon.select(Coupon.code, Coupon.title).where(Coupon.code.in_(codes))
        titles |= {row.code: row.title for row in rows}
    return titles


def _word(part: Part, titles: dict[str, str]) -> str:
    if isinstance(part, Text):
        return _line(part.text)
    if isinstance(part, Sticker):
        return "🙂"
    if isinstance(part, Image):
        return "🖼️"
    if isinstance(part, RichMessage):
        return f"🖼️ {_line(part.alt)}"
    if isinstance(part, Cards):
        return f"🗂️ {_line(part.alt)}"
    if isinstance(part, Video):
        return "🎬"
    if isinstance(part, LineCouponPart):
        return "🎫 LINE"
    if isinstance(part, LotteryCard):
        return f"🎰 {part.lottery}"
    if isinstance(part, TopicCard):
        return f"📮 {titles.get(f'{part.key}:{part.topic}', part.topic)}"
    if isinstance(part, MyPage):
        return "👤"
    if isinstance(part, SurveyCard):
        return f"📝 {part.survey}"
    if isinstance(part, CouponCard):
        return f"🎟️ {titles.get(part.coupon, part.coupon)}"
    return ""


def _line(words: str) -> str:
    return " ".join(words.split())
