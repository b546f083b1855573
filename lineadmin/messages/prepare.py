"""From deliveries to the JSON that goes to LINE, for a whole batch at once.

What is the same for everybody is rendered once. Coupons are handed out here, in bulk: call it
inside the transaction that stores the shipments, so that a copy exists exactly if its message does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from lineadmin import config, i18n, settings
from lineadmin.coupons.card import CardView, card_view, page_path
from lineadmin.coupons.claim import Source, personal_token
from lineadmin.coupons.held import held_many
from lineadmin.coupons.issue import REASON_LABELS, Reason, Refusal, closed_reason, issue_many
from lineadmin.coupons.models import CouponIssue
from lineadmin.i18n import DEFAULT_LOCALE, _l
from lineadmin.line_coupons.actions import is_over
from lineadmin.lottery.card import LotteryView
from lineadmin.lottery.states import Phase, phase_of
from lineadmin.members import links as my_pages
from lineadmin.messages.parts import (
    Cards,
    CouponCard,
    LineCouponPart,
    LotteryCard,
    MyPage,
    Part,
    SurveyCard,
    TopicCard,
    bubbles,
    claim_codes,
    issued_codes,
    lottery_codes,
    parse_parts,
    survey_codes,
    topic_codes,
)
from lineadmin.messages.references import References, look_up
from lineadmin.messages.render import Context, is_personal, render
from lineadmin.messages.tracked import MessageLinks, make_links
from lineadmin.outbox import reasons
from lineadmin.outbox.reasons import COUPON_GONE, COUPON_USED, NO_PUBLIC_URL
from lineadmin.segments.among import fitting
from lineadmin.surveys import states as survey_states
from lineadmin.surveys.card import SurveyView
from lineadmin.surveys.models import SurveySending
from lineadmin.surveys.sendings import sending_of
from lineadmin.topics.card import TopicView
from lineadmin.topics.queries import note_ask
from lineadmin.tracking.links import Place

DELETED = "deleted"
LOTTERY_OVER, LINE_COUPON_OVER = "lottery_over", "line_coupon_over"
TOPIC_OVER = "topic_over"
SURVEY_OVER = "survey_over"
REMINDER = "reminder"
# Messages of these origins show the copy a friend holds and hand none out.
SHOWING = (REMINDER, "lottery")
TEST = "test"


@dataclass(frozen=True)
class Item:
    """A message for one friend. Items of equal content share one `parts` object.

    `origin` and `origin_id` are what a coupon's copy and a tracked link remember; `place` tells a
    sequence's steps apart.
    """

    friend_id: int
    name: str | None
    parts: Sequence[Part]
    origin: str
    origin_id: int = 0
    place: int = 0


@dataclass(frozen=True)
class Dropped:
    """A part that was left out, and why; `reason` is a code, `label` its words for staff."""

    part_index: int
    reason: str

    @property
    def label(self) -> Any:
        return LABELS.get(self.reason, self.reason)


LABELS: Mapping[str, Any] = {
    **{str(reason): words for reason, words in REASON_LABELS.items()},
    DELETED: _l("The coupon no longer exists"),
    LOTTERY_OVER: _l("The lottery is over"),
    SURVEY_OVER: _l("The survey is over, or not open yet"),
    LINE_COUPON_OVER: _l("The LINE coupon is over"),
    TOPIC_OVER: _l("The topic is archived"),
    NO_PUBLIC_URL: reasons.LABELS[NO_PUBLIC_URL],
}


@dataclass(frozen=True)
class Prepared:
    """What goes out to one friend: LINE's message objects, or None with the reason to skip her.

    `issues` are the copies of coupons the messages carry: void them if the messages never leave.
    """

    messages: list[dict[str, Any]] | None
    dropped: tuple[Dropped, ...] = ()
    skip_reason: str | None = None
    issues: tuple[CouponIssue, ...] = field(default=(), repr=False)


def prepare(
    items: Sequence[Item],
    *,
    public_url: str | None,
    now: datetime,
    locale: str = DEFAULT_LOCALE,
) -> list[Prepared]:
    """Rendered messages for each item, in order. Equal content that is not personal is one object.

    :param now: shop time, from which the validity of new copies counts
    """
    i18n.set_zone(settings.shop_zone())
    references = look_up(_every_part(items))
    copies = _hand_out(items, references, now) if public_url else {}
    words = _CardWords(locale, public_url or "", references, now)
    tracked = _Tracked(public_url, now)
    shared: dict[tuple[int, str, int, int], Prepared] = {}
    prepared: list[Prepared] = []
    for index, item in enumerate(items):
        if is_personal(item.parts):
            mine = copies.get(index, {})
            prepared.append(_one(item, mine, public_url, words, tracked))
            continue
        key = (id(item.parts), item.origin, item.origin_id, item.place)
        if key not in shared:
            shared[key] = _one(item, {}, public_url, words, tracked)
        prepared.append(shared[key])
    return prepared


def prepare_one(
    parts_json: object,
    *,
    friend_id: int,
    name: str | None,
    origin: str,
    origin_id: int = 0,
    public_url: str | None,
    now: datetime,
) -> Prepared:
    """`prepare` for a single message in its stored form: replies, answers, test sends."""
    item = Item(friend_id, name, parse_parts(parts_json), origin, origin_id)
    return prepare([item], public_url=public_url, now=now)[0]


Copies = dict[str, CouponIssue | Refusal]


def _every_part(items: Sequence[Item]) -> Iterable[Part]:
    distinct = {id(item.parts): item.parts for item in items}
    for parts in distinct.values():
        yield from parts


def _hand_out(items: Sequence[Item], references: References, now: datetime) -> dict[int, Copies]:
    """Copies by item and coupon code: one call per coupon and origin."""
    wanted: dict[tuple[str, str, int], list[int]] = {}
    for index, item in enumerate(items):
        for code in issued_codes(item.parts):
            if code in references.coupons:
                wanted.setdefault((code, item.origin, item.origin_id), []).append(index)
    copies: dict[int, Copies] = {}
    # In one order everywhere, so that two senders never wait for each other's coupon.
    for (code, origin, origin_id), indexes in sorted(wanted.items()):
        coupon, friends = references.coupons[code], [items[index].friend_id for index in indexes]
        answers = (
            held_many(coupon, friends, now=now)
            if origin in SHOWING
            else issue_many(
                coupon, friends, origin=origin, origin_id=origin_id, now=now, fitting=fitting
            )
        )
        for index in indexes:
            copies.setdefault(index, {})[code] = answers[items[index].friend_id]
    return copies


class _CardWords:
    """Cards of copies; their words are the same for all copies that end together."""

    def __init__(self, locale: str, base_url: str, references: References, now: datetime) -> None:
        self.locale, self.base_url = locale, base_url
        self._lotteries = lotteries = references.lotteries
        self._line_coupons = {
            line_id: LINE_COUPON_OVER if is_over(known, now) else None
            for line_id, known in references.line_coupons.items()
        }
        self._over = {
            code
            for code, known in lotteries.items()
            if phase_of(known.lottery, now) in (Phase.CLOSED, Phase.ENDED)
        }
        self._surveys = references.surveys
        self._sendings: dict[tuple[str, str, int, int], SurveySending] = {}
        self._views: dict[tuple[Any, ...], CardView] = {}
        self._coupons, self._now = references.coupons, now
        self._topics = references.topics
        self._asked: dict[tuple[str, str, int, int], TopicView] = {}

    def card(self, copy: CouponIssue, url: str) -> CardView:
        key = (copy.coupon.id, copy.usable_from, copy.expires_at)
        if key not in self._views:
            self._views[key] = card_view(
                copy.coupon, copy, url, self.locale, base_url=self.base_url
            )
        return replace(self._views[key], url=url)

    def over(self, part: Part) -> str | None:
        """Why a lottery, a coupon at LINE or one to claim is no use any more.

        Stock, limits and who may have it are looked at when she taps.
        """
        if isinstance(part, CouponCard) and part.claim:
            coupon = self._coupons.get(part.coupon)
            return DELETED if coupon is None else closed_reason(coupon, self._now)
        if isinstance(part, LineCouponPart):
            return self._line_coupons.get(part.line_coupon, DELETED)
        if isinstance(part, TopicCard):
            known = self._topics.get(part.topic)
            if known is None:
                return DELETED
            return None if known.topic.archived_at is None else TOPIC_OVER
        if isinstance(part, SurveyCard):
            return self._survey_over(part.survey)
        if not isinstance(part, LotteryCard):
            return None
        if part.lottery not in self._lotteries:
            return DELETED
        return LOTTERY_OVER if part.lottery in self._over else None

    def _survey_over(self, code: str) -> str | None:
        known = self._surveys.get(code)
        if known is None:
            return DELETED
        closed = (*survey_states.OVER, survey_states.Phase.DRAFT)
        return SURVEY_OVER if survey_states.phase_of(known.survey, self._now) in closed else None

    def surveys(self, item: Item, public_url: str) -> dict[str, SurveyView]:
        """The cards of the surveys one friend can answer, knowing where they came from."""
        return {
            code: self._surveys[code].card(
                item.friend_id, self._sending(code, item), public_url, self.locale
            )
            for code in survey_codes(item.parts)
            if self._survey_over(code) is None
        }

    def _sending(self, code: str, item: Item) -> SurveySending:
        key = (code, item.origin, item.origin_id, item.place)
        if key not in self._sendings:
            survey = self._surveys[code].survey
            self._sendings[key] = sending_of(survey, *key[1:], now=self._now)
        return self._sendings[key]

    def claims(self, item: Item) -> dict[str, CardView]:
        """The cards of the coupons one friend can claim, each with her own link."""
        found: dict[str, CardView] = {}
        for code in claim_codes(item.parts):
            coupon = self._coupons.get(code)
            if coupon is not None:
                view = self._views.get((coupon.id,)) or card_view(
                    coupon, None, "", self.locale, base_url=self.base_url
                )
                self._views[(coupon.id,)] = view
                source = Source(item.origin, item.origin_id)
                key = config.current().secret_key
                token = personal_token(coupon, item.friend_id, key, source)
                found[code] = replace(view, url=f"{self.base_url}/c/{token}", to_claim=True)
        return found

    def lotteries(self, item: Item, public_url: str) -> dict[str, LotteryView]:
        """The cards of the lotteries one friend can draw in."""
        return {
            code: self._lotteries[code].card(item.friend_id, public_url, self.locale)
            for code in lottery_codes(item.parts)
            if code in self._lotteries
        }

    def topics(self, item: Item) -> dict[str, TopicView]:
        """The cards of the topics a message asks about; its answers will say where they were."""
        return {code: self._topic(code, item) for code in topic_codes(item.parts)}

    def _topic(self, code: str, item: Item) -> TopicView:
        key = (code, item.origin, item.origin_id, item.place)
        if key not in self._asked:
            known = self._topics[code]
            if item.origin != TEST:
                note_ask(
                    known.topic,
                    origin=item.origin,
                    origin_id=item.origin_id,
                    origin_place=item.place,
                    now=self._now,
                )
            self._asked[key] = known.card(
                self.locale, origin=item.origin, origin_id=item.origin_id, place=item.place
            )
        return self._asked[key]


class _Tracked:
    """The links of each message, made once per program and place."""

    def __init__(self, public_url: str | None, now: datetime) -> None:
        self._base, self._now = public_url, now
        self._made: dict[tuple[int, str, int, int], MessageLinks | None] = {}

    def of(self, item: Item) -> Mapping[str, str]:
        if not self._base:
            return {}
        key = (id(item.parts), item.origin, item.origin_id, item.place)
        if key not in self._made:
            place = Place(item.origin, item.origin_id, item.place)
            self._made[key] = make_links(item.parts, place, self._now)
        links = self._made[key]
        return {} if links is None else links.for_friend(item.friend_id, self._base)


def _one(
    item: Item, copies: Copies, public_url: str | None, words: _CardWords, tracked: _Tracked
) -> Prepared:
    kept: list[Part] = []
    dropped: list[Dropped] = []
    for index, part in enumerate(item.parts):
        left, reason = _what_can_go(part, copies, public_url)
        if reason is None and (reason := words.over(part)) is not None:
            left = None
        if left is not None:
            kept.append(left)
        if reason is not None:
            dropped.append(Dropped(index, reason))
    # Without the copy it speaks of, a reminder is no use.
    if not bubbles(kept) or (dropped and item.origin == REMINDER):
        return Prepared(None, tuple(dropped), _skip_reason(dropped))
    issues = {code: copy for code, copy in copies.items() if isinstance(copy, CouponIssue)}
    cards = {
        code: words.card(copy, f"{public_url}{page_path(copy)}") for code, copy in issues.items()
    }
    context = Context(
        public_url or "",
        name=item.name,
        coupons=cards,
        claims=words.claims(item),
        lotteries=words.lotteries(item, public_url or ""),
        topics=words.topics(replace(item, parts=kept)),
        friend_url=_friend_url(item, public_url),
        surveys=words.surveys(item, public_url or ""),
        locale=words.locale,
        links=tracked.of(item),
    )
    mine = () if item.origin in SHOWING else tuple(issues.values())
    return Prepared(render(kept, context), tuple(dropped), issues=mine)


def _friend_url(item: Item, public_url: str | None) -> str:
    """The address of her own pages, where the message leads there."""
    if not any(isinstance(part, MyPage) for part in item.parts):
        return ""
    return f"{public_url}{my_pages.page_path(item.friend_id)}"


def _skip_reason(dropped: Sequence[Dropped]) -> str:
    found = {part.reason for part in dropped}
    if NO_PUBLIC_URL in found:
        return NO_PUBLIC_URL
    return COUPON_USED if found == {Reason.NOT_HELD} else COUPON_GONE


def _what_can_go(
    part: Part, copies: Copies, public_url: str | None
) -> tuple[Part | None, str | None]:
    """What of a part can go to this friend, and why the rest, or all of it, cannot."""
    if part.needs_public_url and not public_url:
        return None, NO_PUBLIC_URL
    refused = {
        code: reason
        for code in issued_codes([part])
        if (reason := _refusal(copies.get(code))) is not None
    }
    if not refused:
        return part, None
    left = part.without(list(refused)) if isinstance(part, Cards) else None
    return left, next(iter(refused.values()))


def _refusal(copy: CouponIssue | Refusal | None) -> str | None:
    if copy is None:
        return DELETED
    return str(copy.reason) if isinstance(copy, Refusal) else None
