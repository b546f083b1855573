"""What a message is made of: typed parts in our own words, not LINE's objects.

The JSON form is that of the shop file: a list of one-key objects, quick replies last:
`[{"text": "…"}, {"sticker": {"package": "446", "id": "1988"}}, {"image": token},
{"coupon": code, "claim": true}, {"topic": code}, {"rich_message": {…}}, {"cards": {…}},
{"video": {…}}, {"quick_replies": [{"label": "看菜單", "text": "菜單"}]}]`.

`{"track": "friend"}` or `{"track": "total"}`, after everything else, sends every web address of the
message through a link of ours. "friend": each friend gets links of her own, so it is known who
opened them, and the message is pushed to each apart. "total": one link for all, which only counts
and leaves the message what it is. Its optional `links` say more about some of the addresses:
`{"track": "friend", "links": [{"url": "https://…", "name": "菜單", "tag": "看過菜單",
"days": 30}]}` names one for staff and gives whoever opens it a dynamic tag for so many days.

A new kind of part is one more class in KINDS; what it looks like in LINE is render.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.messages.cards import Cards
from lineadmin.messages.film import Video
from lineadmin.messages.line_coupon import LineCouponPart
from lineadmin.messages.links import web_addresses
from lineadmin.messages.lottery_card import LotteryCard
from lineadmin.messages.my_page_card import MyPage
from lineadmin.messages.part import Identifier, Part, Piece, Words, clean, one_of
from lineadmin.messages.rich import RichMessage
from lineadmin.messages.survey_card import SurveyCard
from lineadmin.messages.topic_card import TopicCard

ITEMS_LONGEST = 100  # far beyond LINE's 5: only a guard against nonsense


class PartsError(DomainError):
    """The JSON is not a list of parts. `path` leads to the place: (1, "sticker", "id")."""

    def __init__(self, message: object, path: tuple[int | str, ...]) -> None:
        super().__init__(message, field="messages" + "".join(f"[{step!r}]" for step in path))
        self.path = path


class Text(Part):
    """A bubble of words, in which `{name}` stands for the friend's name."""

    key: ClassVar[str] = "text"
    text: Words

    def uris(self) -> Sequence[str]:
        return web_addresses(self.text)


class Sticker(Part):
    """One of LINE's own stickers that accounts may send."""

    key: ClassVar[str] = "sticker"
    nested: ClassVar[bool] = True
    package_id: Identifier = Field(alias="package")
    sticker_id: Identifier = Field(alias="id")


class Image(Part):
    """A picture that was uploaded before."""

    key: ClassVar[str] = "image"
    upload: str = Field(alias="image")  # the upload's token

    def uploads(self) -> Sequence[str]:
        return [self.upload]


class CouponCard(Part):
    """A card that gives the friend a copy of a coupon and opens it.

    With `claim` it carries only her own link, and the copy is made, and taken from stock, when she
    taps it.
    """

    key: ClassVar[str] = "coupon"
    coupon: Identifier  # the coupon's code
    claim: bool = False

    def to_json(self) -> dict[str, Any]:
        """Without `claim` where the copy goes out with the message."""
        written = super().to_json()
        if not self.claim:
            written.pop("claim")
        return written

    def coupon_codes(self) -> Sequence[str]:
        return [self.coupon]


Ask = Literal["location", "camera", "album", "date", "time", "datetime"]
PICKERS = ("date", "time", "datetime")


class QuickReply(Piece):
    """A button above the keyboard: it says a text, opens an address, tells us quietly, or asks
    for something the phone can give: where she is, a picture, a date or a time."""

    label: Words
    text: Words | None = None
    uri: str | None = None
    postback: str | None = None
    ask: Ask | None = None
    data: str | None = None  # comes back with the date or time; the label where it is missing

    @model_validator(mode="after")
    def _one_action(self) -> QuickReply:
        one_of(text=self.text, uri=self.uri, postback=self.postback, ask=self.ask)
        return self


class QuickReplies(Part):
    """The buttons under the last message; they go as soon as the friend says something."""

    key: ClassVar[str] = "quick_replies"
    replies: tuple[QuickReply, ...] = Field(alias="quick_replies", strict=False)

    def uris(self) -> Sequence[str]:
        return [reply.uri for reply in self.replies if reply.uri is not None]


class LinkNote(Piece):
    """What staff say about one address of the message."""

    url: str
    name: Words | None = None
    tag: Words | None = None
    days: int | None = None


class Track(Part):
    """Not a bubble: how the message's addresses are followed."""

    key: ClassVar[str] = "track"
    track: Literal["friend", "total"]
    links: tuple[LinkNote, ...] = Field(default=(), strict=False)

    def to_json(self) -> dict[str, Any]:
        """Without an empty list of links."""
        written = super().to_json()
        if not self.links:
            written.pop("links", None)
        return written


KINDS: Mapping[str, type[Part]] = {
    kind.key: kind
    for kind in (
        Text,
        Sticker,
        Image,
        CouponCard,
        LotteryCard,
        SurveyCard,
        LineCouponPart,
        TopicCard,
        MyPage,
        RichMessage,
        Cards,
        Video,
        QuickReplies,
        Track,
    )
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
        if isinstance(part, QuickReplies) and not isinstance(parts[index + 1], Track):
            raise PartsError(
                _l("Quick replies come last, once, after all messages."), (index, part.key)
            )
        if isinstance(part, Track):
            raise PartsError(_l("“track” comes last, once, after all messages."), (index, part.key))
    return parts


def dump_parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """The JSON form of parts; parsing it again gives equal parts."""
    return [part.to_json() for part in parts]


def bubbles(parts: Sequence[Part]) -> list[Part]:
    """The parts that become messages: all but the quick replies and the tracking."""
    return [part for part in parts if not isinstance(part, (QuickReplies, Track))]


def quick_replies(parts: Sequence[Part]) -> tuple[QuickReply, ...]:
    """The quick replies of a message list; none when there are none."""
    found = [part for part in parts[-2:] if isinstance(part, QuickReplies)]
    return found[0].replies if found else ()


def tracking(parts: Sequence[Part]) -> Track | None:
    """How the message's addresses are followed; None where they are left alone."""
    last = parts[-1] if parts else None
    return last if isinstance(last, Track) else None


def coupon_codes(parts: Iterable[Part]) -> list[str]:
    """Codes of the coupons the parts hand out or let claim, each once, in order."""
    return list(dict.fromkeys(code for part in parts for code in part.coupon_codes()))


def issued_codes(parts: Iterable[Part]) -> list[str]:
    """Codes of the coupons of which the message itself carries a copy, each once, in order."""
    return coupon_codes(part for part in parts if not is_claim(part))


def claim_codes(parts: Iterable[Part]) -> list[str]:
    """Codes of the coupons whose copy is made on the tap, each once, in order."""
    return coupon_codes(part for part in parts if is_claim(part))


def is_claim(part: Part) -> bool:
    """Whether it is a coupon that the friend claims by a tap."""
    return isinstance(part, CouponCard) and part.claim


def lottery_codes(parts: Iterable[Part]) -> list[str]:
    """Codes of the lotteries the parts let friends draw in, each once, in order."""
    return list(dict.fromkeys(part.lottery for part in parts if isinstance(part, LotteryCard)))


def topic_codes(parts: Iterable[Part]) -> list[str]:
    """Codes of the topics the parts ask friends about, each once, in order."""
    return list(dict.fromkeys(part.topic for part in parts if isinstance(part, TopicCard)))


def survey_codes(parts: Iterable[Part]) -> list[str]:
    """Codes of the surveys the parts lead to, each once, in order."""
    return list(dict.fromkeys(part.survey for part in parts if isinstance(part, SurveyCard)))


def line_coupon_ids(parts: Iterable[Part]) -> list[str]:
    """LINE's ids of the LINE coupons in the parts, each once, in order."""
    return list(
        dict.fromkeys(part.line_coupon for part in parts if isinstance(part, LineCouponPart))
    )


def upload_tokens(parts: Iterable[Part]) -> list[str]:
    """Tokens of the pictures the parts show, each once, in order."""
    return list(dict.fromkeys(token for part in parts for token in part.uploads()))


def film_tokens(parts: Iterable[Part]) -> list[str]:
    """Tokens of the uploaded films, each once, in order."""
    films = (part.upload for part in parts if isinstance(part, Video))
    return list(dict.fromkeys(token for token in films if token))


def uris(parts: Iterable[Part]) -> list[str]:
    """The addresses that taps on buttons, cards, areas and on words of a text open, as staff wrote
    them, each once."""
    return list(dict.fromkeys(uri for part in parts for uri in part.uris()))


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
                "Message %(number)s: exactly one of these is needed here: %(keys)s.",
                number=number,
                keys=str(first["ctx"]["error"]),
            ),
            path,
        )
    if first["type"] == "literal_error":
        return PartsError(
            _l(
                "Message %(number)s: “%(key)s” is one of: %(choices)s.",
                number=number,
                key=name,
                choices=first["ctx"]["expected"].replace("'", "").replace(" or ", ", "),
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
    model: type[BaseModel] = kind
    for step in inside[:-1]:
        if isinstance(step, str):
            model = _piece_in(model, step)
    return ", ".join(field.alias or name for name, field in model.model_fields.items())


def _piece_in(model: type[BaseModel], key: str) -> type[BaseModel]:
    """What the list under `key` is made of."""
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            pieces = (one for one in get_args(field.annotation) if isinstance(one, type))
            return next(one for one in pieces if issubclass(one, BaseModel))
    raise KeyError(key)


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


__all__ = [
    "KINDS",
    "PICKERS",
    "Cards",
    "CouponCard",
    "Image",
    "LineCouponPart",
    "LotteryCard",
    "MyPage",
    "Part",
    "PartsError",
    "QuickReplies",
    "QuickReply",
    "RichMessage",
    "Sticker",
    "SurveyCard",
    "Text",
    "TopicCard",
    "Video",
    "bubbles",
    "clean",
    "coupon_codes",
    "dump_parts",
    "film_tokens",
    "parse_parts",
    "quick_replies",
    "upload_tokens",
    "uris",
]
