"""Fields about what a friend bought: how often, for how much, how long ago, and of what.

What was taken back or cancelled is not there. Numbers and sums of somebody who never bought are
nought, which is known; only the day of the last purchase can be unknown.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from peewee import Value, fn

from lineadmin.db import to_ms
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l, _n, format_twd
from lineadmin.purchases.models import Purchase, PurchaseCategory, PurchaseLine
from lineadmin.segments import fields as f
from lineadmin.segments.about_deeds import within
from lineadmin.segments.fields import Condition, FieldSpec, register
from lineadmin.segments.linked import has
from lineadmin.segments.tree import Leaf
from lineadmin.segments.widgets import CHOICE, DAYS, TIMES, Ask, Widget

MOST_TWD = 1_000_000_000
TWD = Widget("number", _l("NT$"), 0, MOST_TWD)
BOUGHT_WORDS: dict[str, Any] = {
    "is": _l("has bought"),
    "is_not": _l("has not bought"),
    "any_of": _l("has bought one of"),
    "none_of": _l("has bought none of"),
    "known": _l("has bought anything of a category"),
    "unknown": _l("has bought nothing of a category"),
}


def _everybody() -> Condition:
    return Value(1) == Value(1)


def _counted(leaf: Leaf, context: f.Context) -> Condition:
    test = Purchase.uncounted_at.is_null()
    if leaf.within_days:
        test = test & (Purchase.at > context.now - timedelta(days=leaf.within_days))
    return test


def _reached(leaf: Leaf, positive: Condition) -> Condition:
    return ~positive if leaf.op == "less_than" else positive


# -- how often ---------------------------------------------------------------------------------


def _purchases(leaf: Leaf, context: f.Context) -> Condition:
    if leaf.value == 0:
        return _reached(leaf, _everybody())
    test = _counted(leaf, context)
    return _reached(leaf, has(Purchase.friend, test, context, at_least=leaf.value))


def _purchases_sentence(leaf: Leaf) -> str:
    if leaf.op == "less_than":
        told = _n(
            "has bought less than %(count)s time",
            "has bought less than %(count)s times",
            leaf.value,
        )
    else:
        told = _n(
            "has bought at least %(count)s time", "has bought at least %(count)s times", leaf.value
        )
    return within(told, leaf)


register(
    FieldSpec(
        "purchases",
        _l("number of purchases"),
        f.AMOUNT,
        _purchases,
        _purchases_sentence,
        f.check_whole(0, 100_000),
        Ask("deeds", TIMES),
        allows=("within_days",),
    )
)


# -- purchases of a size -----------------------------------------------------------------------


def _amount(leaf: Leaf, context: f.Context) -> Condition:
    """Friends with purchases of at least (or less than) so much each; `at_least` says how many."""
    sized = (
        Purchase.amount < leaf.value if leaf.op == "less_than" else Purchase.amount >= leaf.value
    )
    test = _counted(leaf, context) & sized
    return has(Purchase.friend, test, context, at_least=leaf.at_least or 1)


def _amount_sentence(leaf: Leaf) -> str:
    values = {"amount": format_twd(leaf.value)}
    if leaf.op == "less_than":
        told = _n(
            "has made %(count)s purchase or more below %(amount)s",
            "has made %(count)s purchases or more below %(amount)s each",
            leaf.at_least or 1,
            **values,
        )
    else:
        told = _n(
            "has made %(count)s purchase or more of at least %(amount)s",
            "has made %(count)s purchases or more of at least %(amount)s each",
            leaf.at_least or 1,
            **values,
        )
    return within(told, leaf)


register(
    FieldSpec(
        "purchase_amount",
        _l("single purchase"),
        f.AMOUNT,
        _amount,
        _amount_sentence,
        f.check_whole(0, MOST_TWD),
        Ask("deeds", TWD),
        allows=("within_days", "at_least"),
    )
)


# -- money -------------------------------------------------------------------------------------


def _spent(leaf: Leaf, context: f.Context) -> Condition:
    if leaf.value == 0:
        return _reached(leaf, _everybody())
    test = _counted(leaf, context)
    if context.per_friend:
        mine = Purchase.select(fn.COALESCE(fn.SUM(Purchase.amount), 0)).where(
            test & (Purchase.friend == Friend.id)
        )
        return _reached(leaf, mine >= leaf.value)
    spenders = (
        Purchase.select(Purchase.friend)
        .where(test)
        .group_by(Purchase.friend)
        .having(fn.SUM(Purchase.amount) >= leaf.value)
    )
    return _reached(leaf, Friend.id.in_(spenders))


def _spent_sentence(leaf: Leaf) -> str:
    amount = format_twd(leaf.value)
    if leaf.op == "less_than":
        return within(_("has spent less than %(amount)s", amount=amount), leaf)
    return within(_("has spent at least %(amount)s", amount=amount), leaf)


register(
    FieldSpec(
        "spent",
        _l("money spent"),
        f.AMOUNT,
        _spent,
        _spent_sentence,
        f.check_whole(0, MOST_TWD),
        Ask("deeds", TWD),
        allows=("within_days",),
    )
)


# -- how long ago ------------------------------------------------------------------------------


def _last(leaf: Leaf, context: f.Context) -> Condition:
    """Whole days of the shop's calendar since the last purchase: yesterday is 1."""
    if leaf.op in f.KNOWN:
        ever = has(Purchase.friend, Purchase.uncounted_at.is_null(), context)
        return ever if leaf.op == "known" else ~ever
    if leaf.op == "at_least":
        return _last_within(context, None, context.start_of(leaf.value - 1))
    if leaf.op == "less_than":
        return _last_within(context, context.start_of(leaf.value - 1), None)
    on_one = Value(1) == Value(0)
    for days in leaf.values:
        on_one = on_one | _last_within(context, context.start_of(days), context.start_of(days - 1))
    return ~on_one if leaf.op in f.OPPOSITE else on_one


def _last_within(context: f.Context, since: datetime | None, until: datetime | None) -> Condition:
    """True for friends whose last purchase was in that time (`until` excluded)."""
    last = fn.MAX(Purchase.at)
    inside = Value(1) == Value(1)
    if since is not None:
        inside = inside & (last >= to_ms(since))
    if until is not None:
        inside = inside & (last < to_ms(until))
    bought = Purchase.select(Purchase.friend).where(Purchase.uncounted_at.is_null())
    if context.per_friend:
        bought = bought.where(Purchase.friend == Friend.id)
        return fn.EXISTS(bought.group_by(Purchase.friend).having(inside))
    return Friend.id.in_(bought.group_by(Purchase.friend).having(inside))


def _last_sentence(leaf: Leaf) -> str:
    match leaf.op:
        case "at_least":
            return _n(
                "last bought %(count)s day ago or earlier",
                "last bought %(count)s days ago or earlier",
                leaf.value,
            )
        case "less_than":
            return _n(
                "last bought less than %(count)s day ago",
                "last bought less than %(count)s days ago",
                leaf.value,
            )
        case "known":
            return _("has bought before")
        case "unknown":
            return _("has never bought")
        case _:
            return f.amount_sentence(_("days since the last purchase"), leaf)


register(
    FieldSpec(
        "purchase_days",
        _l("days since the last purchase"),
        f.OPS,
        _last,
        _last_sentence,
        f.check_whole(0, 36_600),
        Ask("deeds", DAYS),
    )
)


# -- of what -----------------------------------------------------------------------------------


def _bought(leaf: Leaf, context: f.Context) -> Condition:
    test = PurchaseLine.uncounted_at.is_null() & PurchaseLine.category.is_null(False)
    if leaf.op not in f.KNOWN:
        found = PurchaseCategory.select(PurchaseCategory.id)
        ids = [row.id for row in found.where(PurchaseCategory.name.in_(list(leaf.values)))]
        test = test & PurchaseLine.category.in_(ids)
    if leaf.within_days:
        test = test & (PurchaseLine.at > context.now - timedelta(days=leaf.within_days))
    positive = has(PurchaseLine.friend_id, test, context)
    return ~positive if leaf.op in f.OPPOSITE else positive


def _bought_sentence(leaf: Leaf) -> str:
    if leaf.op == "known":
        told = _("has bought something of a category")
    elif leaf.op == "unknown":
        told = _("has bought nothing of any category")
    elif leaf.op in f.OPPOSITE:
        told = _("has not bought %(names)s", names=f.quoted(leaf.values))
    else:
        told = _("has bought %(names)s", names=f.quoted(leaf.values))
    return within(told, leaf)


def _category_missing(leaf: Leaf) -> str | None:
    for name in leaf.values if leaf.op not in f.KNOWN else ():
        if not PurchaseCategory.select().where(PurchaseCategory.name == name).exists():
            return _("There is no category of goods “%(name)s”.", name=name)
    return None


register(
    FieldSpec(
        "bought",
        _l("bought"),
        (*f.ONE, *f.SEVERAL, *f.KNOWN),
        _bought,
        _bought_sentence,
        f.check_text,
        Ask("deeds", CHOICE, words=BOUGHT_WORDS),
        allows=("within_days",),
        missing=_category_missing,
        choices=lambda: [
            (row.name, row.name)
            for row in PurchaseCategory.select().order_by(PurchaseCategory.name)
        ],
    )
)
