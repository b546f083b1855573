"""Why this friend got a message, or did not: told in a sentence or two from what is on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lineadmin import segments, settings
from lineadmin.broadcasts import estimated, states
from lineadmin.broadcasts.models import Broadcast
from lineadmin.coupons.benefits import end_moment
from lineadmin.coupons.models import Coupon
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, format_date, format_datetime
from lineadmin.outbox import pauses, quiet, reasons
from lineadmin.outbox.models import Delivery, DeliveryState, OriginKind
from lineadmin.outbox.origins import PROGRAMS
from lineadmin.purchases.models import Purchase
from lineadmin.segments.tree import AllOf, Tree, TreeError
from lineadmin.sequences.advance import RUN_FACTOR, place_of
from lineadmin.sequences.models import Enrolment, Sequence


def explain(delivery: Delivery, *, now: datetime) -> str:
    """Why she was meant to get it, and what became of that."""
    return f"{meant(delivery)} {became(delivery, now=now)}".strip()


def meant(delivery: Delivery) -> str:
    """Why she was among those who were thought of; empty where it was a message of her own."""
    if delivery.origin_kind == OriginKind.BROADCAST:
        return _of_broadcast(delivery)
    if delivery.origin_kind == OriginKind.STEP:
        return _of_step(delivery)
    if delivery.origin_kind == OriginKind.GREETING:
        return _("The free greeting could not be given, so it goes as a push.")
    if delivery.origin_kind == OriginKind.STAFF:
        return _("A member of staff answered her.")
    if delivery.origin_kind == OriginKind.REMINDER:
        return _of_reminder(delivery)
    if delivery.origin_kind == OriginKind.POINTS:
        return _("Some of her points were about to end.")
    if delivery.origin_kind == OriginKind.THANKS:
        coupon = Coupon.get_or_none(Coupon.id == delivery.origin_id)
        return _("She redeemed “%(name)s”.", name="" if coupon is None else coupon.title)
    if delivery.origin_kind == OriginKind.NOTICE:
        order = Purchase.get_or_none(Purchase.id == delivery.origin_id)
        number = "" if order is None else order.receipt_no
        return _("News about her order %(number)s.", number=number)
    return _("A test send to a staff member's own LINE.")


def became(delivery: Delivery, *, now: datetime) -> str:
    """What happened to it, and why."""
    state = DeliveryState(delivery.state)
    if state == DeliveryState.SENT:
        if delivery.reason == reasons.COUNTED_AS_SENT:
            return _("LINE never answered; staff decided to count it as sent.")
        return _("LINE took it on %(when)s.", when=format_datetime(delivery.done_at))
    tell: dict[DeliveryState, Callable[[Delivery, datetime], str]] = {
        DeliveryState.QUEUED: _waiting,
        DeliveryState.PACKED: _on_the_way,
        DeliveryState.SKIPPED: _left_out,
        DeliveryState.FAILED: _failed,
        DeliveryState.UNKNOWN: _unclear,
        DeliveryState.CANCELED: _canceled,
        DeliveryState.HELD: _held,
    }
    return tell[state](delivery, now)


def about(friend: Friend, row: Broadcast, *, now: datetime) -> str:
    """Why she did or did not get a broadcast, whether or not she was ever thought of."""
    delivery = Delivery.get_or_none(
        Delivery.friend_id == friend.id,
        Delivery.origin_kind == int(OriginKind.BROADCAST),
        Delivery.origin_id == row.id,
    )
    if delivery is not None:
        return explain(delivery, now=now)
    if row.estimated is not None:
        return _by_estimate(row)
    if row.plan_whole_at is None:
        return _("It has not left yet. %(match)s", match=_matches(friend, row, now)).strip()
    if friend.first_seen_at is not None and friend.first_seen_at > row.plan_whole_at:
        return _("It left before we knew her (%(when)s).", when=format_datetime(row.plan_whole_at))
    return _("She was not among those it is for. %(match)s", match=_matches(friend, row, now))


def _by_estimate(row: Broadcast) -> str:
    """LINE chose the recipients and tells nobody who they were."""
    if row.state in (states.CANCELED, states.FAILED):
        return _("Nobody got it.")
    if row.finished_at is None:
        return _(
            "It is not over yet. LINE chooses who gets it, and will not tell whether she does."
        )
    return _(
        "Not known. LINE chose who got it by its own estimates (%(audience)s) and tells nobody who "
        "they were.",
        audience=estimated.sentence(row.estimated),
    )


def _matches(friend: Friend, row: Broadcast, now: datetime) -> str:
    """Which part of the audience she does not match, as things are now."""
    if row.audience is None:
        return ""
    try:
        tree = segments.parse(row.audience)
        wanted = list(tree.items) if isinstance(tree, AllOf) else [tree]
        missed = [
            segments.sentence(segments.dump(part))
            for part in wanted
            if not _is_picked(friend, part, now)
        ]
    except TreeError:
        return ""
    if not missed:
        return _("As things are now, she is.")
    return _("As things are now, this is not true of her: %(parts)s.", parts=_("; ").join(missed))


def _is_picked(friend: Friend, part: Tree, now: datetime) -> bool:
    condition = segments.where(part, now=now, zone=settings.shop_zone(), per_friend=True)
    return Friend.select(Friend.id).where((Friend.id == friend.id) & condition).exists()


def _of_broadcast(delivery: Delivery) -> str:
    row = Broadcast.get_or_none(Broadcast.id == delivery.origin_id)
    if row is not None and row.estimated is not None:
        return _(
            "The broadcast “%(name)s” is for: %(audience)s. She is kept out by an audience.",
            name=row.name,
            audience=estimated.sentence(row.estimated),
        )
    if row is None or row.audience is None:
        return ""
    try:
        audience = segments.sentence(row.audience)
    except TreeError:
        return _("Part of the broadcast “%(name)s”.", name=row.name)
    return _("The broadcast “%(name)s” is for: %(audience)s.", name=row.name, audience=audience)


def _of_step(delivery: Delivery) -> str:
    sequence = Sequence.get_or_none(Sequence.id == delivery.origin_id)
    if sequence is None:
        return ""
    _branch, step = place_of(delivery.origin_run)
    run = Enrolment.get_or_none(
        Enrolment.sequence == sequence,
        Enrolment.friend_id == delivery.friend_id,
        Enrolment.run == delivery.origin_run // RUN_FACTOR,
    )
    if run is None:
        return _("Step %(step)s of “%(name)s”.", step=step, name=sequence.name)
    return _(
        "Step %(step)s of “%(name)s”, which she started on %(day)s.",
        step=step,
        name=sequence.name,
        day=format_date(run.entered_at),
    )


def _of_reminder(delivery: Delivery) -> str:
    coupon = Coupon.get_or_none(Coupon.id == delivery.origin_id)
    if coupon is None:
        return ""
    if delivery.expires_at is None:
        return _("A reminder of the coupon “%(name)s”.", name=coupon.title)
    return _(
        "A reminder of the coupon “%(name)s”, hers being good until %(when)s.",
        name=coupon.title,
        when=end_moment(delivery.expires_at),
    )


def _waiting(delivery: Delivery, now: datetime) -> str:
    if delivery.due_at > now:
        return _("It waits for its time, %(when)s.", when=format_datetime(delivery.due_at))
    if pauses.current().nothing_leaves:
        return _("It waits because all sending is stopped.")
    if delivery.origin_kind in PROGRAMS:
        ends = quiet.ends_at(settings.shop(), now)
        if ends is not None:
            return _(
                "It waits for the end of the quiet hours, %(when)s.", when=format_datetime(ends)
            )
    if _program_waits_for_quota(delivery):
        return _("It waits because this month's messages are used up.")
    if delivery.origin_kind == OriginKind.BROADCAST:
        row = Broadcast.get_or_none(Broadcast.id == delivery.origin_id)
        if row is not None and row.state == states.PAUSED:
            return _("It waits because the broadcast is paused.")
    if delivery.origin_kind == OriginKind.STEP:
        sequence = Sequence.get_or_none(Sequence.id == delivery.origin_id)
        if sequence is not None and not sequence.enabled:
            return _("It waits because the step messages are switched off.")
    return _("It is next in line.")


def _program_waits_for_quota(delivery: Delivery) -> bool:
    row: Broadcast | Sequence | None = None
    if delivery.origin_kind == OriginKind.BROADCAST:
        row = Broadcast.get_or_none(Broadcast.id == delivery.origin_id)
    elif delivery.origin_kind == OriginKind.STEP:
        row = Sequence.get_or_none(Sequence.id == delivery.origin_id)
    return row is not None and row.pause_reason == reasons.QUOTA


def _on_the_way(delivery: Delivery, now: datetime) -> str:
    shipment = delivery.shipment
    if shipment is None or not shipment.tries:
        return _("It is on its way to LINE.")
    return _(
        "LINE has not confirmed it yet, after %(tries)s tries. It is tried again with the same "
        "key, so it cannot arrive twice.",
        tries=shipment.tries,
    )


def _left_out(delivery: Delivery, now: datetime) -> str:
    shop = settings.shop()
    when = format_datetime(delivery.done_at)
    sentences = {
        reasons.BLOCKED: _("Not sent: she had blocked the account (%(when)s).", when=when),
        reasons.OPTED_OUT: _("Not sent: she wants no notifications (%(when)s).", when=when),
        reasons.NO_CONSENT: _("Not sent: she does not subscribe to the topic."),
        reasons.DORMANT: _("Not sent: she has answered none of the last wake-up messages."),
        reasons.HOLDOUT: _("Not sent on purpose: she is in the group kept for comparison."),
        reasons.EXPIRED: _("Not sent: by %(when)s it was too late to be of use.", when=when),
        reasons.LATE: _(
            "Not sent: the server was down on its day, and a late message would only surprise."
        ),
        reasons.COUPON_GONE: _("Not sent: its coupon could not be given any more."),
        reasons.GOAL: _("Not sent: by then she had reached what the step messages were for."),
        reasons.COLLISION: _(
            "Not sent: a more important message came that day, and the day after was full too."
        ),
        reasons.SWITCHED_OFF: _(
            "Not sent: the step messages were switched off on its day, and a late message would "
            "only surprise."
        ),
        reasons.COUPON_USED: _("Not sent: she had used the coupon already."),
        reasons.COUPON_NEW: _("Not sent: she got the coupon only after the time to remind of it."),
    }
    if delivery.reason == reasons.CAP and shop.cap_messages is not None:
        return _(
            "Not sent: she would have had more than %(messages)s messages within %(days)s days.",
            messages=shop.cap_messages,
            days=shop.cap_days,
        )
    return sentences.get(delivery.reason) or _(
        "Not sent: %(reason)s.", reason=reasons.label(delivery.reason)
    )


def _failed(delivery: Delivery, now: datetime) -> str:
    return _("LINE refused it for this friend. What LINE said stands below.")


def _unclear(delivery: Delivery, now: datetime) -> str:
    return _(
        "LINE never said whether it took it. It is not sent again by itself, so that nobody gets "
        "it twice; staff decide."
    )


def _canceled(delivery: Delivery, now: datetime) -> str:
    when = format_datetime(delivery.done_at)
    if delivery.reason == reasons.LEFT:
        return _("Not sent: she had left the step messages before (%(when)s).", when=when)
    if delivery.reason == reasons.RESTORED:
        return _("Not sent: given up after a backup was restored.")
    return _("Not sent: it was stopped before it left (%(when)s).", when=when)


def _held(delivery: Delivery, now: datetime) -> str:
    return _("On hold since a backup was restored; staff decide.")
