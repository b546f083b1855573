"""Reading condition trees from JSON or YAML, and writing them back in the same form."""

from __future__ import annotations

from typing import Any

from lineadmin.i18n import _l
from lineadmin.segments import (  # noqa: F401  (they fill the registry)
    about_branches,
    about_deeds,
    about_friend,
    about_members,
    about_purchases,
    about_surveys,
    about_topics,
    sample,
)
from lineadmin.segments.fields import AMOUNT, FIELDS, KNOWN, OPS, SEVERAL, FieldSpec
from lineadmin.segments.tree import (
    AllOf,
    AnyOf,
    Leaf,
    Not,
    Path,
    Tree,
    TreeError,
    leaves_with_paths,
)

MAX_DEPTH = 10
MAX_LEAVES = 100
LEAF_KEYS = frozenset({"field", "op", "value", "within_days", "at_least", "salt"})


def parse(raw: Any, path: Path = ()) -> Tree:
    """The tree that `raw` describes, every value checked for its form.

    Whether the tags, coupons and segments it names exist is another question: `check_names`.

    :raises TreeError: with the way to the first thing that cannot be
    """
    tree = _node(raw, path, 1)
    if sum(1 for _leaf in leaves_with_paths(tree)) > MAX_LEAVES:
        raise TreeError(_l("At most %(most)s conditions.", most=MAX_LEAVES), path)
    return tree


def problems(raw: Any, path: Path = ()) -> list[TreeError]:
    """Everything that is wrong with `raw`, for a form that marks each place."""
    found: list[TreeError] = []
    _collect(raw, path, found)
    if not found:
        try:
            parse(raw, path)
        except TreeError as error:  # what concerns the tree as a whole: too deep, too many
            found.append(error)
    return found


def _collect(raw: Any, path: Path, found: list[TreeError]) -> None:
    if isinstance(raw, dict) and len(raw) == 1 and len(path) < 2 * MAX_DEPTH:
        ((key, inner),) = raw.items()
        if key == "not":
            return _collect(inner, (*path, key), found)
        if key in ("all", "any") and isinstance(inner, list):
            for index, item in enumerate(inner):
                _collect(item, (*path, key, index), found)
            return None
    try:
        tree = _node(raw, path, 1)
        check_names(tree, path)
    except TreeError as error:
        found.append(error)
    return None


def check_names(tree: Tree, path: Path = ()) -> None:
    """Pass when every tag, source, coupon, field and segment the tree names exists.

    :raises TreeError: naming the first that doesn't
    """
    for leaf, where in leaves_with_paths(tree, path):
        missing = FIELDS[leaf.kind].missing
        sentence = missing(leaf) if missing else None
        if sentence:
            raise TreeError(sentence, (*where, "value"))


def dump(tree: Tree) -> dict[str, Any]:
    """The tree in the form of the shop file; `parse(dump(tree)) == tree`."""
    if isinstance(tree, AllOf):
        return {"all": [dump(item) for item in tree.items]}
    if isinstance(tree, AnyOf):
        return {"any": [dump(item) for item in tree.items]}
    if isinstance(tree, Not):
        return {"not": dump(tree.item)}
    written: dict[str, Any] = {"field": tree.field, "op": tree.op}
    for key in ("value", "within_days", "at_least", "salt"):
        if getattr(tree, key) is not None:
            written[key] = getattr(tree, key)
    return written


def _node(raw: Any, path: Path, depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise TreeError(_l("Conditions may be nested %(most)s deep.", most=MAX_DEPTH), path)
    if not isinstance(raw, dict):
        raise TreeError(_l("A condition is written as all, any, not, or as field and op."), path)
    groups = [key for key in ("all", "any", "not") if key in raw]
    if not groups:
        return _leaf(raw, path)
    others = [str(key) for key in raw if key != groups[0]]
    if others:
        raise TreeError(
            _l("%(key)s can't stand beside %(others)s.", key=groups[0], others=", ".join(others)),
            path,
        )
    key = groups[0]
    if key == "not":
        return Not(_node(raw["not"], (*path, "not"), depth + 1))
    items = raw[key]
    if not isinstance(items, list):
        raise TreeError(_l("%(key)s takes a list of conditions.", key=key), (*path, key))
    parsed = tuple(_node(item, (*path, key, index), depth + 1) for index, item in enumerate(items))
    return AllOf(parsed) if key == "all" else AnyOf(parsed)


def _leaf(raw: dict[str, Any], path: Path) -> Leaf:
    for key in raw:
        if key not in LEAF_KEYS:
            raise TreeError(_l("Conditions have no key %(key)s.", key=key), (*path, str(key)))
    spec = _spec(raw.get("field"), path)
    leaf = Leaf(
        field=raw["field"],
        op=_op(raw.get("op"), spec, path),
        value=raw.get("value"),
        within_days=_number(raw, "within_days", 1, 3660, spec, path),
        at_least=_number(raw, "at_least", 1, 100_000, spec, path),
        salt=_salt(raw, spec, path),
    )
    _check_shape(leaf, path)
    return Leaf(
        leaf.field,
        leaf.op,
        spec.check(leaf, path),
        leaf.within_days,
        leaf.at_least,
        leaf.salt,
    )


def _spec(name: Any, path: Path) -> FieldSpec:
    if not isinstance(name, str) or not name:
        raise TreeError(_l("A condition needs a field."), (*path, "field"))
    kind, colon, about = name.partition(":")
    spec = FIELDS.get(kind)
    if spec is None:
        raise TreeError(
            _l(
                "There is no field %(name)s. Fields are: %(known)s.",
                name=name,
                known=", ".join(sorted(FIELDS)),
            ),
            (*path, "field"),
        )
    if spec.about != bool(about) or (colon and not spec.about):
        raise TreeError(
            _l("%(kind)s needs a name after a colon.", kind=kind)
            if spec.about
            else _l("%(kind)s takes nothing after a colon.", kind=kind),
            (*path, "field"),
        )
    return spec


def _op(op: Any, spec: FieldSpec, path: Path) -> str:
    if op not in OPS or op not in spec.ops:
        raise TreeError(
            _l(
                "%(field)s can be asked with: %(ops)s.",
                field=spec.name,
                ops=", ".join(spec.ops),
            ),
            (*path, "op"),
        )
    return str(op)


def _number(
    raw: dict[str, Any], key: str, low: int, high: int, spec: FieldSpec, path: Path
) -> int | None:
    value = raw.get(key)
    if value is None:
        return None
    _allow(key, spec, path)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise TreeError(
            _l("This must be a whole number from %(low)s to %(high)s.", low=low, high=high),
            (*path, key),
        )
    return value


def _salt(raw: dict[str, Any], spec: FieldSpec, path: Path) -> str | int | None:
    value = raw.get("salt")
    if value is None:
        return None
    _allow("salt", spec, path)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TreeError(_l("This must be a text or a whole number."), (*path, "salt"))
    return value


def _allow(key: str, spec: FieldSpec, path: Path) -> None:
    if key not in spec.allows:
        raise TreeError(_l("%(field)s takes no %(key)s.", field=spec.name, key=key), (*path, key))


def _check_shape(leaf: Leaf, path: Path) -> None:
    """One value, a list of values, or none: as the op wants it."""
    if leaf.op in KNOWN:
        if leaf.value is not None:
            raise TreeError(_l("%(op)s takes no value.", op=leaf.op), (*path, "value"))
    elif leaf.op in SEVERAL:
        if not isinstance(leaf.value, list) or not leaf.value:
            raise TreeError(_l("%(op)s takes a list of values.", op=leaf.op), (*path, "value"))
    elif leaf.value is None or isinstance(leaf.value, list | dict):
        raise TreeError(_l("%(op)s takes one value.", op=leaf.op), (*path, "value"))


__all__ = ["AMOUNT", "check_names", "dump", "parse"]
