"""A condition tree as a sentence staff can check before they send."""

from __future__ import annotations

from typing import Any

from lineadmin.i18n import _
from lineadmin.segments.fields import FIELDS
from lineadmin.segments.language import parse
from lineadmin.segments.tree import AllOf, Leaf, Not, Tree


def sentence(tree: Tree | dict[str, Any]) -> str:
    """What the tree asks, in the reader's language: 「有「VIP」標籤，而且年齡 未滿 25」"""
    parsed = parse(tree) if isinstance(tree, dict) else tree
    return _told(parsed, outermost=True)


def _told(tree: Tree, outermost: bool = False) -> str:
    if isinstance(tree, Leaf):
        return FIELDS[tree.kind].sentence(tree)
    if isinstance(tree, Not):
        return _("not (%(what)s)", what=_told(tree.item, outermost=True))
    if not tree.items:
        return _("everyone") if isinstance(tree, AllOf) else _("nobody")
    if len(tree.items) == 1:
        return _told(tree.items[0], outermost)
    joint = _(", and ") if isinstance(tree, AllOf) else _(" or ")
    told = joint.join(_told(item) for item in tree.items)
    return told if outermost else _("(%(what)s)", what=told)
