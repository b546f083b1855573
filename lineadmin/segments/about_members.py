"""Fields about members of the shop: bound or not, level, points and what of them expires soon."""

from __future__ import annotations

from typing import Any

from peewee import fn

from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l, _n
from lineadmin.members.models import Member, PointLot
from lineadmin.members.setup import setup
from lineadmin.segments import fields as f
from lineadmin.segments.fields import Condition, FieldSpec, register
from lineadmin.segments.linked import has
from lineadmin.segments.tree import Leaf
from lineadmin.segments.widgets import CHOICE, Ask, Widget

BOUND, UNBOUND = "bound", "unbound"
STATES: dict[str, Any] = {BOUND: _l("a member"), UNBOUND: _l("no member")}
MOST_POINTS, MOST_DAYS = 1_000_000_000, 3650


def _member(leaf: Leaf, context: f.Context) -> Condition:
    bound = has(Member.friend, Member.friend.is_null(False), context)
    positive: Condition = None
    for value in leaf.values:
        one = bound if value == BOUND else ~bound
        positive = one if positive is None else positive | one
    return ~positive if leaf.op in f.OPPOSITE else positive


def _member_sentence(leaf: Leaf) -> str:
    return f.word_sentence(_("membership"), leaf, [str(STATES[value]) for value in leaf.values])


register(
    FieldSpec(
        "member",
        _l("membership"),
        (*f.ONE, *f.SEVERAL),
        _member,
        _member_sentence,
        f.check_choice(*STATES),
        Ask("relation", CHOICE, offered=f.ONE),
        choices=lambda: [(key, str(word)) for key, word in STATES.items()],
    )
)


def _level(leaf: Leaf, context: f.Context) -> Condition:
    test = Member.friend.is_null(False) & (Member.level != "")
    if leaf.op not in f.KNOWN:
        test = test & Member.level.in_(list(leaf.values))
    positive = has(Member.friend, test, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


register(
    FieldSpec(
        "member_level",
        _l("member level"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _level,
        lambda leaf: f.word_sentence(_("member level"), leaf, [str(one) for one in leaf.values]),
        f.check_text,
        Ask("relation", CHOICE),
        choices=lambda: [(level, level) for level in setup().levels],
    )
)


def _sum_of_points(lots: Any, least: int, context: f.Context) -> Condition:
    """Friends whose points among `lots` add up to at least so many."""
    mine = (
        PointLot.select(Member.friend)
        .join(Member)
        .where(lots & (PointLot.left > 0) & Member.friend.is_null(False))
        .group_by(Member.friend)
        .having(fn.SUM(PointLot.left) >= least)
    )
    if context.per_friend:
        mine = mine.where(Member.friend == Friend.id)
    return Friend.id.in_(mine)


def _points(leaf: Leaf, context: f.Context) -> Condition:
    alive = PointLot.expires_at.is_null() | (PointLot.expires_at > context.now)
    if leaf.value == 0:
        everybody = Friend.id > 0
        return ~everybody if leaf.op == "less_than" else everybody
    enough = _sum_of_points(alive, leaf.value, context)
    return ~enough if leaf.op == "less_than" else enough


register(
    FieldSpec(
        "points",
        _l("points"),
        f.AMOUNT,
        _points,
        lambda leaf: f.amount_sentence(_("points"), leaf),
        f.check_whole(0, MOST_POINTS),
        Ask("relation", Widget("number", _l("points"), 0, MOST_POINTS)),
    )
)


def _expiring(leaf: Leaf, context: f.Context) -> Condition:
    """`less_than` N: some of her points end within the next N days, today included."""
    last = context.start_of(-leaf.value)
    soon = (PointLot.expires_at > context.now) & (PointLot.expires_at <= last)
    found = _sum_of_points(soon, 1, context)
    return ~found if leaf.op == "at_least" else found


def _expiring_sentence(leaf: Leaf) -> str:
    if leaf.op == "less_than":
        return _n(
            "points expire within %(count)s day",
            "points expire within %(count)s days",
            leaf.value,
        )
    return _n(
        "no points expire within %(count)s day",
        "no points expire within %(count)s days",
        leaf.value,
    )


register(
    FieldSpec(
        "points_expire_in",
        _l("points expire"),
        f.AMOUNT,
        _expiring,
        _expiring_sentence,
        f.check_whole(1, MOST_DAYS),
        Ask(
            "relation",
            Widget("number", _l("days"), 1, MOST_DAYS),
            words={"less_than": _l("within"), "at_least": _l("not within")},
        ),
    )
)
