"""What may be sent but reads badly on a phone: advice while writing, never a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lineadmin.i18n import _
from lineadmin.line.text import grapheme_length, utf16_length
from lineadmin.messages.check import Problem
from lineadmin.messages.parts import Cards, Part, QuickReplies, RichMessage, Text, bubbles
from lineadmin.messages.rich import overlapping

TEXT_COMFORTABLE_UNITS = 500
BUBBLES_COMFORTABLE = 3
WORDS_WITHOUT_PICTURE = 200
AREA_SMALLEST = 100  # of 1040: about a finger's width

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# Labels that tell nobody what comes next.
_EMPTY_LABELS = frozenset(
    (
        *("點我", "點此", "點這裡", "按我", "按此", "按這裡", "請點我", "請點此", "這裡", "連結"),
        *("click", "click me", "click here", "tap", "tap here", "here", "link"),
        *("こちら", "ここ", "クリック", "タップ", "ここをクリック", "ここをタップ"),
    )
)
_DECORATION = "【】「」[] \t\n!！。.、,，…~～>＞»→➡️⬇️👉👇:："


def hints(parts: Sequence[Part]) -> list[Problem]:
    """Each with its place and a code; staff may put one aside."""
    shown = bubbles(parts)
    found = [hint for index, part in enumerate(parts) for hint in _part(index, part)]
    if shown and isinstance(shown[0], Text) and _ADDRESS.search(shown[0].text):
        sentence = _("Begin with what it is about; the link can wait for the last bubble.")
        found.append(Problem(0, "text", sentence, "link_first"))
    if len(shown) > BUBBLES_COMFORTABLE:
        sentence = _(
            "More than %(limit)s bubbles at once feel like spam.", limit=BUBBLES_COMFORTABLE
        )
        found.append(Problem(None, "", sentence, "many_bubbles"))
    if shown and all(isinstance(part, Text) for part in shown):
        words = sum(grapheme_length(part.text) for part in shown if isinstance(part, Text))
        if words > WORDS_WITHOUT_PICTURE:
            sentence = _("Many words and no picture: a picture is looked at first.")
            found.append(Problem(None, "", sentence, "no_picture"))
    return found


def _part(index: int, part: Part) -> Iterator[Problem]:
    if isinstance(part, Text) and utf16_length(part.text) > TEXT_COMFORTABLE_UNITS:
        sentence = _(
            "More than %(limit)s characters are rarely read to the end.",
            limit=TEXT_COMFORTABLE_UNITS,
        )
        yield Problem(index, "text", sentence, "long_text")
    if isinstance(part, RichMessage):
        if overlapping(part.areas):
            sentence = _("Two areas overlap: a tap there could mean either.")
            yield Problem(index, "areas", sentence, "areas_overlap")
        if any(min(area.width, area.height) < AREA_SMALLEST for area in part.areas):
            sentence = _("An area is so small that a finger hardly hits it.")
            yield Problem(index, "areas", sentence, "area_small")
    vague = next((label for label in _labels(part) if _says_nothing(label)), None)
    if vague is not None:
        sentence = _(
            "“%(label)s” does not say what comes next. Name it: “See the menu”, “Get the coupon”.",
            label=vague,
        )
        yield Problem(index, "label", sentence, "vague_label")


def _labels(part: Part) -> Iterator[str]:
    if isinstance(part, QuickReplies):
        yield from (reply.label for reply in part.replies)
    elif isinstance(part, Cards):
        yield from (button.label for button in part.buttons())


def _says_nothing(label: str) -> bool:
    return label.strip(_DECORATION).casefold() in _EMPTY_LABELS
