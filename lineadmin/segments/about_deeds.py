"""Fields about what a friend has and did: tags, coupons, facts of the journal, segments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from peewee import Value

from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.friends.models import FriendTag, Source, Tag
from lineadmin.i18n import _, _l, _n
from lineadmin.journal.kinds import KINDS
from lineadmin.journal.models import Fact
from lineadmin.segments import fields as f
from lineadmin.segments.fields import Condition, FieldSpec, register
from lineadmin.segments.linked import has
from lineadmin.segments.models import Segment
from lineadmin.segments.tree import Leaf, Path, TreeError
from lineadmin.segments.widgets import (
    CHOICE,
    HAPPENED_WORDS,
    HAS_WORDS,
    IN_WORDS,
    TIMES,
    Ask,
    Subject,
)
from lineadmin.surveys.models import Survey
from lineadmin.tracking import names as links
from lineadmin.tracking.clicks import CLICKED as LINK_CLICKED

COUPON_WORDS = {
    "held": _l("holds the coupon “%(coupon)s”"),
    "redeemed": _l("redeemed the coupon “%(coupon)s”"),
    "expired": _l("let the coupon “%(coupon)s” expire"),
    "none": _l("never got the coupon “%(coupon)s”"),
}

COUPON_STATES = {
    "held": _l("held, unused"),
    "redeemed": _l("redeemed"),
    "expired": _l("expired unused"),
    "none": _l("never had"),
}


def _nobody() -> Condition:
    return Value(1) == Value(0)


def _since(leaf: Leaf, context: f.Context) -> Any:
    return context.now - timedelta(days=leaf.within_days or 0)


# -- tags --------------------------------------------------------------------------------------


def _tag(leaf: Leaf, context: f.Context) -> Condition:
    test = FriendTag.until.is_null() | (FriendTag.until > context.now)
    if leaf.op not in f.KNOWN:
        ids = [row.id for row in Tag.select(Tag.id).where(Tag.name.in_(list(leaf.values)))]
        test = test & FriendTag.tag.in_(ids)
    if leaf.within_days:
        test = test & (FriendTag.at > _since(leaf, context))
    positive = has(FriendTag.friend, test, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _tag_sentence(leaf: Leaf) -> str:
    if leaf.op == "known":
        told = _("has a tag")
    elif leaf.op == "unknown":
        told = _("has no tag")
    else:
        tags = f.quoted(leaf.values)
        if leaf.op == "is":
            told = _("has the tag %(tags)s", tags=tags)
        elif leaf.op == "is_not":
            told = _("does not have the tag %(tags)s", tags=tags)
        elif leaf.op == "any_of":
            told = _("has one of the tags %(tags)s", tags=tags)
        else:
            told = _("has none of the tags %(tags)s", tags=tags)
    return within(told, leaf)


def within(told: str, leaf: Leaf) -> str:
    """What happened, with the days it is limited to."""
    if not leaf.within_days:
        return told
    return _n(
        "%(told)s (last %(count)s day)",
        "%(told)s (last %(count)s days)",
        leaf.within_days,
        told=told,
    )


def _tag_choices() -> list[tuple[Any, str]]:
    rows = Tag.select(Tag.name).where(Tag.archived_at.is_null()).order_by(Tag.name)
    return [(row.name, row.name) for row in rows]


def _tag_missing(leaf: Leaf) -> str | None:
    for name in leaf.values if leaf.op not in f.KNOWN else ():
        if not Tag.select().where(Tag.name == name).exists():
            return _("There is no tag “%(name)s”.", name=name)
    return None


register(
    FieldSpec(
        "tag",
        _l("tag"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _tag,
        _tag_sentence,
        f.check_text,
        Ask("deeds", CHOICE, words=HAS_WORDS),
        allows=("within_days",),
        missing=_tag_missing,
        choices=_tag_choices,
    )
)


# -- coupons -----------------------------------------------------------------------------------


def _coupon(leaf: Leaf, context: f.Context) -> Condition:
    row = Coupon.get_or_none(Coupon.code == leaf.about)
    positive = _nobody()
    for value in leaf.values:
        positive = positive | _coupon_state(value, row, leaf, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _coupon_state(value: str, coupon: Coupon | None, leaf: Leaf, context: f.Context) -> Condition:
    if coupon is None:
        return ~_nobody() if value == "none" else _nobody()
    issue = CouponIssue
    valid = (issue.coupon == coupon) & issue.voided_at.is_null()
    unused = valid & issue.redeemed_at.is_null()
    if value == "redeemed":
        test, moment = valid & issue.redeemed_at.is_null(False), issue.redeemed_at
    elif value == "held":
        fresh = issue.expires_at.is_null() | (issue.expires_at > context.now)
        test, moment = unused & fresh, issue.issued_at
    elif value == "expired":
        over = issue.expires_at.is_null(False) & (issue.expires_at <= context.now)
        test, moment = unused & over, issue.expires_at
    else:
        test, moment = valid, issue.issued_at
    if leaf.within_days:
        test = test & (moment > _since(leaf, context))
    found = has(issue.friend_id, test, context)
    return ~found if value == "none" else found


def _coupon_subjects() -> list[Subject]:
    states = [(state, str(word)) for state, word in COUPON_STATES.items()]
    return [
        Subject(row.code, row.title, (*f.ONE, *f.SEVERAL), CHOICE, choices=states)
        for row in Coupon.select(Coupon.code, Coupon.title).order_by(Coupon.id.desc())
    ]


def _coupon_sentence(leaf: Leaf) -> str:
    row = Coupon.get_or_none(Coupon.code == leaf.about)
    name = leaf.about if row is None else row.title
    told = _(" or ").join(str(COUPON_WORDS[value]) % {"coupon": name} for value in leaf.values)
    if leaf.op in f.OPPOSITE:
        told = _("not: %(what)s", what=told)
    return within(told, leaf)


register(
    FieldSpec(
        "coupon",
        _l("coupon"),
        (*f.ONE, *f.SEVERAL),
        _coupon,
        _coupon_sentence,
        f.check_choice(*COUPON_STATES),
        Ask("deeds", CHOICE, subjects=_coupon_subjects),
        about=True,
        allows=("within_days",),
        missing=lambda leaf: (
            None
            if Coupon.select().where(Coupon.code == leaf.about).exists()
            else _("There is no coupon with the code %(code)s.", code=leaf.about)
        ),
    )
)


# -- facts -------------------------------------------------------------------------------------


def _fact(leaf: Leaf, context: f.Context) -> Condition:
    """`known` and `unknown` ask whether it happened, `at_least` and `less_than` how often, `is` and
    its kin with what (which tag, coupon or source)."""
    test = Fact.kind == leaf.about
    if leaf.op in (*f.ONE, *f.SEVERAL):
        ids = fact_objects(leaf.about, leaf.values)
        if not ids:
            return ~_nobody() if leaf.op in f.OPPOSITE else _nobody()
        test = test & Fact.object_id.in_(ids)
    if leaf.within_days:
        test = test & (Fact.at > _since(leaf, context))
    times = leaf.value if leaf.op in f.AMOUNT else leaf.at_least or 1
    if times == 0:
        return _nobody() if leaf.op == "less_than" else ~_nobody()
    positive = has(Fact.friend_id, test, context, at_least=times)
    return ~positive if leaf.op in (*f.OPPOSITE, "less_than") else positive


def fact_objects(kind: str, values: tuple[Any, ...]) -> list[int]:
    """The ids of the tags, coupons, surveys, sources or links with these names or codes."""
    if kind == LINK_CLICKED:
        return links.ids_named(values)
    name: Any = Source.code
    if kind.startswith("tag."):
        name = Tag.name
    elif kind.startswith("coupon."):
        name = Coupon.code
    elif kind.startswith("survey."):
        name = Survey.code
    return [row.id for row in name.model.select(name.model.id).where(name.in_(list(values)))]


def has_objects(kind: str) -> bool:
    """Whether facts of this kind are about a tag, a coupon, a survey, a source or a link."""
    return kind.startswith(("tag.", "coupon.", "survey.", "source.")) or kind == LINK_CLICKED


def _fact_subjects() -> list[Subject]:
    return [_fact_subject(kind.code, str(kind.label)) for kind in KINDS.values()]


def _fact_subject(kind: str, label: str) -> Subject:
    ops: tuple[str, ...] = ("known", "unknown", "at_least", "less_than")
    if not has_objects(kind):
        return Subject(kind, label, ops, TIMES)
    choices: list[tuple[Any, str]]
    if kind.startswith("tag."):
        choices = _tag_choices()
    elif kind.startswith("coupon."):
        rows = Coupon.select(Coupon.code, Coupon.title).order_by(Coupon.id.desc())
        choices = [(row.code, row.title) for row in rows]
    elif kind == LINK_CLICKED:
        choices = [(name, name) for name in links.recent_names()]
    elif kind.startswith("survey."):
        surveys = Survey.select(Survey.code, Survey.title).order_by(Survey.id.desc())
        choices = [(row.code, row.title) for row in surveys]
    else:
        sources = Source.select(Source.code, Source.name).order_by(Source.name)
        choices = [(row.code, row.name) for row in sources]
    return Subject(kind, label, (*ops, *f.ONE, *f.SEVERAL), CHOICE, TIMES, choices)


def _check_fact(leaf: Leaf, path: Path) -> Any:
    if leaf.about not in KINDS:
        raise TreeError(
            _l("There is no kind of fact called %(kind)s.", kind=leaf.about), (*path, "field")
        )
    if leaf.op in f.KNOWN:
        return None
    if leaf.op in f.AMOUNT:
        if leaf.at_least is not None:
            raise TreeError(
                _l("%(field)s takes no %(key)s.", field=leaf.op, key="at_least"),
                (*path, "at_least"),
            )
        return f.check_whole(0, 100_000)(leaf, path)
    if not has_objects(leaf.about):
        raise TreeError(
            _l(
                "%(field)s can be asked with: %(ops)s.",
                field=leaf.field,
                ops=", ".join((*f.AMOUNT, *f.KNOWN)),
            ),
            (*path, "op"),
        )
    return f.check_text(leaf, path)


def _fact_missing(leaf: Leaf) -> str | None:
    if leaf.op not in (*f.ONE, *f.SEVERAL):
        return None
    for value in leaf.values:
        if not fact_objects(leaf.about, (value,)):
            return _("There is nothing called “%(name)s”.", name=value)
    return None


def _fact_sentence(leaf: Leaf) -> str:
    told = str(KINDS[leaf.about].label)
    if leaf.op in (*f.ONE, *f.SEVERAL):
        told = _named_fact(leaf, told)
    if leaf.op in (*f.OPPOSITE,) and not leaf.at_least:
        return within(_("not: %(what)s", what=told), leaf)
    times = leaf.value if leaf.op in f.AMOUNT else leaf.at_least or 1
    if leaf.op in (*f.OPPOSITE, "less_than"):
        told = _("%(told)s: fewer than %(times)s times", told=told, times=times)
    elif times != 1:
        told = _("%(told)s: at least %(times)s times", told=told, times=times)
    return within(told, leaf)


def _named_fact(leaf: Leaf, told: str) -> str:
    if leaf.about == LINK_CLICKED:
        return _("opened the link %(names)s", names=f.quoted(leaf.values))
    return f"{told} {f.quoted(leaf.values)}"


register(
    FieldSpec(
        "fact",
        _l("what happened"),
        f.OPS,
        _fact,
        _fact_sentence,
        _check_fact,
        Ask("deeds", subjects=_fact_subjects, words=HAPPENED_WORDS),
        about=True,
        allows=("within_days", "at_least"),
        missing=_fact_missing,
    )
)


# -- segments ----------------------------------------------------------------------------------


def _segment(leaf: Leaf, context: f.Context) -> Condition:
    """
    :raises TreeError: the segment leads back to itself
    """
    from lineadmin.segments.compile import expand

    positive = _nobody()
    for name in leaf.values:
        positive = positive | expand(name, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _segment_sentence(leaf: Leaf) -> str:
    names = f.quoted(leaf.values)
    if leaf.op in f.OPPOSITE:
        return _("not in the segment %(names)s", names=names)
    return _("in the segment %(names)s", names=names)


def _segment_missing(leaf: Leaf) -> str | None:
    for name in leaf.values:
        if not Segment.select().where(Segment.name == name).exists():
            return _("There is no segment “%(name)s”.", name=name)
    return None


register(
    FieldSpec(
        "segment",
        _l("segment"),
        (*f.ONE, *f.SEVERAL),
        _segment,
        _segment_sentence,
        f.check_text,
        Ask("relation", CHOICE, words=IN_WORDS),
        missing=_segment_missing,
        choices=lambda: [
            (row.name, row.name)
            for row in Segment.select().where(Segment.archived_at.is_null()).order_by(Segment.name)
        ],
    )
)
