"""Work that every test's own application would do again with the same result: done once instead."""

from __future__ import annotations

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


def compile_addresses_once() -> None:
    """Keep what werkzeug makes of a rule: its parts to match, two functions to build addresses.

    There are some four hundred rules, and most of an application's start goes into them. What is
    made depends on nothing but the rule's own text, defaults and converters.
    """
    make = Rule.compile
    kept: dict[Any, tuple[Any, ...]] = {}

    def compiled(rule: Rule) -> None:
        assert rule.map is not None
        domain = rule.host if rule.map.host_matching else rule.subdomain
        converters = tuple(rule.map.converters.items())
        key = (domain, rule.rule, rule.merge_slashes, repr(rule.defaults), converters)
        if key not in kept:
            make(rule)
            builders = (rule._build.__func__, rule._build_unknown.__func__)  # type: ignore[attr-defined]
            kept[key] = (rule._parts, rule._trace, rule._converters, rule.arguments, builders)
        parts, trace, converted, arguments, (build, build_unknown) = kept[key]
        rule._parts, rule._trace = list(parts), list(trace)
        rule._converters = dict(converted)
        rule.arguments = rule.arguments | arguments
        rule._build = build.__get__(rule, None)
        rule._build_unknown = build_unknown.__get__(rule, None)

    Rule.compile = compiled  # type: ignore[method-assign]
