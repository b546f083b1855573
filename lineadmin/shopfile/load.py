"""Loading a shop file: all of it or nothing, and twice is the same as once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lineadmin.db import atomic
from lineadmin.shopfile.branches import load_branches
from lineadmin.shopfile.context import Context, Report
from lineadmin.shopfile.coupon_rules import load_coupon_rules
from lineadmin.shopfile.goods import load_categories
from lineadmin.shopfile.groups import load_segments, load_tag_rules
from lineadmin.shopfile.line_coupons import load_line_coupons
from lineadmin.shopfile.lotteries import load_lotteries
from lineadmin.shopfile.members import load_members
from lineadmin.shopfile.offers import load_coupons
from lineadmin.shopfile.people import load_fields, load_sources, load_tags
from lineadmin.shopfile.programs import load_sequences
from lineadmin.shopfile.reading import parse
from lineadmin.shopfile.schema import ShopFile
from lineadmin.shopfile.sendings import load_broadcasts
from lineadmin.shopfile.shop import load_shop
from lineadmin.shopfile.source import read
from lineadmin.shopfile.surveys import load_surveys
from lineadmin.shopfile.templates import load_templates
from lineadmin.shopfile.topics import load_topics
from lineadmin.shopfile.words import load_greeting, load_replies
from lineadmin.staff.models import Staff

# What is named comes before what names it.
SECTIONS: tuple[tuple[str, Callable[[Any, Context], None]], ...] = (
    ("shop", load_shop),
    ("tags", load_tags),
    ("fields", load_fields),
    ("sources", load_sources),
    ("branches", load_branches),
    ("coupons", load_coupons),
    ("line_coupons", load_line_coupons),
    ("lotteries", load_lotteries),
    ("categories", load_categories),
    ("topics", load_topics),
    ("surveys", load_surveys),
    ("members", load_members),
    ("segments", load_segments),
    ("templates", load_templates),
    ("tags", load_tag_rules),
    ("coupons", load_coupon_rules),
    ("greeting", load_greeting),
    ("replies", load_replies),
    ("sequences", load_sequences),
    ("broadcasts", load_broadcasts),
)


class _DryRun(Exception):
    """Takes everything back at the end."""


def load(
    text: str,
    *,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    public_url: str | None = "",
    dry_run: bool = False,
) -> Report:
    """Make the shop as the file says, and delete nothing. `staff` is who it is put down to.

    :param public_url: this server's address; None where it has none, "" where that is no matter
    :param dry_run: do everything and take it back: the report tells what would happen
    :raises ShopFileError: a reference to what does not exist, or a refusal of a rule
    :raises ShopFileErrors: everything that is wrong with the file's form
    """
    source = read(text)
    file = parse(source)
    context = Context(source, staff, now, wall, public_url)
    try:
        with atomic():
            _apply(file, context)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return context.report


def _apply(file: ShopFile, context: Context) -> None:
    for key, section in SECTIONS:
        part = getattr(file, key)
        if part is not None:
            section(part, context)
