"""Every way to break a message in one place."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

WRONG = (None, 5, "x", [], {}, True, "a" * 6000, [1])


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a message."""
    if path:
        yield path
    if isinstance(value, dict):
        for name in value:
            yield from spots(value[name], (*path, name))
    elif isinstance(value, list):
        for index in range(min(len(value), 2)):
            yield from spots(value[index], (*path, index))


def damaged(message: Any) -> Iterator[tuple[str, Any]]:
    """The message with one place removed, replaced by something wrong, or given an extra."""
    for path in spots(message):
        for wrong in WRONG:
            broken = deepcopy(message)
            holder = broken
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = deepcopy(wrong)
            yield f"{path} = {str(wrong)[:10]}", broken
        if isinstance(path[-1], str):
            broken = deepcopy(message)
            holder = broken
            for step in path[:-1]:
                holder = holder[step]
            del holder[path[-1]]
            yield f"without {path}", broken
            holder["surprise"] = 1
            yield f"surprise beside {path}", broken
