"""What staff do with LINE's audiences; the uploading itself is the worker's (upload.py)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lineadmin.audiences.models import LineAudience
from lineadmin.db import EPOCH, atomic, insert_ignore
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.line import limits
from lineadmin.line.audience_calls import CLICK, IMPRESSION, Audience
from lineadmin.line.errors import LineError, LineRateLimited, LineRefused, LineUnreachable, sentence
from lineadmin.line.gateway import Gateway
from lineadmin.segments.models import Segment
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

WAITING, ASKED, UNCLEAR, THERE, FAILED = "waiting", "asked", "unclear", "there", "failed"
UNDERWAY = (WAITING, ASKED, UNCLEAR)


@dataclass(frozen=True)
class Found:
    """What a look at LINE's list brought."""

    there: int
    learned: int  # made elsewhere
    gone: int  # deleted elsewhere, or ended a month ago


def create(segment_name: str, name: str, *, staff: Staff | None, wall: datetime) -> LineAudience:
    """Have the worker make an audience of a segment at LINE. Nothing is sent by that.

    :raises DomainError: a name LINE would refuse or that is taken, a segment that is not there
    """
    if not Segment.select().where(Segment.name == segment_name).exists():
        raise DomainError(_l("Choose a segment."), field="segment")
    told = {"segment": segment_name}
    return _create(name.strip() or segment_name, told, staff, wall, segment=segment_name)


def create_engaged(
    broadcast_id: int, kind: str, request_id: str, name: str, *, staff: Staff | None, wall: datetime
) -> LineAudience:
    """Have the worker make an audience of who saw or tapped a narrowcast.

    :param kind: audience_calls.CLICK or IMPRESSION; LINE makes one of impressions per message only
    :raises DomainError: a name LINE would refuse or that is taken, or there is one already
    """
    if kind not in (CLICK, IMPRESSION):
        raise DomainError(_l("Choose who: those who saw it, or those who tapped a link."))
    twin = LineAudience.select().where(
        LineAudience.kind == kind, LineAudience.request_id == request_id
    )
    if twin.exists():
        raise DomainError(_l("There is an audience of these people already."))
    values = {"kind": kind, "broadcast_id": broadcast_id, "request_id": request_id}
    return _create(name, {"kind": kind}, staff, wall, **values)


def hand_over_again(audience_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Hand everybody over who is in the segment by now, or try again after a refusal.

    :raises DomainError: it is not ours, or is underway
    """
    row = _row(audience_id)
    if not row.segment:
        raise DomainError(_l("Only audiences made of a segment can be filled from here."))
    if not Segment.select().where(Segment.name == row.segment).exists():
        raise DomainError(_l("The segment “%(name)s” is not here any more.", name=row.segment))
    with atomic():
        changed = (
            LineAudience.update(
                state=WAITING, problem="", next_at=wall, cursor=0, handed=0, left_out=0
            )
            .where(LineAudience.id == row.id, LineAudience.state.in_((THERE, FAILED)))
            .execute()
        )
        if not changed:
            raise DomainError(_l("This is underway already."))
        audit.record(staff, "audience.fill", "audience", row.id, row.name, None, None, wall=wall)


def delete(audience_id: int, *, gateway: Gateway, staff: Staff | None, wall: datetime) -> None:
    """Delete an audience at LINE and here, for good.

    :raises DomainError: it may not be deleted from here, or LINE refused or did not answer
    """
    row = _row(audience_id)
    if row.purpose:
        raise DomainError(_l("A broadcast needs it. It is deleted by itself when that is over."))
    if not row.may_change:
        raise DomainError(_l("LINE lets us only use this audience. Delete it where it was made."))
    if row.state in (ASKED, UNCLEAR):
        raise DomainError(_l("LINE is being asked about it. Wait two minutes and try again."))
    if row.line_id is not None:
        try:
            gateway.delete_audience(row.line_id)
        except LineRefused as error:
            if error.status != 404:  # not there any more: as wanted
                raise DomainError(why_not(error)) from None
        except LineError as error:
            raise DomainError(why_not(error)) from None
    with atomic():
        gone = LineAudience.id == row.id
        if row.line_id is None:  # the worker may be asking for it at this moment
            gone &= LineAudience.line_id.is_null() & LineAudience.state.in_((WAITING, FAILED))
        if not LineAudience.delete().where(gone).execute():
            raise DomainError(_l("LINE is being asked about it. Wait two minutes and try again."))
        before = {"name": row.name, "segment": row.segment}
        audit.record(
            staff, "audience.delete", "audience", row.id, row.name, before, None, wall=wall
        )


def refresh(*, gateway: Gateway, wall: datetime) -> Found:
    """Bring our list up to LINE's: statuses, counts, those made elsewhere, those that are gone.

    :raises DomainError: LINE did not answer; nothing was changed
    """
    query = LineAudience.select(LineAudience.line_id)
    before = {row.line_id for row in query.where(LineAudience.line_id.is_null(False))}
    try:
        listed = gateway.audiences()
    except LineError as error:
        raise DomainError(why_not(error)) from None
    learned = 0
    with atomic():
        # One that was asked for and not answered for is recognised by upload.py, not learned here.
        asked = LineAudience.select(LineAudience.name_key).where(
            LineAudience.line_id.is_null(), LineAudience.state.in_((ASKED, UNCLEAR))
        )
        pending = {row.name_key for row in asked}
        for one in listed:
            if _note(one, wall):
                continue
            if one.name.casefold() in pending:
                continue
            learned += _learn(one, wall)
        missing = list(before - {one.id for one in listed})
        gone = LineAudience.delete().where(LineAudience.line_id.in_(missing)).execute()
    return Found(len(listed), learned, gone)


def needs_looks() -> bool:
    """Whether there is anything at LINE whose status could change."""
    return bool(LineAudience.select().where(LineAudience.line_id.is_null(False)).exists())


def why_not(error: LineError) -> str:
    """What happened, for somebody who pressed a button and may press it again."""
    if isinstance(error, LineUnreachable):
        return _("LINE could not be reached; nothing was changed. Try again.")
    if isinstance(error, LineRateLimited):
        return _("LINE asks us to go slower. Wait a moment and try again.")
    if not error.certainly_not_sent:
        return _("LINE did not answer. Try again.")
    return sentence(error)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise DomainError(_l("It needs a name."), field="name")
    if any(unicodedata.category(one) == "Cc" for one in name):
        raise DomainError(_l("The name has characters that cannot be seen."), field="name")
    if len(name) > limits.AUDIENCE_NAME:
        raise DomainError(
            _("At most %(count)s characters.", count=format_count(limits.AUDIENCE_NAME)),
            field="name",
        )
    return name


def _create(
    name: str, told: dict[str, str], staff: Staff | None, wall: datetime, **values: Any
) -> LineAudience:
    """Have the worker make one, with its audit line; `told` is what that says beside the name."""
    name = _checked_name(name)
    with atomic():
        if LineAudience.select().count() >= limits.AUDIENCES:
            raise DomainError(
                _(
                    "LINE keeps at most %(count)s audiences. Delete one first.",
                    count=format_count(limits.AUDIENCES),
                )
            )
        fresh = LineAudience.insert(
            name=name,
            name_key=name.casefold(),
            state=WAITING,
            next_at=wall,
            created_at=wall,
            **values,
        )
        if not insert_ignore(fresh):
            raise DomainError(_l("There is already an audience of this name."), field="name")
        made: LineAudience = LineAudience.get(LineAudience.name_key == name.casefold())
        after = {"name": name, **told}
        audit.record(staff, "audience.create", "audience", made.id, name, None, after, wall=wall)
    return made


def _row(audience_id: int) -> LineAudience:
    row: LineAudience | None = LineAudience.get_or_none(LineAudience.id == audience_id)
    if row is None:
        raise DomainError(_l("This audience is not here."))
    return row


def _note(one: Audience, wall: datetime) -> int:
    query = LineAudience.update(**_told(one), checked_at=wall)
    return int(query.where(LineAudience.line_id == one.id).execute())


def _learn(one: Audience, wall: datetime) -> int:
    fresh = LineAudience.insert(
        **_told(one),
        line_id=one.id,
        name=one.name[: limits.AUDIENCE_NAME],
        state=THERE,
        made_here=False,
        created_at=EPOCH + timedelta(seconds=one.created),
        checked_at=wall,
    )
    return int(bool(insert_ignore(fresh)))


def _told(one: Audience) -> dict[str, Any]:
    return {
        "kind": one.kind[:40],
        "status": one.status[:20],
        "failed_kind": one.failed_kind[:60],
        "members": one.members,
        "may_change": one.may_change,
    }
