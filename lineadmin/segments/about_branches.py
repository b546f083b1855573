"""Fields about the shop's branches: her home branch, the nearest one, and how far it is."""

from __future__ import annotations

from typing import Any

from lineadmin.branches.actions import all_branches
from lineadmin.friends.models import Branch, Friend, FriendPlace
from lineadmin.i18n import _, _l
from lineadmin.segments import fields as f
from lineadmin.segments.about_friend import is_among
from lineadmin.segments.fields import Condition, FieldSpec, register
from lineadmin.segments.linked import has
from lineadmin.segments.tree import Leaf, Path, TreeError
from lineadmin.segments.widgets import CHOICE, Ask, Widget

FURTHEST_KM = 20_000
WORDS = (*f.ONE, *f.SEVERAL, *f.KNOWN)
BRANCH_FIELDS = ("branch", "nearest_branch")


def _ids(leaf: Leaf) -> tuple[int, ...]:
    if leaf.op in f.KNOWN:
        return ()
    rows = Branch.select(Branch.id).where(Branch.code.in_(list(leaf.values)))
    return tuple(row.id for row in rows)


def _home(leaf: Leaf, context: f.Context) -> Condition:
    return is_among(Friend.branch, Friend.branch.is_null(False), leaf, _ids(leaf))


def _nearest(leaf: Leaf, context: f.Context) -> Condition:
    test = FriendPlace.nearest.is_null(False)
    if leaf.op not in f.KNOWN:
        test = FriendPlace.nearest.in_(list(_ids(leaf)))
    positive = has(FriendPlace.friend, test, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _kilometres(leaf: Leaf, context: f.Context) -> Condition:
    test = FriendPlace.metres.is_null(False)
    if leaf.op == "less_than":
        test = FriendPlace.metres < round(leaf.value * 1000)
    elif leaf.op == "at_least":
        test = FriendPlace.metres >= round(leaf.value * 1000)
    positive = has(FriendPlace.friend, test, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _check_kilometres(leaf: Leaf, path: Path) -> Any:
    if leaf.op in f.KNOWN:
        return None
    value = leaf.value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= FURTHEST_KM:
        raise TreeError(_l("This must be a number of kilometres above 0."), (*path, "value"))
    return value


def _distance_sentence(leaf: Leaf) -> str:
    match leaf.op:
        case "less_than":
            return _("less than %(count)s km from the nearest branch", count=leaf.value)
        case "at_least":
            return _("%(count)s km or more from the nearest branch", count=leaf.value)
        case _:
            return f.word_sentence(_("distance to the nearest branch"), leaf, [])


def _choices() -> list[tuple[Any, str]]:
    return [
        (row.code, row.name if row.active else _("%(name)s (closed)", name=row.name))
        for row in all_branches()
    ]


def _missing(leaf: Leaf) -> str | None:
    for code in leaf.values if leaf.op not in f.KNOWN else ():
        if not Branch.select().where(Branch.code == code).exists():
            return _("There is no branch with the code %(code)s.", code=code)
    return None


def _names(leaf: Leaf) -> list[str]:
    if leaf.op in f.KNOWN:
        return []
    names = {row.code: row.name for row in Branch.select()}
    return [names.get(code, str(code)) for code in leaf.values]


register(
    FieldSpec(
        "branch",
        _l("home branch"),
        WORDS,
        _home,
        lambda leaf: f.word_sentence(_("home branch"), leaf, _names(leaf)),
        f.check_text,
        Ask("relation", CHOICE),
        missing=_missing,
        choices=_choices,
    )
)
register(
    FieldSpec(
        "nearest_branch",
        _l("nearest branch"),
        WORDS,
        _nearest,
        lambda leaf: f.word_sentence(_("nearest branch"), leaf, _names(leaf)),
        f.check_text,
        Ask("relation", CHOICE),
        missing=_missing,
        choices=_choices,
    )
)
register(
    FieldSpec(
        "branch_km",
        _l("distance to the nearest branch"),
        (*f.AMOUNT[::-1], *f.KNOWN),
        _kilometres,
        _distance_sentence,
        _check_kilometres,
        Ask("relation", Widget("number", _l("km"), 0, FURTHEST_KM, whole=False)),
    )
)

__all__ = ["BRANCH_FIELDS"]
