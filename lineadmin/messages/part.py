"""What every kind of part shares: its JSON form, and texts that can be stored and sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict


def clean(text: str) -> str:
    """`text` as it can be stored and sent: plain line ends, no control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isprintable():
        text = "".join(one for one in text if one in "\n\t" or one >= " ")
        text = text.replace("\x7f", "").encode("utf-8", "ignore").decode("utf-8")
    return text.rstrip("\n")


def _clean_value(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _number_as_text(value: object) -> object:
    # YAML reads an unquoted 446 as a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Words = Annotated[str, BeforeValidator(_clean_value)]
Identifier = Annotated[str, BeforeValidator(_number_as_text)]


class Piece(BaseModel):
    """Something inside a part: a button, a card, an area."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class Part(Piece):
    """One element of a message list. `key` is its name in the JSON form."""

    key: ClassVar[str]
    nested: ClassVar[bool] = False  # its fields stand inside {key: {…}}, not beside the key

    def to_json(self) -> dict[str, Any]:
        """The shop-file form."""
        fields = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {self.key: fields} if self.nested else fields

    @property
    def needs_public_url(self) -> bool:
        """Whether LINE or the friend fetches something of it from this server."""
        return bool(self.uploads() or self.coupon_codes())

    def uris(self) -> Sequence[str]:
        """The addresses its taps open, as staff wrote them."""
        return ()

    def uploads(self) -> Sequence[str]:
        """Tokens of the uploaded files it shows."""
        return ()

    def coupon_codes(self) -> Sequence[str]:
        """Codes of the coupons it hands out."""
        return ()


def one_of(**given: object) -> None:
    """Pass where exactly one of these was given.

    :raises ValueError: none or several; the text is the list of names
    """
    if sum(value is not None for value in given.values()) != 1:
        raise ValueError(", ".join(given))
