"""Taking back what preparing a message handed out, where the message certainly never left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from lineadmin.coupons.issue import void
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.messages.parts import issued_codes, parse_parts
from lineadmin.messages.prepare import REMINDER, SHOWING
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.protocol import Job

# What a coupon's copy remembers of the message it came with.
ORIGINS = {
    OriginKind.BROADCAST: "broadcast",
    OriginKind.STEP: "step",
    OriginKind.GREETING: "greeting",
    OriginKind.STAFF: "staff",
    OriginKind.TEST: "test",
    OriginKind.REMINDER: REMINDER,
    OriginKind.THANKS: "thanks",
    OriginKind.POINTS: "points",
    OriginKind.NOTICE: "notice",
}
CHUNK = 500


def take_back_coupons(jobs: Sequence[Job], now: datetime) -> int:
    """Void the copies these messages carried and give them back to stock; how many.

    A copy that another message carries too, that was opened or used, stays (see coupons.issue).
    """
    friends: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    codes: dict[int, list[str]] = {}
    for job in jobs:
        if ORIGINS[OriginKind(job.delivery.origin_kind)] in SHOWING:
            continue
        if job.content.id not in codes:
            codes[job.content.id] = issued_codes(parse_parts(job.content.parts))
        if codes[job.content.id]:
            key = (job.content.id, job.delivery.origin_kind, job.delivery.origin_id)
            friends[key].append(job.friend.id)
    taken = 0
    for (content_id, kind, origin_id), ids in friends.items():
        for start in range(0, len(ids), CHUNK):
            taken += void(
                _carried(codes[content_id], kind, origin_id, ids[start : start + CHUNK]), now=now
            )
    return taken


def _carried(
    codes: list[str], kind: int, origin_id: int, friend_ids: list[int]
) -> list[CouponIssue]:
    """Per friend and coupon the copy her message showed: its own, else the newest she holds."""
    held = (
        CouponIssue.select()
        .join(Coupon)
        .where(
            Coupon.code.in_(codes),
            CouponIssue.friend_id.in_(friend_ids),
            CouponIssue.voided_at.is_null(),
            CouponIssue.redeemed_at.is_null(),
        )
        .order_by(CouponIssue.id)
    )
    chosen: dict[tuple[int, int], CouponIssue] = {}
    for copy in held:
        key = (copy.friend_id, copy.coupon_id)
        its_own = (copy.origin, copy.origin_id) == (ORIGINS[OriginKind(kind)], origin_id)
        if its_own or key not in chosen:
            chosen[key] = copy
    return list(chosen.values())
