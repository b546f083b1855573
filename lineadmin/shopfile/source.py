"""Reading YAML into plain values, keeping the line of every one of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from lineadmin.shopfile.errors import Path, ShopFileError

LONGEST_BYTES = 5 * 1024 * 1024
MOST_VALUES = 100_000  # aliases can make a short file endless
DEEPEST = 60


class _Constructor(RoundTripConstructor):
    """Dates stay text: which form they need is the schema's to say."""


_Constructor.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda self, node: self.construct_scalar(node)
)


@dataclass(frozen=True)
class Source:
    """A file as plain values (`data`), and where each of them stands."""

    data: Any
    _tree: Any

    def line(self, path: Path) -> int | None:
        """The line, from 1, of the value at `path`, or of the nearest thing around it."""
        found, node = None, self._tree
        for step in path:
            position = _position(node, step)
            if position is None:
                break
            found = position
            node = node[step]
        return found


def read(text: str) -> Source:
    """The values of a YAML 1.2 (or JSON) text.

    :raises ShopFileError: with the line where the text is no YAML, or a key stands twice
    """
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        raise ShopFileError(None, (), "the file is larger than 5 MB")
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Constructor
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor that is used again says nothing wrong
            tree = yaml.load(text)
    except DuplicateKeyError as error:
        key = _key_in(str(error.problem))
        raise ShopFileError(_line_of(error), (key,) if key else (), "stands here twice") from None
    except MarkedYAMLError as error:
        raise ShopFileError(
            _line_of(error), (), f"this is not YAML: {error.problem or error.context}"
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise ShopFileError(None, (), f"this is not YAML: {error}") from None
    return Source(_Plain().value(tree, 0), tree)


class _Plain:
    """Turns ruamel's values, which remember how they were written, into Python's own."""

    def __init__(self) -> None:
        self._seen = 0

    def value(self, node: Any, depth: int) -> Any:
        self._seen += 1
        if self._seen > MOST_VALUES or depth > DEEPEST:
            raise ShopFileError(None, (), "the file holds more than a shop can have")
        if isinstance(node, CommentedMap):
            return {self._key(key, node): self.value(item, depth + 1) for key, item in node.items()}
        if isinstance(node, CommentedSeq):
            return [self.value(item, depth + 1) for item in node]
        if isinstance(node, str):
            return str(node)
        if node is None or isinstance(node, bool):
            return node
        if type(node).__name__ == "ScalarBoolean":
            return bool(node)
        if isinstance(node, int):
            return int(node)
        if isinstance(node, float):
            return float(node)
        raise ShopFileError(None, (), f"values of the kind {type(node).__name__} are not used here")

    def _key(self, key: Any, node: CommentedMap) -> str:
        if not isinstance(key, str):
            line = node.lc.line
            raise ShopFileError(
                None if line is None else line + 1, (), f"the key {key!r} is not a text"
            )
        return str(key)


def _position(node: Any, step: str | int) -> int | None:
    try:
        if isinstance(node, CommentedMap) and step in node:
            return int(node.lc.key(step)[0]) + 1
        if isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            return int(node.lc.item(step)[0]) + 1
    except (KeyError, TypeError, AttributeError):
        pass
    return None


def _line_of(error: MarkedYAMLError) -> int | None:
    mark = error.problem_mark or error.context_mark
    return None if mark is None else int(mark.line) + 1


def _key_in(problem: str) -> str:
    _before, _quote, rest = problem.partition('"')
    return rest.partition('"')[0]
