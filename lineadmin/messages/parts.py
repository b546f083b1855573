"""What a message is made of: typed parts in our own words, not LINE's objects.

The JSON form is that of the shop file: a list of one-key objects, quick replies last:
`[{"text": "…"}, {"sticker": {"package": "446", "id": "1988"}}, {"image": token},
{"coupon": code}, {"quick_replies": [{"label": "看菜單", "text": "菜單"}]}]`.
A new kind of part is one more class in KINDS; what it looks like in LINE is render.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from lineadmin.errors import DomainError
from lineadmin.i18n import _l

ITEMS_LONGEST = 100  # far beyond LINE's 5: only a guard against nonsense


class PartsError(DomainError):
    """The JSON is not a list of parts. `path` leads to the place: (1, "sticker", "id")."""

    def __init__(self, message: object, path: tuple[int | str, ...]) -> None:
        super().__init__(message, field="messages" + "".join(f"[{step!r}]" for step in path))
        self.path = path


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


class Part(BaseModel):
    """One element of a message list. `key` is its name in the JSON form."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)
    key: ClassVar[str]
    nested: ClassVar[bool] = False  # its fields stand inside {key: {…}}, not beside the key
    needs_public_url: ClassVar[bool] = False  # LINE or the friend fetches it from this server

    def to_json(self) -> dict[str, Any]:
        """The shop-file form."""
        fields = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {self.key: fields} if self.nested else fields


class Text(Part):
    """A bubble of words, in which `{name}` stands for the friend's name."""

    key: ClassVar[str] = "text"
    text: Words


class Sticker(Part):
    """One of LINE's own stickers that accounts may send."""

    key: ClassVar[str] = "sticker"
    nested: ClassVar[bool] = True
    package_id: Identifier = Field(alias="package")
    sticker_id: Identifier = Field(alias="id")


class Image(Part):
    """A picture that was uploaded before."""

    key: ClassVar[str] = "image"
    needs_public_url: ClassVar[bool] = True
    upload: str = Field(alias="image")  # the upload's token


class CouponCard(Part):
    """A card that gives the friend a copy of a coupon and opens it."""

    key: ClassVar[str] = "coupon"
    needs_public_url: ClassVar[bool] = True
    coupon: Identifier  # the coupon's code


class QuickReply(BaseModel):
    """A button above the keyboard: it says a text, opens an address, or tells us quietly."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    label: Words
    text: Words | None = None
    uri: str | None = None
    postback: str | None = None

    @model_validator(mode="after")
    def _one_action(self) -> QuickReply:
        if sum(value is not None for value in (self.text, self.uri, self.postback)) != 1:
            raise ValueError("one action")
        return self


class QuickReplies(Part):
    """The buttons under the last message; they go as soon as the friend says something."""

    key: ClassVar[str] = "quick_replies"
    replies: tuple[QuickReply, ...] = Field(alias="quick_replies", strict=False)


KINDS: Mapping[str, type[Part]] = {
    kind.key: kind for kind in (Text, Sticker, Image, CouponCard, QuickReplies)
}
KEYS = ", ".join(KINDS)


def parse_parts(json: object) -> list[Part]:
    """Parts from their JSON form. Says nothing on whether they can be sent: check.py does.

    :raises PartsError: not a list, an unknown key, a missing or mistyped value
    """
    if not isinstance(json, (list, tuple)):
        raise PartsError(_l("Messages are a list."), ())
    if len(json) > ITEMS_LONGEST:
        raise PartsError(_l("These are too many messages."), ())
    parts = [_parse_part(item, index) for index, item in enumerate(json)]
    for index, part in enumerate(parts[:-1]):
        if isinstance(part, QuickReplies):
            raise PartsError(
                _l("Quick replies come last, once, after all messages."), (index, part.key)
            )
    return parts


def dump_parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """The JSON form of parts; parsing it again gives equal parts."""
    return [part.to_json() for part in parts]


def bubbles(parts: Sequence[Part]) -> list[Part]:
    """The parts that become messages: all but the quick replies."""
    return [part for part in parts if not isinstance(part, QuickReplies)]


def quick_replies(parts: Sequence[Part]) -> tuple[QuickReply, ...]:
    """The quick replies of a message list; none when there are none."""
    last = parts[-1] if parts else None
    return last.replies if isinstance(last, QuickReplies) else ()


def coupon_codes(parts: Iterable[Part]) -> list[str]:
    """Codes of the coupons the parts hand out, each once, in order."""
    return list(dict.fromkeys(part.coupon for part in parts if isinstance(part, CouponCard)))


def upload_tokens(parts: Iterable[Part]) -> list[str]:
    """Tokens of the pictures the parts show, each once, in order."""
    return list(dict.fromkeys(part.upload for part in parts if isinstance(part, Image)))


def _parse_part(item: object, index: int) -> Part:
    number = index + 1
    if not isinstance(item, Mapping):
        raise PartsError(
            _l("Message %(number)s is not an object such as {text: …}.", number=number), (index,)
        )
    kinds = [KINDS[key] for key in item if key in KINDS]
    if len(kinds) != 1:
        unknown = next((key for key in item if key not in KINDS), None)
        if unknown is not None:
            raise _unknown_key(number, unknown, KEYS, (index, str(unknown)))
        raise PartsError(
            _l("Message %(number)s needs exactly one of: %(keys)s.", number=number, keys=KEYS),
            (index,),
        )
    kind = kinds[0]
    if kind.nested and len(item) > 1:
        unknown = next(key for key in item if key != kind.key)
        raise _unknown_key(number, unknown, kind.key, (index, str(unknown)))
    fields: Any = item[kind.key] if kind.nested else dict(item)
    try:
        return kind.model_validate(fields, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _explain(error, kind, index) from None


def _explain(error: ValidationError, kind: type[Part], index: int) -> PartsError:
    first = error.errors(include_url=False)[0]
    inside = tuple(step for step in first["loc"] if isinstance(step, (int, str)))
    path = (index, kind.key, *inside) if kind.nested else (index, *inside)
    number, name = index + 1, str(inside[-1]) if inside else kind.key
    if first["type"] == "extra_forbidden":
        return _unknown_key(number, name, _field_names(kind, inside), path)
    if first["type"] == "missing":
        return PartsError(
            _l("Message %(number)s: “%(key)s” is missing.", number=number, key=name), path
        )
    if first["type"] == "value_error":
        return PartsError(
            _l(
                "Message %(number)s: a quick reply has exactly one of text, uri and postback.",
                number=number,
            ),
            path,
        )
    if first["type"] == "string_type":
        return PartsError(
            _l(
                "Message %(number)s: “%(key)s” has to be a text; put it in quotes.",
                number=number,
                key=name,
            ),
            path,
        )
    return PartsError(
        _l("Message %(number)s: “%(key)s” is not of the right kind.", number=number, key=name),
        path,
    )


def _field_names(kind: type[Part], inside: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = QuickReply if len(inside) > 1 else kind
    return ", ".join(field.alias or name for name, field in model.model_fields.items())


def _unknown_key(number: int, key: object, known: str, path: tuple[int | str, ...]) -> PartsError:
    return PartsError(
        _l(
            "Message %(number)s: the key “%(key)s” is not known. Known here: %(known)s.",
            number=number,
            key=str(key)[:60],
            known=known,
        ),
        path,
    )
