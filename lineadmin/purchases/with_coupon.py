"""A redemption with an amount is a purchase, counted once.

Where the receipt was recorded before (same friend, day and amount), the two are joined; where it
comes later, `record` joins them. Undone, the purchase goes with the redemption, unless a receipt
stands for it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lineadmin import settings
from lineadmin.i18n import _
from lineadmin.purchases import record
from lineadmin.purchases.entry import Entry
from lineadmin.purchases.models import Purchase
from lineadmin.purchases.states import REDEMPTION


def follow(redemption: Any, now: datetime) -> None:
    """Record what was bought with the coupon, in the transaction of the redemption."""
    if redemption.amount is None:
        return
    entry = Entry(
        receipt_no=f"{record.REDEMPTION_KEY}{redemption.id}",
        friend_id=redemption.friend_id,
        at=redemption.at,
        amount=redemption.amount,
        redemption_id=redemption.id,
    )
    zone = settings.shop_zone()
    day = redemption.at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    told = Purchase.select().where(
        Purchase.friend == redemption.friend_id,
        Purchase.at >= day,
        Purchase.at < day + timedelta(days=1),
        Purchase.redemption_id.is_null(),
        Purchase.uncounted_at.is_null(),
    )
    same = next((row for row in told if record.is_same(row, entry)), None)
    if same is None:
        record.record_all([entry], origin=REDEMPTION, staff=None, now=now)
    else:
        Purchase.update(redemption_id=redemption.id).where(Purchase.id == same.id).execute()


def take_back(redemption: Any, now: datetime) -> None:
    """Undo it, in the transaction in which the redemption is undone."""
    row = Purchase.get_or_none(Purchase.redemption_id == redemption.id)
    if row is None:
        return
    if row.receipt_no.startswith(record.REDEMPTION_KEY):
        record.take_back(row, _("The redemption was undone."), staff=None, now=now)
    else:
        Purchase.update(redemption_id=None).where(Purchase.id == row.id).execute()
