"""Writing the shop as a file: stable order, and loading it again changes nothing."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from lineadmin.shopfile.branches import dump_branches
from lineadmin.shopfile.goods import dump_categories
from lineadmin.shopfile.groups import dump_segments
from lineadmin.shopfile.line_coupons import dump_line_coupons
from lineadmin.shopfile.lotteries import dump_lotteries
from lineadmin.shopfile.members import dump_members
from lineadmin.shopfile.offers import dump_coupons
from lineadmin.shopfile.people import dump_fields, dump_sources, dump_tags
from lineadmin.shopfile.programs import dump_sequences
from lineadmin.shopfile.sendings import dump_broadcasts
from lineadmin.shopfile.shop import dump_shop
from lineadmin.shopfile.surveys import dump_surveys
from lineadmin.shopfile.templates import dump_templates
from lineadmin.shopfile.topics import dump_topics
from lineadmin.shopfile.values import CLOCK
from lineadmin.shopfile.words import dump_greeting, dump_replies

LONGEST_LINE = 4096  # no folding: a folded text is hard to compare


class _Representer(RoundTripRepresenter):
    """Writes null in letters: an empty place looks like a mistake."""


_Representer.add_representer(
    type(None), lambda self, _data: self.represent_scalar("tag:yaml.org,2002:null", "null")
)


def dump() -> str:
    """The whole set-up of this shop as YAML."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = LONGEST_LINE
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(_written(as_data()), out)
    return out.getvalue()


def as_data() -> dict[str, Any]:
    """The same as plain values, in the order of the file."""
    return {
        "version": 1,
        "shop": dump_shop(),
        "tags": dump_tags(),
        "fields": dump_fields(),
        "sources": dump_sources(),
        "branches": dump_branches(),
        "categories": dump_categories(),
        "segments": dump_segments(),
        "coupons": dump_coupons(),
        "line_coupons": dump_line_coupons(),
        "lotteries": dump_lotteries(),
        "topics": dump_topics(),
        "surveys": dump_surveys(),
        "members": dump_members(),
        "templates": dump_templates(),
        "greeting": dump_greeting(),
        "replies": dump_replies(),
        "sequences": dump_sequences(),
        "broadcasts": dump_broadcasts(),
    }


def _written(value: Any) -> Any:
    """Texts of several lines as blocks, times of day in quotes (older YAML counts them in 60s)."""
    if isinstance(value, dict):
        return CommentedMap((key, _written(item)) for key, item in value.items())
    if isinstance(value, list):
        return [_written(item) for item in value]
    if isinstance(value, str) and "\n" in value and not value.endswith("\n"):
        return LiteralScalarString(value)
    if isinstance(value, str) and CLOCK.fullmatch(value):
        return DoubleQuotedScalarString(value)
    return value
