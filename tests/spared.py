"""Work that every test's own application would do again with the same result: done once instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule


class CompiledTemplates(BytecodeCache):
    """Templates as the first test that showed them compiled them."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket, where its template was compiled before."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


def build_addresses_once() -> None:
    """Keep the functions werkzeug writes and compiles to build the addresses of a rule.

    There are two for each of some three hundred rules, and most of an application's start goes
    into them. They depend on nothing but the rule's own text, defaults and converters.
    """
    write = Rule._compile_builder
    kept: dict[Any, Callable[..., tuple[str, str]]] = {}

    def written(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        converters = sorted((name, type(one)) for name, one in rule._converters.items())
        key = (rule.rule, repr(rule._trace), repr(rule.defaults), repr(converters), append_unknown)
        if key not in kept:
            kept[key] = write(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = written  # type: ignore[method-assign]
