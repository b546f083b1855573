"""多頁訊息: cards side by side, each with a picture, words and up to three buttons.

LINE's Flex carousel rather than its carousel template: friends see the same on every phone, and
cards may differ in what they hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from lineadmin.i18n import _
from lineadmin.line import limits
from lineadmin.line.text import cut_to_graphemes, grapheme_length, utf16_length
from lineadmin.messages import flex, names
from lineadmin.messages.braces import unmeant
from lineadmin.messages.links import tidy_link
from lineadmin.messages.part import Identifier, Part, Piece, Words, one_of

TITLE_GRAPHEMES, TEXT_GRAPHEMES = 40, 160  # ours: more would not fit on a phone
BUTTONS = 3
LINK_LONGEST = 160  # what a short address may grow to when its taps are counted


class CardButton(Piece):
    """A button of a card: opens an address, says a text, tells us quietly, or opens a coupon."""

    label: Words
    uri: str | None = None
    text: Words | None = None
    postback: str | None = None
    coupon: Identifier | None = None

    @model_validator(mode="after")
    def _one_action(self) -> CardButton:
        one_of(uri=self.uri, text=self.text, postback=self.postback, coupon=self.coupon)
        return self


class Card(Piece):
    """One card; it has at least a title or a text."""

    image: str | None = None  # the upload's token
    title: Words | None = None
    text: Words | None = None
    buttons: tuple[CardButton, ...] = Field(default=(), strict=False)


class Cards(Part):
    """Cards to leaf through sideways."""

    key: ClassVar[str] = "cards"
    nested: ClassVar[bool] = True
    alt: Words  # what notifications and the chat list say
    cards: tuple[Card, ...] = Field(strict=False)

    def buttons(self) -> Iterator[CardButton]:
        """Every button, card by card."""
        for card in self.cards:
            yield from card.buttons

    def words(self) -> Iterator[str]:
        """What may call the friend by her name."""
        yield self.alt
        for card in self.cards:
            yield card.title or ""
            yield card.text or ""

    def uris(self) -> Sequence[str]:
        return [button.uri for button in self.buttons() if button.uri is not None]

    def uploads(self) -> Sequence[str]:
        return [card.image for card in self.cards if card.image]

    def coupon_codes(self) -> Sequence[str]:
        return [button.coupon for button in self.buttons() if button.coupon]

    def without(self, codes: Sequence[str]) -> Cards | None:
        """The same without the buttons of these coupons, and without the cards that had no other
        button; None where no card is left."""
        kept = []
        for card in self.cards:
            buttons = tuple(one for one in card.buttons if one.coupon not in codes)
            if buttons or not card.buttons:
                kept.append(card.model_copy(update={"buttons": buttons}))
        return self.model_copy(update={"cards": tuple(kept)}) if kept else None


def check(part: Cards) -> Iterator[tuple[str, str]]:
    """What is wrong, as (field, sentence); coupons and pictures are looked at elsewhere."""
    if not part.alt.strip():
        yield "alt", _("Write what the notification says in place of the cards.")
    elif utf16_length(names.longest(part.alt)) > limits.ALT_TEXT_UNITS:
        yield "alt", _("At most %(limit)s characters.", limit=limits.ALT_TEXT_UNITS)
    yield from unmeant("alt", part.alt)
    if not part.cards:
        yield "cards", _("Add at least one card.")
    elif len(part.cards) > limits.FLEX_CAROUSEL_BUBBLES:
        yield "cards", _("At most %(limit)s cards.", limit=limits.FLEX_CAROUSEL_BUBBLES)
    for index, card in enumerate(part.cards):
        for field, sentence in _card(card):
            yield f"cards[{index}].{field}", sentence
    yield from _size(part)


def render(
    part: Cards,
    base_url: str,
    link: Callable[[str], str],
    coupon_url: Callable[[str], str],
    say: Callable[[str], str],
) -> dict[str, Any]:
    """LINE's Flex message; a single card is a bubble of its own. `say` puts the name in."""
    bubbles = [_bubble(card, base_url, link, coupon_url, say) for card in part.cards]
    contents = bubbles[0] if len(bubbles) == 1 else {"type": "carousel", "contents": bubbles}
    return flex.message(say(part.alt), contents)


def _card(card: Card) -> Iterator[tuple[str, str]]:
    if not (card.title or "").strip() and not (card.text or "").strip():
        yield "title", _("Give the card a title or a text.")
    for field, words, limit in (
        ("title", card.title, TITLE_GRAPHEMES),
        ("text", card.text, TEXT_GRAPHEMES),
    ):
        if words is None:
            continue
        if grapheme_length(words) > limit:
            yield field, _("At most %(limit)s characters.", limit=limit)
        yield from unmeant(field, words)
    if len(card.buttons) > BUTTONS:
        yield "buttons", _("At most %(limit)s buttons on a card.", limit=BUTTONS)
    for index, button in enumerate(card.buttons):
        for field, sentence in _button(button):
            yield f"buttons[{index}].{field}", sentence


def _button(button: CardButton) -> Iterator[tuple[str, str]]:
    limit = limits.LABEL_QUICK_REPLY_GRAPHEMES
    if not button.label.strip():
        yield "label", _("Write what stands on the button.")
    elif grapheme_length(button.label) > limit:
        yield "label", _("A button takes at most %(limit)s characters.", limit=limit)
    elif names.has_name(button.label):
        yield "label", _("{name} does not work on buttons.")
    if button.uri is not None and tidy_link(button.uri) is None:
        yield "value", _("Write a whole address, such as https://example.com, tel: or line:.")
    if button.text is not None:
        if not button.text.strip():
            yield "value", _("Write what the friend says by tapping the button.")
        elif grapheme_length(button.text) > limits.MESSAGE_ACTION_GRAPHEMES:
            yield (
                "value",
                _(
                    "At most %(limit)s characters can be said by a tap.",
                    limit=limits.MESSAGE_ACTION_GRAPHEMES,
                ),
            )
    if button.postback is not None and not (
        0 < utf16_length(button.postback) <= limits.POSTBACK_DATA_UNITS
    ):
        yield (
            "value",
            _(
                "The button's data has 1 to %(limit)s characters.",
                limit=limits.POSTBACK_DATA_UNITS,
            ),
        )


def _size(part: Cards) -> Iterator[tuple[str, str]]:
    """LINE counts the bytes of the cards as JSON, with the addresses they really open."""
    longest = "x" * LINK_LONGEST
    contents = render(
        part, longest, lambda uri: (tidy_link(uri) or uri).ljust(LINK_LONGEST, "x"),
        lambda _code: longest + longest, names.longest,
    )["contents"]  # fmt: skip
    bubbles = contents["contents"] if contents["type"] == "carousel" else [contents]
    for index, bubble in enumerate(bubbles):
        if _bytes(bubble) > limits.FLEX_BUBBLE_BYTES:
            yield f"cards[{index}].text", _("There is too much on this card. Shorten something.")
    if _bytes(contents) > limits.FLEX_CAROUSEL_BYTES:
        yield (
            "cards",
            _("All cards together are too much for LINE. Shorten or remove some."),
        )


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _bubble(
    card: Card,
    base_url: str,
    link: Callable[[str], str],
    coupon_url: Callable[[str], str],
    say: Callable[[str], str],
) -> dict[str, Any]:
    blocks: dict[str, Any] = {}
    if card.image:
        blocks["hero"] = flex.picture(f"{base_url}/media/{card.image}/preview")
    words = []
    if (card.title or "").strip():
        words.append(flex.text(say(card.title or ""), size="md", color=flex.INK, weight="bold"))
    if (card.text or "").strip():
        words.append(flex.text(say(card.text or ""), size="sm", color=flex.HINT))
    if words:
        blocks["body"] = flex.body(words)
    if card.buttons:
        actions = [_action(button, link, coupon_url) for button in card.buttons]
        buttons = [flex.button(action, style="link") for action in actions]
        blocks["footer"] = flex.footer(buttons, padding="4px")
        blocks["styles"] = flex.RULED
    return flex.bubble(**blocks)


def _action(
    button: CardButton, link: Callable[[str], str], coupon_url: Callable[[str], str]
) -> dict[str, Any]:
    label = cut_to_graphemes(button.label, limits.LABEL_FLEX_BUTTON_GRAPHEMES)
    if button.uri is not None:
        return flex.opens(label, link(button.uri))
    if button.coupon is not None:
        return flex.opens(label, coupon_url(button.coupon))
    if button.text is not None:
        return {"type": "message", "label": label, "text": button.text}
    return flex.postback(label, button.postback or "")
