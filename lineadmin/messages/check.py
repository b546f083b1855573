"""Can these parts be sent? Counted as LINE counts, told in the words of staff.

`check_parts` lists what LINE would refuse or a friend could not read; what only reads badly is
hints.py's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lineadmin.errors import DomainError
from lineadmin.friends.tags import DYNAMIC
from lineadmin.i18n import _, _n, format_count
from lineadmin.line import limits
from lineadmin.line.text import grapheme_length, utf16_length
from lineadmin.messages import cards, film, my_page_card, names, pointing, rich
from lineadmin.messages.links import replace_addresses, tidy_link
from lineadmin.messages.parts import (
    Cards,
    CouponCard,
    Image,
    LineCouponPart,
    LinkNote,
    LotteryCard,
    MyPage,
    Part,
    QuickReplies,
    QuickReply,
    RichMessage,
    Sticker,
    SurveyCard,
    Text,
    TopicCard,
    Video,
    bubbles,
    tracking,
)
from lineadmin.messages.references import References, look_up
from lineadmin.messages.tracked import tracked_addresses
from lineadmin.tracking.links import LONGEST_NAME as LONGEST_LINK_NAME
from lineadmin.tracking.links import MOST_DAYS as MOST_TAG_DAYS
from lineadmin.tracking.tokens import LONGEST_PATH

LONGEST_LINK = 100 + LONGEST_PATH  # with the longest address this server is likely to have


@dataclass(frozen=True)
class Problem:
    """Something to mend. `part_index` is None where it concerns the message as a whole.

    `field` names the input within the part: text, sticker, image, coupon, `areas[0].value`, or for
    quick replies `replies[0].label`. `code` names the kind of a hint.
    """

    part_index: int | None
    field: str
    sentence: str
    code: str = ""


def check_parts(
    parts: Sequence[Part],
    *,
    references: References | None = None,
    now: datetime | None = None,
    public_url: str | None = "",
    variables: bool = False,
) -> list[Problem]:
    """Everything that keeps the parts from being sent; an empty list means they can be.

    `references` tells which coupons and pictures exist (`references.look_up`); without it that
    is not checked. `variables`: words in braces may stand in texts (notice.py). `public_url` None
    means that this server has no address of its own.
    """
    problems = list(_whole(parts))
    followed = tracking(parts) is not None
    problems += list(_tracking(parts, references, public_url))
    for index, part in enumerate(parts):
        found = _part(part, references, now, public_url, followed=followed, variables=variables)
        for field, sentence in found:
            problems.append(Problem(index, field, sentence))
    return problems


def require_sendable(
    parts: Sequence[Part], *, now: datetime, public_url: str | None, field: str = "messages"
) -> None:
    """:raises DomainError: the first of the problems, as a sentence"""
    problems = check_parts(parts, references=look_up(parts), now=now, public_url=public_url)
    if problems:
        raise DomainError(located(problems[0]), field=field)


def located(problem: Problem) -> str:
    """The problem's sentence with the number of the message it belongs to."""
    if problem.part_index is None:
        return problem.sentence
    return _(
        "Message %(number)s: %(sentence)s",
        number=problem.part_index + 1,
        sentence=problem.sentence,
    )


def _whole(parts: Sequence[Part]) -> Iterator[Problem]:
    count = len(bubbles(parts))
    if count == 0:
        yield Problem(None, "", _("Write at least one message."))
    if count > limits.MESSAGES_PER_REQUEST:
        yield Problem(
            None,
            "",
            _n(
                "LINE takes at most %(limit)s bubbles at once; take %(count)s away.",
                "LINE takes at most %(limit)s bubbles at once; take %(count)s away.",
                count - limits.MESSAGES_PER_REQUEST,
                limit=limits.MESSAGES_PER_REQUEST,
            ),
        )


def _tracking(
    parts: Sequence[Part], references: References | None, public_url: str | None
) -> Iterator[Problem]:
    track = tracking(parts)
    if track is None:
        return
    here = len(parts) - 1
    addresses = tracked_addresses(parts)
    if addresses and public_url is None:
        sentence = _("Tracked links need this server's public address (PUBLIC_URL).")
        yield Problem(here, "track", sentence)
    for index, note in enumerate(track.links):
        for field, sentence in _link_note(note, addresses, references):
            yield Problem(here, f"links[{index}].{field}", sentence)


def _link_note(
    note: LinkNote, addresses: list[str], references: References | None
) -> Iterator[tuple[str, str]]:
    if (tidy_link(note.url) or note.url) not in addresses:
        yield "url", _("The message has no web address %(url)s.", url=note.url[:80])
    if note.name is not None and len(note.name) > LONGEST_LINK_NAME:
        yield "name", _("At most %(count)s characters.", count=LONGEST_LINK_NAME)
    if note.days is not None and not 1 <= note.days <= MOST_TAG_DAYS:
        yield "days", _("A tag lasts 1 to %(most)s days.", most=MOST_TAG_DAYS)
    if note.days is not None and not note.tag:
        yield "tag", _("Choose the tag that lasts so many days.")
    if note.tag and references is not None:
        kind = references.tags.get(note.tag)
        if kind is None:
            yield "tag", _("There is no tag “%(name)s”.", name=note.tag[:40])
        elif kind != DYNAMIC:
            yield (
                "tag",
                _("“%(name)s” is set by people. A link adds dynamic tags only.", name=note.tag),
            )


def _part(
    part: Part,
    references: References | None,
    now: datetime | None,
    public_url: str | None,
    *,
    followed: bool,
    variables: bool,
) -> Iterator[tuple[str, str]]:
    if isinstance(part, Text):
        yield from _text(part.text, followed=followed, variables=variables)
    elif isinstance(part, Sticker):
        yield from _sticker(part)
    elif isinstance(part, QuickReplies):
        yield from _quick_replies(part.replies)
    elif isinstance(part, Image):
        yield from _picture("image", part.upload, references)
    elif isinstance(part, CouponCard):
        yield from _said("coupon", pointing.coupon(part.coupon, references, now))
    elif isinstance(part, LineCouponPart):
        sentence = pointing.line_coupon(part.line_coupon, references, now)
        yield from _said("line_coupon", sentence)
    elif isinstance(part, LotteryCard):
        yield from _said("lottery", pointing.lottery(part.lottery, references, now))
    elif isinstance(part, TopicCard):
        yield from _said("topic", pointing.topic(part.topic, references))
    elif isinstance(part, MyPage):
        yield from my_page_card.check(part)
    elif isinstance(part, SurveyCard):
        yield from _said("survey", pointing.survey(part.survey, references, now))
    elif isinstance(part, RichMessage):
        size = None if references is None else references.uploads.get(part.image)
        yield from rich.check(part, size)
        if part.image:
            yield from _picture("image", part.image, references)
    elif isinstance(part, Cards):
        yield from cards.check(part)
        yield from _card_references(part, references, now)
    elif isinstance(part, Video):
        yield from film.check(part)
        if part.preview:
            yield from _picture("preview", part.preview, references)
        if part.upload and references is not None and part.upload not in references.films:
            yield "url", _("This film does not exist any more. Upload it again.")
    if part.needs_public_url and public_url is None:
        yield (
            part.key,
            _("Pictures, films and coupons need this server's public address (PUBLIC_URL)."),
        )


def _text(
    text: str, *, followed: bool = False, variables: bool = False
) -> Iterator[tuple[str, str]]:
    if not text.strip():
        yield "text", _("Write something, or take this bubble away.")
    elif not names.substitute(text, None).strip():
        yield "text", _("Without a name this bubble would be empty. Write something more.")
    for written in names.unknown_placeholders(text):
        if variables and names.is_variable(written):
            continue
        yield (
            "text",
            _(
                "%(written)s means nothing here. Write {name} for the friend's name, and {{ for "
                "a brace.",
                written=written[:40],
            ),
        )
    # A tracked address is longer or shorter than the one that was written.
    sent = replace_addresses(text, lambda _address: "x" * LONGEST_LINK) if followed else text
    over = utf16_length(names.longest(sent)) - limits.TEXT_UNITS
    if over > 0:
        yield (
            "text",
            _(
                "%(over)s characters too many: LINE takes %(limit)s, an emoji counts as two.",
                over=format_count(over),
                limit=format_count(limits.TEXT_UNITS),
            ),
        )


def _sticker(part: Sticker) -> Iterator[tuple[str, str]]:
    for number in (part.package_id, part.sticker_id):
        if not (number.isascii() and number.isdigit()):
            yield "sticker", _("A sticker has two numbers: its package and its own.")
            return
        if len(number) > limits.STICKER_ID_DIGITS:
            yield "sticker", _("There is no such sticker.")
            return


def _picture(field: str, token: str, references: References | None) -> Iterator[tuple[str, str]]:
    if references is not None and token not in references.uploads:
        yield field, _("This picture does not exist any more. Upload it again.")


def _card_references(
    part: Cards, references: References | None, now: datetime | None
) -> Iterator[tuple[str, str]]:
    for index, card in enumerate(part.cards):
        place = f"cards[{index}]"
        if card.image:
            yield from _picture(f"{place}.image", card.image, references)
        for number, button in enumerate(card.buttons):
            if button.coupon is not None:
                field = f"{place}.buttons[{number}].value"
                yield from _said(field, pointing.coupon(button.coupon, references, now))


def _said(field: str, sentence: str) -> Iterator[tuple[str, str]]:
    if sentence:
        yield field, sentence


def _quick_replies(replies: Sequence[QuickReply]) -> Iterator[tuple[str, str]]:
    if len(replies) > limits.QUICK_REPLIES:
        yield (
            "replies",
            _("LINE shows at most %(limit)s quick replies.", limit=limits.QUICK_REPLIES),
        )
    for index, reply in enumerate(replies):
        for field, sentence in _quick_reply(reply):
            yield f"replies[{index}].{field}", sentence


def _quick_reply(reply: QuickReply) -> Iterator[tuple[str, str]]:
    if not reply.label.strip():
        yield "label", _("Write what stands on the button.")
    elif grapheme_length(reply.label) > limits.LABEL_QUICK_REPLY_GRAPHEMES:
        yield (
            "label",
            _(
                "A button takes at most %(limit)s characters.",
                limit=limits.LABEL_QUICK_REPLY_GRAPHEMES,
            ),
        )
    elif names.has_name(reply.label):
        yield "label", _("{name} works in texts only.")
    if reply.text is not None:
        if not reply.text.strip():
            yield "text", _("Write what the friend says by tapping the button.")
        elif grapheme_length(reply.text) > limits.MESSAGE_ACTION_GRAPHEMES:
            yield (
                "text",
                _(
                    "At most %(limit)s characters can be said by a tap.",
                    limit=limits.MESSAGE_ACTION_GRAPHEMES,
                ),
            )
    if reply.uri is not None and tidy_link(reply.uri) is None:
        yield "uri", _("Write a whole address, such as https://example.com, tel: or line:.")
    if reply.data is not None and utf16_length(reply.data) > limits.POSTBACK_DATA_UNITS:
        yield "data", _("At most %(limit)s characters.", limit=limits.POSTBACK_DATA_UNITS)
    if reply.postback is not None and not (
        0 < utf16_length(reply.postback) <= limits.POSTBACK_DATA_UNITS
    ):
        yield (
            "postback",
            _(
                "The button's data has 1 to %(limit)s characters.",
                limit=limits.POSTBACK_DATA_UNITS,
            ),
        )
