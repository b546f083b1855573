"""圖文訊息: one picture with areas to tap. LINE calls it an imagemap.

Source: https://developers.line.biz/en/reference/messaging-api/#imagemap-message (2026-08-07)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from lineadmin.i18n import _
from lineadmin.line import limits
from lineadmin.line.text import cut_to_units, utf16_length
from lineadmin.messages import names
from lineadmin.messages.braces import unmeant
from lineadmin.messages.links import tidy_link
from lineadmin.messages.part import Part, Piece, Words, one_of

WIDTH = limits.IMAGEMAP_WIDTH
HEIGHT_LOWEST, HEIGHT_HIGHEST = WIDTH // 4, WIDTH * 2
NARROWEST = 1000  # what is left of 1040 × 2080 when it was made to fit 2048 pixels
PROPORTION_OFF = 0.02  # a picture and its height may differ by rounding, not by more


class Area(Piece):
    """A rectangle of the picture, in pixels of a picture 1040 wide, and what a tap in it does."""

    x: int
    y: int
    width: int
    height: int
    uri: str | None = None
    text: Words | None = None
    copy_text: Words | None = Field(default=None, alias="copy")

    @model_validator(mode="after")
    def _one_action(self) -> Area:
        one_of(uri=self.uri, text=self.text, copy=self.copy_text)
        return self


class RichMessage(Part):
    """A picture over the whole width; `height` is its height where its width is 1040."""

    key: ClassVar[str] = "rich_message"
    nested: ClassVar[bool] = True
    image: str  # the upload's token
    height: int
    alt: Words  # what notifications and the chat list say
    areas: tuple[Area, ...] = Field(strict=False)

    def uris(self) -> Sequence[str]:
        return [area.uri for area in self.areas if area.uri is not None]

    def uploads(self) -> Sequence[str]:
        return [self.image] if self.image else []


def height_of(width: int, height: int) -> int:
    """The height of a picture of these pixels once it is 1040 wide."""
    return round(height * WIDTH / width)


def check(part: RichMessage, size: tuple[int, int] | None) -> Iterator[tuple[str, str]]:
    """What is wrong, as (field, sentence). `size`: the picture's pixels, None where unknown."""
    if not part.image:
        yield "image", _("Choose a picture first.")
    elif size is not None:
        wrong = check_picture(*size)
        if wrong:
            yield "image", wrong
        elif abs(height_of(*size) - part.height) > part.height * PROPORTION_OFF:
            yield (
                "image",
                _(
                    "This picture is %(height)s high where it is 1,040 wide, not %(said)s.",
                    height=height_of(*size),
                    said=part.height,
                ),
            )
    if not part.alt.strip():
        yield "alt", _("Write what the notification says in place of the picture.")
    elif utf16_length(names.longest(part.alt)) > limits.ALT_TEXT_UNITS:
        yield "alt", _("At most %(limit)s characters.", limit=limits.ALT_TEXT_UNITS)
    yield from unmeant("alt", part.alt)
    if not part.areas:
        yield "areas", _("Draw at least one area to tap.")
    elif len(part.areas) > limits.IMAGEMAP_ACTIONS:
        yield "areas", _("At most %(limit)s areas.", limit=limits.IMAGEMAP_ACTIONS)
    for index, area in enumerate(part.areas[: limits.IMAGEMAP_ACTIONS]):
        for field, sentence in _area(area, part.height):
            yield f"areas[{index}].{field}", sentence


def check_picture(width: int, height: int) -> str | None:
    """Why a picture of these pixels cannot be a rich message; None where it can."""
    if width < NARROWEST:
        return _(
            "The picture is %(width)s pixels wide. A rich message needs at least %(needed)s.",
            width=width,
            needed=WIDTH,
        )
    if not HEIGHT_LOWEST <= height_of(width, height) <= HEIGHT_HIGHEST:
        return _("The picture is too long or too flat: at most twice as high as wide, or a "
                 "quarter of it.")  # fmt: skip
    return None


def render(
    part: RichMessage, base_url: str, link: Callable[[str], str], say: Callable[[str], str]
) -> dict[str, Any]:
    """LINE's imagemap. It fetches the picture at `baseUrl`/1040 and four smaller widths.

    :param say: puts the friend's name into the words of the notification
    """
    return {
        "type": "imagemap",
        "baseUrl": f"{base_url}/media/{part.image}/map",
        "altText": cut_to_units(say(part.alt), limits.ALT_TEXT_UNITS),
        "baseSize": {"width": WIDTH, "height": part.height},
        "actions": [_action(area, link) for area in part.areas],
    }


def overlapping(areas: Sequence[Area]) -> bool:
    """True where a tap could mean two things."""
    return any(
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
        for index, one in enumerate(areas)
        for other in areas[index + 1 :]
    )


def _area(area: Area, height: int) -> Iterator[tuple[str, str]]:
    inside = (
        area.x >= 0
        and area.y >= 0
        and area.width >= 1
        and area.height >= 1
        and area.x + area.width <= WIDTH
        and area.y + area.height <= height
    )
    if not inside:
        yield "box", _("This area reaches beyond the picture.")
    if area.uri is not None and tidy_link(area.uri) is None:
        yield "value", _("Write a whole address, such as https://example.com, tel: or line:.")
    if area.text is not None:
        if not area.text.strip():
            yield "value", _("Write what the friend says by tapping here.")
        elif utf16_length(area.text) > limits.IMAGEMAP_TEXT_UNITS:
            yield (
                "value",
                _(
                    "At most %(limit)s characters can be said by a tap.",
                    limit=limits.IMAGEMAP_TEXT_UNITS,
                ),
            )
    if area.copy_text is not None and not (
        0 < utf16_length(area.copy_text) <= limits.CLIPBOARD_UNITS
    ):
        yield (
            "value",
            _("What a tap copies has 1 to %(limit)s characters.", limit=limits.CLIPBOARD_UNITS),
        )


def _action(area: Area, link: Callable[[str], str]) -> dict[str, Any]:
    box = {"x": area.x, "y": area.y, "width": area.width, "height": area.height}
    if area.uri is not None:
        return {"type": "uri", "linkUri": link(area.uri), "area": box}
    if area.text is not None:
        return {"type": "message", "text": area.text, "area": box}
    return {"type": "clipboard", "clipboardText": area.copy_text, "area": box}
