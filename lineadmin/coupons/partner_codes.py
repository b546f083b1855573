"""Codes a partner gave us: taken in as a list, handed out once each."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Case, Value

from lineadmin.coupons.models import Coupon, CouponIssue, PartnerCode
from lineadmin.coupons.offer import LIST
from lineadmin.db import atomic, insert_rows
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

LONGEST = 64
MOST_AT_ONCE = 50_000
CHUNK = 2_000
HEADINGS = {"code", "codes", "coupon", "優惠碼", "序號", "代碼", "コード", "クーポンコード"}


@dataclass(frozen=True)
class Left:
    """How many codes of a list there are, and how many nobody has yet."""

    total: int
    free: int


def read_list(text: str) -> list[tuple[int, str]]:
    """The codes of a paste or a CSV, with their line numbers: the first column, one per line.

    :raises DomainError: nothing in it, too many, a code that cannot be one, or one that is there
        twice; the line is named
    """
    found: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    for number, row in _lines(text):
        code = tidy(row[0].split("\t")[0]) if row else ""
        if not code or (not found and code.casefold() in HEADINGS):
            continue
        if len(code) > LONGEST or not code.isprintable():
            raise DomainError(
                _(
                    "Line %(line)s: a code has at most %(count)s characters, all of them visible.",
                    line=number,
                    count=LONGEST,
                ),
                field="codes",
            )
        if code in seen:
            raise DomainError(
                _(
                    "Line %(line)s: “%(code)s” is in line %(other)s already.",
                    line=number,
                    code=code,
                    other=seen[code],
                ),
                field="codes",
            )
        seen[code] = number
        found.append((number, code))
    if not found:
        raise DomainError(_l("There is no code in it."), field="codes")
    if len(found) > MOST_AT_ONCE:
        raise DomainError(
            _("At most %(count)s codes at once.", count=format_count(MOST_AT_ONCE)), field="codes"
        )
    return found


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    # Lines end as they do on Windows, on a Mac of old, or anywhere else.
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=None))
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error:
        raise DomainError(
            _("Line %(line)s cannot be read. Save the list as CSV.", line=reader.line_num),
            field="codes",
        ) from None


def tidy(text: str) -> str:
    """A code as it is stored and compared: no blanks around, full-width letters as plain ones."""
    return unicodedata.normalize("NFKC", text).strip()


def add_codes(
    coupon_id: int, text: str, *, staff: Staff | None, now: datetime, wall: datetime
) -> int:
    """Take a list in, all of it or nothing; how many codes it had.

    :raises DomainError: see `read_list`; or a code is known already, or the coupon has no list
    """
    listed = read_list(text)
    with atomic():
        coupon = Coupon.get_by_id(coupon_id)
        if coupon.code_kind != LIST:
            raise DomainError(_l("This coupon takes no codes from a list."), field="codes")
        for start in range(0, len(listed), CHUNK):
            part = listed[start : start + CHUNK]
            _refuse_known(coupon, part)
            insert_rows(
                (PartnerCode.coupon, PartnerCode.code, PartnerCode.imported_at),
                [(coupon.id, code, now) for _line, code in part],
            )
        after = {"count": len(listed)}
        audit.record(
            staff, "coupon.codes", "coupon", coupon.id, coupon.title, None, after, wall=wall
        )
    return len(listed)


def drop_free(coupon_id: int, *, staff: Staff, wall: datetime) -> int:
    """Throw away the codes nobody has; how many."""
    with atomic():
        coupon = Coupon.get_by_id(coupon_id)
        gone = (
            PartnerCode.delete()
            .where(PartnerCode.coupon == coupon, PartnerCode.issue.is_null())
            .execute()
        )
        if gone:
            before = {"count": gone}
            audit.record(
                staff,
                "coupon.drop_codes",
                "coupon",
                coupon.id,
                coupon.title,
                before,
                None,
                wall=wall,
            )
    return int(gone)


def left(coupon: Coupon) -> Left:
    """How many codes there are and how many are free."""
    mine = PartnerCode.select().where(PartnerCode.coupon == coupon)
    return Left(mine.count(), mine.where(PartnerCode.issue.is_null()).count())


def codes_of(coupon: Coupon) -> list[str]:
    """Every code of its list."""
    query: Any = PartnerCode.select(PartnerCode.code).where(PartnerCode.coupon == coupon)
    return [code for (code,) in query.order_by(PartnerCode.id).tuples()]


def free_codes_of(coupon: Coupon) -> list[str]:
    """Those nobody has."""
    return [code for _id, code in next_free(coupon, -1)]


def next_free(coupon: Coupon, wanted: int) -> list[tuple[int, str]]:
    """The next free codes with their ids (-1: all of them); whoever takes them holds the
    coupon's row."""
    query: Any = (
        PartnerCode.select(PartnerCode.id, PartnerCode.code)
        .where(PartnerCode.coupon == coupon, PartnerCode.issue.is_null())
        .order_by(PartnerCode.id)
        .limit(None if wanted < 0 else wanted)
    )
    return list(query.tuples())


def tie(pairs: Sequence[tuple[int, int]]) -> None:
    """Note which copy carries which code: (id of the code, id of the copy)."""
    if pairs:
        whose = Case(PartnerCode.id, [(code, Value(copy)) for code, copy in pairs])
        PartnerCode.update(issue=whose).where(
            PartnerCode.id.in_([code for code, _copy in pairs])
        ).execute()


def set_free(issues: Sequence[int]) -> None:
    """Give back the codes of copies that were never seen."""
    if issues:
        PartnerCode.update(issue=None).where(PartnerCode.issue.in_(list(issues))).execute()
        CouponIssue.update(given_code="").where(
            CouponIssue.id.in_(list(issues)), CouponIssue.given_code != ""
        ).execute()


def _refuse_known(coupon: Coupon, part: Sequence[tuple[int, str]]) -> None:
    lines = {code: line for line, code in part}
    known = (
        PartnerCode.select(PartnerCode.code)
        .where(PartnerCode.coupon == coupon, PartnerCode.code.in_(list(lines)))
        .tuples()
        .first()
    )
    if known is not None:
        raise DomainError(
            _(
                "Line %(line)s: “%(code)s” is in the list already. Nothing was added.",
                line=lines[known[0]],
                code=known[0],
            ),
            field="codes",
        )
