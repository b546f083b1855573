"""Confirming a draft and taking it back.

A confirmed broadcast is frozen: its content by hash, its audience, and the number of people that
was shown. Every change of state is one conditional update, so a button pressed at the same moment
as the worker's tick either wins or is told that it came too late.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lineadmin import segments, settings
from lineadmin.broadcasts import estimated_sum, snapshot, states
from lineadmin.broadcasts.frozen import hash_of
from lineadmin.broadcasts.ledger import Ledger, is_everyone, ledger
from lineadmin.broadcasts.models import Broadcast
from lineadmin.broadcasts.row import get, move, record
from lineadmin.broadcasts.topic import check_frequency
from lineadmin.broadcasts.variants import require_different, versions_of
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.messages.check import require_sendable
from lineadmin.messages.parts import dump_parts, parse_parts
from lineadmin.messages.render import is_personal
from lineadmin.messages.summary import summarise
from lineadmin.outbox import content
from lineadmin.outbox.models import Content
from lineadmin.settings.shop import ShopSettings
from lineadmin.staff.models import Staff

LONGEST_REASON = 200


def confirm_broadcast(
    broadcast_id: int,
    *,
    version: int,
    everyone_confirmed: bool = False,
    expected: int | None = None,
    quiet_override: str | None = None,
    frequency_override: str | None = None,
    staff: Staff | None,
    now: datetime,
    wall: datetime,
    public_url: str | None,
    check_quota: bool = True,
    nobody_yet: bool = False,
    approved: bool = False,
) -> Broadcast:
    """Freeze a draft and let it go: at its time, and not before the undo window is over.

    To a single friend there is no undo window. Above the shop's thresholds it waits for a second
    person instead, see approval.py.

    :param nobody_yet: it may pick nobody at this moment (a shop file comes before its friends)
    :param expected: the number of people the person saw; more than that by now is refused
    :param everyone_confirmed: somebody typed that all friends are meant
    :param quiet_override: why it may leave within the quiet hours; None = it waits for their end
    :param frequency_override: why it may leave sooner after another one of its topic than agreed
    :param approved: it counts as approved (a shop file)
    :raises DomainError: message or audience are missing, the time is past, the month's messages do
        not suffice, everyone is meant without being confirmed, or the reason is missing
    :raises Conflict: somebody else saved since `version`
    """
    row = get(broadcast_id)
    if row.state != states.DRAFT:
        raise DomainError(_l("It was confirmed already."))
    if row.version != version:
        raise Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))
    _check_messages(row, now, public_url)
    if row.estimated is not None:
        _check_same_for_all(row)
    elif row.audience is None:
        raise DomainError(_l("Choose whom to send it to."), field="audience")
    else:
        tree = segments.parse(row.audience)
        segments.check_names(tree)
        if is_everyone(tree) and not everyone_confirmed:
            raise DomainError(
                _l("To send to all friends, type the number of people shown below."), field="typed"
            )
    row.quiet_override = _reason(quiet_override)
    told = check_numbers(
        row, expected=expected, now=now, check_quota=check_quota, nobody_yet=nobody_yet
    )
    often = check_frequency(row, now if row.at is None else max(row.at, now), frequency_override)
    waits = not approved and needs_approval(told, settings.shop())
    leaves_at = None if waits else leaving(row.at, told.will_send, now)
    packed = None if row.estimated is not None else snapshot.take(row, now=now)
    with atomic():
        contents = [store_parts(parts, now) for parts in versions_of(row)]
        move(
            row,
            (states.DRAFT,),
            states.APPROVAL if waits else states.SCHEDULED,
            version=version,
            confirmed_at=now,
            confirmed_by=None if staff is None else staff.id,
            leaves_at=leaves_at,
            content_id=contents[0].id,
            variant_contents=[one.id for one in contents[1:]] or None,
            expected=told.will_send,
            told=told.as_data(now),
            quiet_override=row.quiet_override,
            frequency_override=often,
            frozen_hash=hash_of(row),
            approved_at=None,
            approved_by=None,
            note="",
            cursor=0,
            plan_whole_at=None,
            pause_reason="",
            finished_at=None,
        )
        snapshot.keep(row.id, packed)
        after = {
            "state": states.APPROVAL if waits else states.SCHEDULED,
            "count": told.will_send,
            "at": leaves_at or row.at,
            "content": contents[0].hash,
            "audience": row.audience,
        }
        if row.estimated is not None:
            after["estimated"] = row.estimated
        verb = "ask_approval" if waits else "confirm"
        record(staff, verb, row, {"state": states.DRAFT}, after, wall)
        if row.quiet_override:
            reason = {"reason": row.quiet_override}
            record(staff, "override_quiet", row, None, reason, wall)
        if often:
            record(staff, "override_frequency", row, None, {"reason": often}, wall)
    return get(broadcast_id)


def check_numbers(
    row: Broadcast,
    *,
    expected: int | None,
    now: datetime,
    check_quota: bool = True,
    nobody_yet: bool = False,
) -> Ledger:
    """The sum as it is now, unless it forbids sending.

    :raises DomainError: the time is past, nobody would get it, more people than `expected` would,
        or the month's messages do not suffice
    """
    if row.at is not None and now > row.at + states.LATE_AFTER:
        raise DomainError(_l("This time has passed. Choose another one."), field="at")
    told = sum_of(row, now=now)
    if row.estimated is not None:
        estimated_sum.refuse_impossible(row.estimated, told, sure=not nobody_yet)
    if told.will_send == 0 and not nobody_yet:
        raise DomainError(_l("Nobody would get it."), field="audience")
    if expected is not None and told.will_send > expected:
        raise DomainError(
            _(
                "By now %(now)s people would get it, not %(then)s. Check and confirm again.",
                now=format_count(told.will_send),
                then=format_count(expected),
            ),
            field="typed",
        )
    if check_quota and told.short:
        raise DomainError(
            _(
                "%(count)s messages more than this month has left.",
                count=format_count(told.short),
            ),
            field="audience",
        )
    return told


def sum_of(row: Broadcast, *, now: datetime) -> Ledger:
    """The sum before sending of a stored broadcast with an audience."""
    if row.estimated is not None:
        return estimated_sum.ledger(
            row.estimated, now=now, at=row.at, service=row.service, wake=row.wake
        )
    return ledger(
        row.audience,
        now=now,
        at=row.at,
        broadcast_id=row.id,
        holdout_percent=row.holdout_percent,
        service=row.service,
        wake=row.wake,
    )


def needs_approval(told: Ledger, shop: ShopSettings) -> bool:
    """Whether it goes to more people, or costs more beyond the plan, than one person may decide."""
    many = shop.approval_recipients is not None and told.will_send > shop.approval_recipients
    dear = shop.approval_twd is not None and (told.cost.twd or 0) > shop.approval_twd
    return many or dear


def leaving(at: datetime | None, recipients: int, now: datetime) -> datetime:
    """When a broadcast confirmed now leaves: at its time, and not before it can be undone."""
    wanted = now if at is None else max(at, now)
    if recipients <= 1:
        return wanted
    return max(wanted, now + timedelta(minutes=settings.shop().undo_minutes))


def cancel_broadcast(
    broadcast_id: int, *, staff: Staff | None, now: datetime, wall: datetime
) -> Broadcast:
    """Take a confirmed broadcast back while nothing has left: it is a draft again.

    An approval is gone with it.

    :raises DomainError: it is leaving already
    """
    with atomic():
        row = get(broadcast_id)
        if not back_to_draft(row, now=now):
            raise DomainError(_l("Too late: it is leaving already. You can stop the rest."))
        before = {"state": row.state, "at": row.leaves_at}
        record(staff, "cancel", row, before, {"state": states.DRAFT, "at": row.at}, wall)
    return get(broadcast_id)


def back_to_draft(row: Broadcast, *, now: datetime, note: str = "") -> bool:
    """Undo what confirming froze, where nothing has left yet; False where it is too late."""
    still = (Broadcast.state == states.APPROVAL) | (
        (Broadcast.state == states.SCHEDULED) & (Broadcast.leaves_at > now)
    )
    changed = (
        Broadcast.update(
            state=states.DRAFT,
            confirmed_at=None,
            confirmed_by=None,
            leaves_at=None,
            content_id=None,
            variant_contents=None,
            expected=None,
            told=None,
            quiet_override="",
            frequency_override="",
            frozen_hash="",
            approved_at=None,
            approved_by=None,
            note=note,
            version=Broadcast.version + 1,
        )
        .where(Broadcast.id == row.id, still)
        .execute()
    )
    if changed:
        snapshot.keep(row.id, None)
    return bool(changed)


def _check_same_for_all(row: Broadcast) -> None:
    """:raises DomainError: it asks for what needs to know who gets it, which only LINE does"""
    if row.variants or row.holdout_percent:
        raise DomainError(
            _l(
                "LINE chooses who gets it, so there can be no versions to compare and no holdout "
                "group."
            ),
            field="estimated",
        )
    if is_personal(parse_parts(row.parts)):
        raise DomainError(
            _l(
                "LINE sends the same message to all of them: take out names, coupons handed out "
                "one by one, and links counted per friend. A coupon to be claimed by a tap is "
                "fine."
            ),
            field="parts",
        )


def _check_messages(row: Broadcast, now: datetime, public_url: str | None) -> None:
    versions = versions_of(row)
    for parts in versions:
        require_sendable(parse_parts(parts), now=now, public_url=public_url)
    require_different(versions)


def store_parts(parts_json: Any, now: datetime) -> Content:
    """The content of one version, frozen."""
    parts = parse_parts(parts_json)
    return content.store(
        dump_parts(parts), personal=is_personal(parts), summary=summarise(parts), now=now
    )


def _reason(text: str | None) -> str:
    """:raises DomainError: leaving within the quiet hours was chosen, but not why"""
    if text is None:
        return ""
    text = " ".join(text.split())
    if not 1 <= len(text) <= LONGEST_REASON:
        raise DomainError(
            _l("Say in 1 to %(most)s characters why it can't wait.", most=LONGEST_REASON),
            field="quiet_override",
        )
    return text
