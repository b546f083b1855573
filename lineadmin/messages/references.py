"""What parts point at, looked up for many messages at once: coupons, pictures, films."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Tag
from lineadmin.line_coupons.actions import by_line_ids
from lineadmin.line_coupons.models import LineCoupon
from lineadmin.lottery import queries as lotteries
from lineadmin.messages.models import Film, Upload
from lineadmin.messages.parts import (
    Part,
    coupon_codes,
    film_tokens,
    line_coupon_ids,
    lottery_codes,
    survey_codes,
    topic_codes,
    tracking,
    upload_tokens,
)
from lineadmin.surveys import queries as surveys
from lineadmin.topics import queries as topics


@dataclass(frozen=True)
class References:
    """The coupons by code, and of the files that exist: pictures by token with their pixels
    (width, height), tokens of films."""

    coupons: Mapping[str, Coupon] = field(default_factory=dict)
    uploads: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    films: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)  # the kind of each tag by its name
    lotteries: Mapping[str, lotteries.Known] = field(default_factory=dict)
    line_coupons: Mapping[str, LineCoupon] = field(default_factory=dict)  # by LINE's id
    topics: Mapping[str, topics.Known] = field(default_factory=dict)
    surveys: Mapping[str, surveys.Known] = field(default_factory=dict)


def look_up(parts: Iterable[Part]) -> References:
    """Everything these parts point at, as far as it exists, in a few queries."""
    listed = list(parts)
    codes, tokens = coupon_codes(listed), upload_tokens(listed)
    coupons: dict[str, Coupon] = {}
    if codes:
        stored = Coupon.select().where(Coupon.code.in_(codes))
        coupons = {coupon.code: coupon for coupon in stored}
    uploads: dict[str, tuple[int, int]] = {}
    if tokens:
        rows = Upload.select(Upload.token, Upload.width, Upload.height)
        uploads = {
            row.token: (row.width, row.height) for row in rows.where(Upload.token.in_(tokens))
        }
    films: frozenset[str] = frozenset()
    wanted = film_tokens(listed)
    if wanted:
        found = Film.select(Film.token).where(Film.token.in_(wanted))
        films = frozenset(row.token for row in found)
    known = lotteries.by_codes(lottery_codes(listed))
    at_line = by_line_ids(line_coupon_ids(listed))
    asked = topics.by_codes(topic_codes(listed))
    answered = surveys.by_codes(survey_codes(listed))
    return References(coupons, uploads, films, _tags(listed), known, at_line, asked, answered)


def _tags(parts: Sequence[Part]) -> dict[str, str]:
    track = tracking(parts)
    names = [note.tag for note in track.links if note.tag] if track else []
    if not names:
        return {}
    rows = Tag.select(Tag.name, Tag.kind).where(Tag.name.in_(names), Tag.archived_at.is_null())
    return {row.name: row.kind for row in rows}
