"""Reading a shop file into its parts: every mistake with its line, in words."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from lineadmin.broadcasts.estimated import EstimatedError
from lineadmin.broadcasts.estimated import parse as parse_estimated
from lineadmin.errors import DomainError
from lineadmin.messages.parts import PartsError, parse_parts
from lineadmin.segments.language import parse as parse_tree
from lineadmin.segments.tree import TreeError
from lineadmin.shopfile.errors import Path, ShopFileError, ShopFileErrors
from lineadmin.shopfile.schema import ShopFile, estimated_in, is_shorthand
from lineadmin.shopfile.source import Source
from lineadmin.shopfile.values import Condition, Messages, Part


def parse(source: Source) -> ShopFile:
    """The file's values, each of the right kind and every key known.

    Whether the tags, coupons and sources it names exist is seen when it is loaded.

    :raises ShopFileErrors: every mistake with its line
    """
    data = source.data
    if not isinstance(data, dict):
        raise ShopFileErrors([ShopFileError(1, (), "expected keys such as version, shop and tags")])
    try:
        file = ShopFile.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ShopFileErrors(_explained(error, source)) from None
    mistakes = [*_duplicates(file, source), *_contents(file, source)]
    if mistakes:
        raise ShopFileErrors(mistakes)
    return file


def _explained(error: ValidationError, source: Source) -> list[ShopFileError]:
    found: dict[Path, ShopFileError] = {}
    for item in error.errors(include_url=False):
        path = _real_path(item["loc"], source.data)
        found.setdefault(path, ShopFileError(source.line(path), path, _sentence(item, path)))
    return list(found.values())


def _real_path(loc: tuple[int | str, ...], data: Any) -> Path:
    """The place in the file: pydantic adds the names of union members to its own."""
    path: list[int | str] = []
    for step in loc:
        if _holds(data, step):
            data = data[step]
            path.append(step)
    last = loc[-1]
    if isinstance(data, dict) and isinstance(last, str) and len(path) < len(loc):
        path.append(last)
    return tuple(path)


def _holds(data: Any, step: int | str) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


def _sentence(item: Any, path: Path) -> str:
    kind, context = item["type"], item.get("ctx") or {}
    if kind == "extra_forbidden":
        known = ", ".join(_keys_beside(path))
        return f"this key is not known here; expected one of: {known}"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context.get("error", item["msg"]))
    if kind == "literal_error":
        return f"expected {context['expected']}; found {_shown(item['input'])}"
    expected = {
        "string_type": "a text (in quotes)",
        "int_type": "a whole number",
        "float_type": "a number",
        "bool_type": "true or false",
        "list_type": "a list",
        "dict_type": "keys with values",
        "model_type": "keys with values",
        "date_type": "a day such as 2026-11-23",
        "datetime_type": 'a moment such as "2026-11-23T11:30:00+08:00"',
    }.get(kind)
    if expected is None:
        return str(item["msg"])
    return f"expected {expected}; found {_shown(item['input'])}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list):
        return "a list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return repr(text[:60]) if isinstance(value, str) else text


def _keys_beside(path: Path) -> list[str]:
    model: type[Part] | None = ShopFile
    for step in path[:-1]:
        if model is None:
            break
        if isinstance(step, str):
            model = _model_in(model, step)
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(model: type[Part], key: str) -> type[Part] | None:
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            return _first_part(field.annotation)
    return None


def _first_part(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _first_part(inner)
        if found is not None:
            return found
    return None


def _duplicates(file: ShopFile, source: Source) -> list[ShopFileError]:
    mistakes = []
    for section, key in (
        ("tags", "name"),
        ("fields", "key"),
        ("sources", "code"),
        ("categories", "name"),
        ("segments", "name"),
        ("coupons", "code"),
        ("lotteries", "code"),
        ("topics", "code"),
        ("surveys", "code"),
        ("templates", "name"),
        ("replies", "name"),
        ("sequences", "name"),
        ("broadcasts", "name"),
    ):
        seen: set[str] = set()
        for index, part in enumerate(getattr(file, section) or []):
            value = getattr(part, key)
            if value is None:
                continue
            if value in seen:
                path = (section, index, key)
                mistakes.append(
                    ShopFileError(source.line(path), path, f"{value!r} stands here twice")
                )
            seen.add(value)
    return mistakes


def _contents(file: ShopFile, source: Source) -> list[ShopFileError]:
    """Messages and conditions, which other rooms know how to read."""
    mistakes: list[ShopFileError] = []

    def judge(path: Path, read: Any, value: Any) -> None:
        try:
            read(value)
        except (PartsError, TreeError, EstimatedError) as error:
            place = (*path, *error.path)
            mistakes.append(ShopFileError(source.line(place), place, error))
        except DomainError as error:
            mistakes.append(ShopFileError(source.line(path), path, error))

    for path, messages in messages_in(file):
        judge(path, parse_parts, messages)
    for path, tree in conditions_in(file):
        judge(path, parse_tree, tree)
    for index, broadcast in enumerate(file.broadcasts or []):
        estimated = estimated_in(broadcast.to)
        if estimated is not None:
            judge(("broadcasts", index, "to", "estimated"), parse_estimated, estimated)
    return mistakes


def messages_in(file: ShopFile) -> list[tuple[Path, Messages]]:
    """Every message list of the file with its place."""
    found: list[tuple[Path, Messages | None]] = []
    for index, template in enumerate(file.templates or []):
        found.append((("templates", index, "messages"), template.messages))
    if file.greeting is not None:
        found.append((("greeting", "messages"), file.greeting.messages))
        found.append((("greeting", "returning"), file.greeting.returning))
    for index, reply in enumerate(file.replies or []):
        found.append((("replies", index, "messages"), reply.messages))
    for index, coupon in enumerate(file.coupons or []):
        if coupon.after is not None:
            found.append((("coupons", index, "after", "messages"), coupon.after.messages))
    for index, sequence in enumerate(file.sequences or []):
        for number, branch in enumerate(sequence.branches or []):
            for step, part in enumerate(branch.steps):
                path: Path = ("sequences", index, "branches", number, "steps", step, "messages")
                found.append((path, part.messages))
    for index, broadcast in enumerate(file.broadcasts or []):
        found.append((("broadcasts", index, "messages"), broadcast.messages))
        for number, variant in enumerate(broadcast.variants or []):
            found.append((("broadcasts", index, "variants", number), variant))
    return [(path, messages) for path, messages in found if messages is not None]


def conditions_in(file: ShopFile) -> list[tuple[Path, Condition]]:
    """Every condition of the file with its place."""
    found: list[tuple[Path, Condition | None]] = []
    for index, segment in enumerate(file.segments or []):
        found.append((("segments", index, "where"), segment.where))
    for index, coupon in enumerate(file.coupons or []):
        found.append((("coupons", index, "who"), coupon.who))
    for index, sequence in enumerate(file.sequences or []):
        found.append((("sequences", index, "stop"), sequence.stop))
        for number, branch in enumerate(sequence.branches or []):
            found.append((("sequences", index, "branches", number, "where"), branch.where))
    for index, broadcast in enumerate(file.broadcasts or []):
        special = is_shorthand(broadcast.to or {}) or estimated_in(broadcast.to) is not None
        if broadcast.to is not None and not special:
            found.append((("broadcasts", index, "to"), broadcast.to))
    return [(path, tree) for path, tree in found if tree is not None]
