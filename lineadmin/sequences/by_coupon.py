"""Which sequences start when a coupon is redeemed: what its own page says about that."""

from __future__ import annotations

from lineadmin.sequences.actions import live_definition
from lineadmin.sequences.definition import COUPON_REDEEMED
from lineadmin.sequences.models import Sequence


def started_by_redeeming(code: str) -> list[Sequence]:
    """Those switched on whose published version starts with this coupon's redemption."""
    rows = Sequence.select().where(
        Sequence.enabled == True,  # noqa: E712
        Sequence.archived_at.is_null(),
        Sequence.live_version.is_null(False),
    )
    found = []
    for row in rows.order_by(Sequence.name):
        trigger = live_definition(row).trigger
        if trigger.kind == COUPON_REDEEMED and trigger.about == code:
            found.append(row)
    return found
