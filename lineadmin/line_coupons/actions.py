"""Making, closing and looking up LINE's coupons. LINE is asked outside of any transaction.

LINE has no retry key for these calls: what was asked for and not answered is never asked for again
by itself, but looked for in LINE's list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lineadmin import settings
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l
from lineadmin.line.errors import (
    LineError,
    LineRateLimited,
    LineRefused,
    LineUnreachable,
    sentence,
)
from lineadmin.line.gateway import Gateway
from lineadmin.line_coupons.models import LineCoupon
from lineadmin.line_coupons.offer import LineOffer, drafted, moment, offer_of, request_of
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

DRAFT, ASKED, UNCLEAR, RUNNING, CLOSED = "draft", "asked", "unclear", "running", "closed"

STATE_LABELS: dict[str, Any] = {
    DRAFT: _l("Draft"),
    ASKED: _l("Waiting for LINE"),
    UNCLEAR: _l("LINE did not answer"),
    RUNNING: _l("In progress"),
    CLOSED: _l("Closed"),
}
GONE_AFTER = timedelta(minutes=2)  # by then a coupon LINE made after all is in its list
MOST_PAGES = 60  # LINE keeps 5,000 valid coupons at most
MOST_DETAILS = 100  # of coupons made elsewhere, looked up at once


@dataclass(frozen=True)
class Found:
    """What a look at LINE's list brought."""

    running: int
    learned: int  # coupons made elsewhere
    closed: int  # that we thought running
    gone: int  # asked for, and never made


def create(
    offer: LineOffer,
    *,
    gateway: Gateway,
    staff: Staff | None,
    wall: datetime,
    draft_id: int | None = None,
) -> LineCoupon:
    """Have LINE make a coupon. Nothing is sent by that.

    :param draft_id: the draft it is made of; of two people who do so at once, one makes it
    :raises DomainError: a value LINE would refuse, LINE's refusal, or no answer; what is said then
        tells whether something may have been made
    """
    body = request_of(offer, timezone=settings.shop().timezone, wall=wall)
    columns = _columns(offer, body) | {"state": ASKED, "created_at": wall}
    row = LineCoupon.create(**columns) if draft_id is None else _taken(draft_id, columns)
    try:
        line_id = gateway.create_coupon(json.dumps(body, ensure_ascii=False).encode())
    except LineError as error:
        if error.certainly_not_sent:
            if draft_id is None:
                LineCoupon.delete().where(LineCoupon.id == row.id).execute()
            else:
                LineCoupon.update(state=DRAFT).where(LineCoupon.id == row.id).execute()
            raise DomainError(_why_not(error)) from None
        LineCoupon.update(state=UNCLEAR).where(LineCoupon.id == row.id).execute()
        raise DomainError(
            _l(
                "LINE did not answer, so the coupon may exist or not. Ask LINE for its list before "
                "you make it again."
            )
        ) from None
    with atomic():
        LineCoupon.update(state=RUNNING, line_id=line_id).where(LineCoupon.id == row.id).execute()
        audit.record(
            staff, "line_coupon.create", "line_coupon", row.id, row.title, None, body, wall=wall
        )
    made: LineCoupon = LineCoupon.get_by_id(row.id)
    return made


def draft(offer: LineOffer, *, staff: Staff | None, wall: datetime) -> tuple[LineCoupon, bool]:
    """Keep a coupon that LINE is not asked for yet; the row, and whether anything changed.

    One of the same name and days that LINE has already is that coupon; a draft of the same name is
    changed. LINE is never asked by this.

    :raises DomainError: what LINE would refuse; or LINE has it, and it says something else
    """
    body = drafted(offer)
    columns = _columns(offer, body)
    known = _known(columns)
    if known is not None and known.state != DRAFT:
        told = offer_of(known.definition)
        if told is None or drafted(told) != body:
            raise DomainError(_l("LINE has this coupon already, and nothing of it can be changed."))
        return known, False
    with atomic():
        if known is None:
            made: LineCoupon = LineCoupon.create(**columns, state=DRAFT, created_at=wall)
            audit.record(
                staff, "line_coupon.draft", "line_coupon", made.id, made.title, None, body,
                wall=wall,
            )  # fmt: skip
            return made, True
        before = known.definition
        if before == body:
            return known, False
        LineCoupon.update(**columns).where(
            LineCoupon.id == known.id, LineCoupon.state == DRAFT
        ).execute()
        audit.record(
            staff, "line_coupon.edit", "line_coupon", known.id, known.title, before, body,
            wall=wall,
        )  # fmt: skip
    return LineCoupon.get_by_id(known.id), True


def drop(coupon_id: int, *, staff: Staff, wall: datetime) -> None:
    """Throw a draft away; LINE never knew of it.

    :raises DomainError: it is no draft (any more)
    """
    with atomic():
        row = LineCoupon.get_or_none(LineCoupon.id == coupon_id)
        mine = (LineCoupon.id == coupon_id) & (LineCoupon.state == DRAFT)
        if row is None or not LineCoupon.delete().where(mine).execute():
            raise DomainError(_l("This draft is not here any more."))
        audit.record(
            staff, "line_coupon.delete", "line_coupon", row.id, row.title, row.definition, None,
            wall=wall,
        )  # fmt: skip


def _columns(offer: LineOffer, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": body["title"],
        "starts_at": offer.starts_at,
        "ends_at": offer.ends_at,
        "probability": body["acquisitionCondition"].get("lotteryProbability"),
        "definition": body,
    }


def _known(columns: dict[str, Any]) -> LineCoupon | None:
    named = LineCoupon.select().where(LineCoupon.title == columns["title"])
    dated = {key: columns[key] for key in ("starts_at", "ends_at")}
    rows = list(named.order_by(LineCoupon.id.desc()))
    same = [row for row in rows if {key: getattr(row, key) for key in dated} == dated]
    drafts = [row for row in rows if row.state == DRAFT]
    found: list[LineCoupon] = same or drafts
    return found[0] if found else None


def _taken(draft_id: int, columns: dict[str, Any]) -> LineCoupon:
    """The draft, which from now on is asked for."""
    won = (
        LineCoupon.update(**columns)
        .where(LineCoupon.id == draft_id, LineCoupon.state == DRAFT)
        .execute()
    )
    if not won:
        raise DomainError(_l("This draft is not here any more."))
    row: LineCoupon = LineCoupon.get_by_id(draft_id)
    return row


def close(coupon_id: int, *, gateway: Gateway, staff: Staff | None, wall: datetime) -> None:
    """End a coupon for good; LINE also takes it from friends who have it.

    :raises DomainError: LINE refused or did not answer; then it can be tried again
    """
    row = LineCoupon.get_or_none(LineCoupon.id == coupon_id)
    if row is None or row.line_id is None:
        raise DomainError(_l("This coupon is not here."))
    if row.state == CLOSED:
        return
    try:
        gateway.close_coupon(row.line_id)
    except LineRefused as error:
        if error.status not in (404, 410):  # not there any more, or closed before: as wanted
            raise DomainError(_why_not(error)) from None
    except LineError as error:
        raise DomainError(_why_not(error)) from None
    with atomic():
        LineCoupon.update(state=CLOSED).where(LineCoupon.id == row.id).execute()
        audit.record(
            staff,
            "line_coupon.close",
            "line_coupon",
            row.id,
            row.title,
            {"state": row.state},
            {"state": CLOSED},
            wall=wall,
        )


def refresh(*, gateway: Gateway, wall: datetime) -> Found:
    """Bring our list up to LINE's: coupons made elsewhere, closed ones, and the unclear.

    :raises DomainError: LINE did not answer; nothing was changed
    """
    try:
        running = _all(gateway, "RUNNING")
        known = {row.line_id for row in LineCoupon.select(LineCoupon.line_id)}
        details = {
            line_id: gateway.coupon(line_id)
            for line_id in [one for one in running if one not in known][:MOST_DETAILS]
        }
    except LineError as error:
        raise DomainError(_why_not(error)) from None
    with atomic():
        learned = sum(_learn(line_id, detail, wall) for line_id, detail in details.items())
        ended = LineCoupon.line_id.is_null(False) & (LineCoupon.state == RUNNING)
        if running:
            ended &= LineCoupon.line_id.not_in(list(running))
        closed = LineCoupon.update(state=CLOSED).where(ended).execute()
        gone = (
            LineCoupon.delete()
            .where(
                LineCoupon.state.in_((ASKED, UNCLEAR)), LineCoupon.created_at < wall - GONE_AFTER
            )
            .execute()
        )
        LineCoupon.update(checked_at=wall).where(LineCoupon.state == RUNNING).execute()
    return Found(len(running), learned, closed, gone)


def sendable(wall: datetime) -> list[LineCoupon]:
    """Coupons that can be put into a message, the newest first."""
    query = LineCoupon.select().where(
        LineCoupon.state == RUNNING, LineCoupon.ends_at > wall, LineCoupon.line_id.is_null(False)
    )
    return list(query.order_by(LineCoupon.id.desc()))


def by_line_ids(line_ids: list[str]) -> dict[str, LineCoupon]:
    """The coupons with these ids of LINE's."""
    if not line_ids:
        return {}
    rows = LineCoupon.select().where(LineCoupon.line_id.in_(line_ids))
    return {str(row.line_id): row for row in rows}


def is_over(row: LineCoupon, wall: datetime) -> bool:
    """Whether friends can't get it any more."""
    return row.state == CLOSED or row.ends_at <= wall


def _all(gateway: Gateway, status: str) -> dict[str, str]:
    found: dict[str, str] = {}
    start = None
    for _page in range(MOST_PAGES):
        page = gateway.coupons(status, start)
        found.update(page.items)
        start = page.next
        if start is None:
            break
    return found


def _learn(line_id: str, detail: dict[str, Any], wall: datetime) -> int:
    """Keep a coupon LINE has and we did not know; 1 where it was made elsewhere."""
    starts, ends = moment(detail.get("startTimestamp")), moment(detail.get("endTimestamp"))
    title = str(detail.get("title") or "")[:60]
    asked = LineCoupon.get_or_none(
        LineCoupon.state.in_((ASKED, UNCLEAR, DRAFT)),
        LineCoupon.title == title,
        LineCoupon.starts_at == starts,
        LineCoupon.ends_at == ends,
    )
    if asked is not None:
        told = detail if asked.state == DRAFT else asked.definition  # a draft may say less
        LineCoupon.update(state=RUNNING, line_id=line_id, definition=told).where(
            LineCoupon.id == asked.id
        ).execute()
        return 0
    condition = detail.get("acquisitionCondition")
    chance = condition.get("lotteryProbability") if isinstance(condition, dict) else None
    LineCoupon.create(
        line_id=line_id,
        title=title,
        state=RUNNING,
        starts_at=starts,
        ends_at=ends,
        probability=chance if isinstance(chance, int) else None,
        definition=detail,
        made_here=False,
        created_at=wall,
        checked_at=wall,
    )
    return 1


def _why_not(error: LineError) -> str:
    """What happened, for somebody who pressed a button and may press it again."""
    if isinstance(error, LineUnreachable):
        return _("LINE could not be reached; nothing was changed. Try again.")
    if isinstance(error, LineRateLimited):
        return _("LINE asks us to go slower. Wait a moment and try again.")
    if not error.certainly_not_sent:
        return _("LINE did not answer. Try again.")
    return sentence(error)
