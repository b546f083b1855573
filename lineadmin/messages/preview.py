"""A message as the composer shows it while it is written: on the phone, with what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from lineadmin.coupons.card import card_view
from lineadmin.i18n import DEFAULT_LOCALE
from lineadmin.members.pages import PAGES
from lineadmin.messages.check import Problem, check_parts
from lineadmin.messages.hints import hints
from lineadmin.messages.parts import (
    Cards,
    LineCouponPart,
    LotteryCard,
    MyPage,
    Part,
    PartsError,
    RichMessage,
    SurveyCard,
    TopicCard,
    Video,
    parse_parts,
)
from lineadmin.messages.references import References, look_up
from lineadmin.messages.render import Context, render
from lineadmin.messages.tracked import tracked_addresses
from lineadmin.tracking.names import short

SAMPLE_NAME = "小明"
NOWHERE = "https://line.me/"  # where the buttons of a preview would lead


@dataclass(frozen=True)
class Preview:
    """LINE's message objects as far as they can be drawn, with problems and hints."""

    messages: list[dict[str, Any]]
    problems: list[Problem]
    hints: list[Problem]
    links: list[str] = field(default_factory=list)  # addresses that can be tracked

    def to_json(self) -> dict[str, Any]:
        """For the browser."""
        return {
            "messages": self.messages,
            "problems": [_problem_json(problem) for problem in self.problems],
            "hints": [_problem_json(problem) for problem in self.hints],
            "links": [{"url": url, "short": short(url)} for url in self.links],
        }


def preview(
    parts_json: object,
    *,
    now: datetime,
    public_url: str | None,
    name: str | None = SAMPLE_NAME,
    locale: str = DEFAULT_LOCALE,
    variables: bool = False,
) -> Preview:
    """What a friend called `name` would see. Pictures have relative addresses; nothing is issued
    and nothing is stored. Never raises: what cannot be read is a problem."""
    try:
        parts = parse_parts(parts_json)
    except PartsError as error:
        return Preview([], [problem_of(error)], [])
    references = look_up(parts)
    problems = check_parts(
        parts, references=references, now=now, public_url=public_url, variables=variables
    )
    cards = {
        code: card_view(coupon, None, NOWHERE, locale)
        for code, coupon in references.coupons.items()
    }
    shown = [drawn for part in parts if (drawn := _drawn(part, references)) is not None]
    lotteries = {
        code: known.sample(NOWHERE, locale) for code, known in references.lotteries.items()
    }
    surveys = {code: known.sample(NOWHERE, locale) for code, known in references.surveys.items()}
    claims = {code: replace(card, to_claim=True) for code, card in cards.items()}
    topics = {code: known.card(locale) for code, known in references.topics.items()}
    context = Context(
        "",
        name=name,
        coupons=cards,
        claims=claims,
        lotteries=lotteries,
        topics=topics,
        friend_url=NOWHERE,
        surveys=surveys,
        locale=locale,
    )
    messages = [_titled(message, references) for message in render(shown, context)]
    return Preview(messages, problems, hints(parts), tracked_addresses(parts))


def _titled(message: dict[str, Any], references: References) -> dict[str, Any]:
    """A coupon of LINE's says only its id; a preview draws its title."""
    known = references.line_coupons.get(str(message.get("couponId")))
    return message if known is None else {**message, "title": known.title}


def _drawn(part: Part, references: References) -> Part | None:
    """What of a part can be drawn already, while it is still being written."""
    missing = [code for code in part.coupon_codes() if code not in references.coupons]
    if isinstance(part, Cards):
        cards = []
        for card in part.cards:
            buttons = tuple(one for one in card.buttons if one.coupon not in missing)
            image = card.image if card.image in references.uploads else None
            cards.append(card.model_copy(update={"buttons": buttons, "image": image}))
        return part.model_copy(update={"cards": tuple(cards)}) if cards else None
    if isinstance(part, LineCouponPart) and part.line_coupon not in references.line_coupons:
        return None
    if isinstance(part, MyPage) and part.my_page not in PAGES:
        return None
    if isinstance(part, LotteryCard) and part.lottery not in references.lotteries:
        return None
    if isinstance(part, TopicCard) and part.topic not in references.topics:
        return None
    if isinstance(part, SurveyCard) and part.survey not in references.surveys:
        return None
    if missing or any(token not in references.uploads for token in part.uploads()):
        return None
    if isinstance(part, RichMessage) and not part.image:
        return None
    return None if isinstance(part, Video) and not part.preview else part


def problem_of(error: PartsError) -> Problem:
    """Why the JSON is no message, as a problem at its place."""
    first = error.path[0] if error.path else None
    return Problem(first if isinstance(first, int) else None, "", str(error))


def _problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "part": problem.part_index,
        "field": problem.field,
        "sentence": problem.sentence,
        **({"code": problem.code} if problem.code else {}),
    }
