"""Fields about who a friend is: what the shop knows of her, and the sample."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from peewee import Case, Value

from lineadmin.db import to_ms
from lineadmin.friends.models import BLOCKED, FRIEND, UNKNOWN, Field, Friend, FriendField, Source
from lineadmin.friends.regions import GENDERS, REGIONS, SYSTEMS
from lineadmin.i18n import _, _l, _n
from lineadmin.segments import fields as f
from lineadmin.segments.fields import Condition, FieldSpec, register
from lineadmin.segments.linked import has
from lineadmin.segments.tree import Leaf, Path, TreeError
from lineadmin.segments.widgets import (
    CHOICE,
    DATE,
    DATE_WORDS,
    DAYS,
    NUMBER,
    TEXT,
    Ask,
    Subject,
    Widget,
)

UNKNOWN_SOURCE = "unknown"

STATUS_WORDS = {FRIEND: _l("friend"), BLOCKED: _l("blocked"), UNKNOWN: _l("not known yet")}

# As LINE writes them; a friend may have any other, which can be typed.
LANGUAGES: dict[str, Any] = {
    "zh-Hant": _l("Traditional Chinese"),
    "zh-TW": _l("Traditional Chinese (Taiwan)"),
    "zh-Hans": _l("Simplified Chinese"),
    "en": _l("English"),
    "ja": _l("Japanese"),
    "ko": _l("Korean"),
    "th": _l("Thai"),
    "id": _l("Indonesian"),
    "vi": _l("Vietnamese"),
}


def is_among(column: Any, known: Any, leaf: Leaf, values: tuple[Any, ...]) -> Condition:
    """The six ops on one column whose value may be missing."""
    if leaf.op in f.KNOWN:
        return known if leaf.op == "known" else ~known
    positive = known & column.in_(list(values))
    return ~positive if leaf.op in f.OPPOSITE else positive


def _plain(column: Any, empty: Any = None) -> Callable[[Leaf, f.Context], Condition]:
    known = column.is_null(False) if empty is None else column != empty
    return lambda leaf, context: is_among(column, known, leaf, leaf.values)


def _in_words(label: Any, words: dict[str, Any]) -> Callable[[Leaf], str]:
    return lambda leaf: f.word_sentence(
        str(label), leaf, [str(words.get(value, value)) for value in leaf.values]
    )


# -- gender, region, OS, language --------------------------------------------------------------

register(
    FieldSpec(
        "gender",
        _l("gender"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _plain(Friend.gender),
        _in_words(_l("gender"), GENDERS),
        f.check_choice("male", "female"),
        Ask("person", CHOICE),
        choices=lambda: [(key, str(word)) for key, word in GENDERS.items()],
    )
)


register(
    FieldSpec(
        "region",
        _l("region"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _plain(Friend.region),
        _in_words(_l("region"), REGIONS),
        f.check_choice(*REGIONS),
        Ask("person", CHOICE),
        choices=lambda: [(key, str(word)) for key, word in REGIONS.items()],
    )
)
register(
    FieldSpec(
        "os",
        _l("OS"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _plain(Friend.os),
        _in_words(_l("OS"), SYSTEMS),
        f.check_choice("ios", "android", "other"),
        Ask("person", CHOICE),
        choices=lambda: [(key, str(word)) for key, word in SYSTEMS.items()],
    )
)
register(
    FieldSpec(
        "language",
        _l("language"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _plain(Friend.language, empty=""),
        _in_words(_l("language"), LANGUAGES),
        f.check_text,
        Ask("person", Widget("text", suggestions=tuple(LANGUAGES.items()))),
    )
)


# -- age ---------------------------------------------------------------------------------------


def _age(leaf: Leaf, context: f.Context) -> Condition:
    """Local year − birth year; one less before the birthday, where that is known."""
    today = context.today
    born = Friend.birth_year + Case(
        None, [(Friend.birthday.is_null(False) & (Friend.birthday > f"{today:%m-%d}"), 1)], 0
    )
    known = Friend.birth_year.is_null(False)
    if leaf.op == "at_least":
        return known & (born <= today.year - leaf.value)
    if leaf.op == "less_than":
        return known & (born > today.year - leaf.value)
    return is_among(
        born, known, leaf, tuple(today.year - value for value in leaf.values if value is not None)
    )


register(
    FieldSpec(
        "age",
        _l("age"),
        f.OPS,
        _age,
        lambda leaf: f.amount_sentence(_("age"), leaf),
        f.check_whole(0, 150),
        Ask("person", Widget("number", _l("years"), 0, 150)),
    )
)


# -- days since she joined, days since her last sign of life -----------------------------------


def _days(moment: Any) -> Callable[[Leaf, f.Context], Condition]:
    """Whole days of the shop's calendar between `moment` and today: yesterday is 1."""

    def where(leaf: Leaf, context: f.Context) -> Condition:
        def start(days: int) -> int:
            # In numbers: an expression of two columns doesn't know how to store a datetime.
            return to_ms(context.start_of(days))

        known = moment.is_null(False)
        if leaf.op in f.KNOWN:
            return known if leaf.op == "known" else ~known
        if leaf.op == "at_least":
            return known & (moment < start(leaf.value - 1))
        if leaf.op == "less_than":
            return known & (moment >= start(leaf.value - 1))
        on_one = Value(1) == Value(0)
        for days in leaf.values:
            on_one = on_one | ((moment >= start(days)) & (moment < start(days - 1)))
        positive = known & on_one
        return ~positive if leaf.op in f.OPPOSITE else positive

    return where


# The first follow counts: who blocks and comes back is no new friend.
_joined = Case(
    None, [(Friend.first_followed_at.is_null(False), Friend.first_followed_at)], Friend.followed_at
)


def _friend_days_sentence(leaf: Leaf) -> str:
    match leaf.op:
        case "at_least":
            return _n(
                "a friend for %(count)s day or more",
                "a friend for %(count)s days or more",
                leaf.value,
            )
        case "less_than":
            return _n(
                "a friend for less than %(count)s day",
                "a friend for less than %(count)s days",
                leaf.value,
            )
        case _:
            return f.amount_sentence(_("days as a friend"), leaf)


def _silent_days_sentence(leaf: Leaf) -> str:
    match leaf.op:
        case "at_least":
            return _n(
                "silent for %(count)s day or more",
                "silent for %(count)s days or more",
                leaf.value,
            )
        case "less_than":
            return _n(
                "active within the last %(count)s day",
                "active within the last %(count)s days",
                leaf.value,
            )
        case _:
            return f.amount_sentence(_("silent days"), leaf)


register(
    FieldSpec(
        "friend_days",
        _l("days as a friend"),
        f.OPS,
        _days(_joined),
        _friend_days_sentence,
        f.check_whole(0, 36_600),
        Ask("relation", DAYS),
    )
)
register(
    FieldSpec(
        "silent_days",
        _l("silent days"),
        f.OPS,
        _days(Friend.last_seen_at),
        _silent_days_sentence,
        f.check_whole(0, 36_600),
        Ask("relation", DAYS),
    )
)


# -- source, status, opted out -----------------------------------------------------------------


def _source(leaf: Leaf, context: f.Context) -> Condition:
    """A friend without a source has the source `unknown`, which is a value like any other."""
    nowhere = [row.id for row in Source.select(Source.id).where(Source.code == UNKNOWN_SOURCE)]
    unknown = Friend.source.is_null() | Friend.source.in_(nowhere)
    if leaf.op in f.KNOWN:
        return unknown if leaf.op == "unknown" else ~unknown
    ids = [row.id for row in Source.select(Source.id).where(Source.code.in_(list(leaf.values)))]
    positive = Friend.source.is_null(False) & Friend.source.in_(ids)
    if UNKNOWN_SOURCE in leaf.values:
        positive = positive | unknown
    return ~positive if leaf.op in f.OPPOSITE else positive


def _source_choices() -> list[tuple[Any, str]]:
    rows = Source.select().where(Source.archived_at.is_null()).order_by(Source.name)
    found: list[tuple[Any, str]] = [(row.code, row.name) for row in rows]
    if all(code != UNKNOWN_SOURCE for code, _name in found):
        found.append((UNKNOWN_SOURCE, _("not known")))
    return found


def _source_missing(leaf: Leaf) -> str | None:
    for code in leaf.values if leaf.op not in f.KNOWN else ():
        if code != UNKNOWN_SOURCE and not Source.select().where(Source.code == code).exists():
            return _("There is no source with the code %(code)s.", code=code)
    return None


def source_names(codes: tuple[Any, ...]) -> list[str]:
    """What staff call the sources with these codes."""
    names = {row.code: row.name for row in Source.select().where(Source.code.in_([*codes, ""]))}
    names.setdefault(UNKNOWN_SOURCE, _("not known"))
    return [names.get(code, str(code)) for code in codes]


register(
    FieldSpec(
        "source",
        _l("gained-through path"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _source,
        lambda leaf: f.word_sentence(_("gained-through path"), leaf, source_names(leaf.values)),
        f.check_text,
        Ask("relation", CHOICE, offered=(*f.ONE, *f.SEVERAL)),
        missing=_source_missing,
        choices=_source_choices,
    )
)
register(
    FieldSpec(
        "status",
        _l("status"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        lambda leaf, context: (
            is_among(Friend.status, Friend.status != UNKNOWN, leaf, leaf.values)
            if leaf.op in f.KNOWN
            else is_among(Friend.status, Friend.status.is_null(False), leaf, leaf.values)
        ),
        _in_words(_l("status"), STATUS_WORDS),
        f.check_choice(FRIEND, BLOCKED, UNKNOWN),
        Ask("relation", CHOICE, offered=(*f.ONE, *f.SEVERAL)),
        choices=lambda: [(key, str(word)) for key, word in STATUS_WORDS.items()],
    )
)
register(
    FieldSpec(
        "opted_out",
        _l("notifications"),
        f.ONE,
        lambda leaf, context: Friend.opted_out_at.is_null(leaf.value != (leaf.op == "is")),
        lambda leaf: (
            _("has stopped notifications")
            if leaf.value == (leaf.op == "is")
            else _("gets notifications")
        ),
        f.check_truth,
        Ask("relation", CHOICE, offered=("is",)),
        choices=lambda: [
            (False, _("gets notifications")),
            (True, _("has stopped notifications")),
        ],
    )
)


# -- the shop's own fields ---------------------------------------------------------------------


def _attr(leaf: Leaf, context: f.Context) -> Condition:
    row = Field.get_or_none(Field.key == leaf.about)
    if row is None:
        return Value(1) == Value(1 if leaf.op in f.OPPOSITE else 0)
    of_field = FriendField.field == row
    is_number = row.type == "number"
    column = FriendField.number if is_number else FriendField.text
    filled = column.is_null(False) if is_number else column != ""
    if leaf.op in f.KNOWN:
        test = filled
    elif leaf.op == "at_least":
        test = filled & (column >= leaf.value)
    elif leaf.op == "less_than":
        test = filled & (column < leaf.value)
    else:
        test = filled & column.in_([_typed(value, is_number) for value in leaf.values])
    positive = has(FriendField.friend, of_field & test, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _typed(value: Any, is_number: bool) -> Any:
    if not is_number:
        return str(value)
    try:
        return float(value)
    except ValueError:
        return None


def _attr_missing(leaf: Leaf) -> str | None:
    row = Field.get_or_none(Field.key == leaf.about)
    if row is None:
        return _("There is no field with the key %(key)s.", key=leaf.about)
    if leaf.op in f.AMOUNT:
        right = isinstance(leaf.value, str) if row.type == "date" else row.type == "number"
        if not right or (row.type == "number" and isinstance(leaf.value, str)):
            return _("“%(name)s” can't be compared with this value.", name=row.name)
    if row.type == "choice" and leaf.op not in f.KNOWN:
        for value in leaf.values:
            if value not in (row.choices or []):
                return _("“%(name)s” has no choice “%(value)s”.", name=row.name, value=value)
    return None


def _check_attr(leaf: Leaf, path: Path) -> Any:
    def one(value: Any) -> Any:
        if isinstance(value, date):
            return value.isoformat()[:10]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise TreeError(_l("This must be a text, a number or a date."), (*path, "value"))
        return value

    if leaf.op in f.KNOWN:
        return None
    return [one(value) for value in leaf.value] if leaf.op in f.SEVERAL else one(leaf.value)


def _attr_subjects() -> list[Subject]:
    return [_attr_subject(row) for row in Field.select().order_by(Field.position, Field.id)]


def _attr_subject(row: Field) -> Subject:
    words = (*f.ONE, *f.SEVERAL, *f.KNOWN)
    if row.type == "choice":
        choices = [(choice, choice) for choice in row.choices or []]
        return Subject(row.key, row.name, words, CHOICE, choices=choices)
    if row.type == "number":
        return Subject(row.key, row.name, f.OPS, NUMBER)
    if row.type == "date":
        return Subject(row.key, row.name, f.OPS, DATE, words=DATE_WORDS)
    return Subject(row.key, row.name, words, TEXT)


def _attr_sentence(leaf: Leaf) -> str:
    row = Field.get_or_none(Field.key == leaf.about)
    return f.amount_sentence(leaf.about if row is None else row.name, leaf)


register(
    FieldSpec(
        "attr",
        _l("own field"),
        f.OPS,
        _attr,
        _attr_sentence,
        _check_attr,
        Ask("person", subjects=_attr_subjects),
        about=True,
        missing=_attr_missing,
    )
)

__all__ = ["source_names"]
