"""Telling a friend how far her order is: one message per status, where the shop wants that."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lineadmin import settings
from lineadmin.i18n import DEFAULT_LOCALE, _, use_locale
from lineadmin.outbox import content
from lineadmin.outbox.cancel import cancel_for_friends
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.origins import Origin
from lineadmin.outbox.plan import PlanRow, plan_rows
from lineadmin.outbox.reasons import CANCELED
from lineadmin.purchases.models import ChangeRequest, Purchase
from lineadmin.purchases.states import CANCELLED, DONE, PLACED, PREPARING, READY

PRIORITY = 15  # before step messages: she waits for it
FRESH = timedelta(hours=24)  # older news would only surprise her
RUNS = {PLACED: 1, PREPARING: 2, READY: 3, DONE: 4, CANCELLED: 5}
ANSWERS = 1_000  # runs above are answers to her wishes


def tell(purchase: Purchase, status: str, *, now: datetime) -> None:
    """Queue the notice of this status, where the shop has switched notices on.

    The outbox knows each status of an order once, so a friend never gets two of one. What still
    waits about an earlier status is taken back.
    """
    if not settings.shop().order_notices:
        return
    take_back(purchase, now=now)
    _queue(purchase, RUNS[status], words(status, purchase.receipt_no), now)


def answer(purchase: Purchase, wish: ChangeRequest, *, now: datetime) -> None:
    """Queue staff's answer to a wish."""
    with use_locale(DEFAULT_LOCALE):
        text = _(
            "About your order %(number)s: %(words)s", number=purchase.receipt_no, words=wish.answer
        )
    _queue(purchase, ANSWERS + wish.id, text, now)


def take_back(purchase: Purchase, *, now: datetime) -> None:
    """Cancel notices of a status that have not left yet."""
    for run in RUNS.values():
        cancel_for_friends(
            OriginKind.NOTICE,
            purchase.id,
            [purchase.friend_id],
            run=run,
            reason=CANCELED,
            now=now,
        )


def words(status: str, receipt_no: str) -> str:
    """What friends read, in the shop's first language."""
    with use_locale(DEFAULT_LOCALE):
        told: dict[str, Any] = {
            PLACED: _("We have received your order %(number)s. Thank you!", number=receipt_no),
            PREPARING: _("Your order %(number)s is being prepared.", number=receipt_no),
            READY: _("Your order %(number)s is ready. See you soon!", number=receipt_no),
            DONE: _("Your order %(number)s is complete. Thank you!", number=receipt_no),
            CANCELLED: _("Your order %(number)s was cancelled.", number=receipt_no),
        }
        return str(told[status])


def _queue(purchase: Purchase, run: int, text: str, now: datetime) -> None:
    # Braces would be names of the reader; a receipt number may hold some.
    said = text.replace("{", "{{")
    stored = content.store([{"text": said}], personal=False, summary=text, now=now)
    row = PlanRow(
        friend_id=purchase.friend_id,
        origin=Origin(OriginKind.NOTICE, purchase.id, run),
        content_id=stored.id,
        due_at=now,
        expires_at=now + FRESH,
        priority=PRIORITY,
        counts_for_cap=False,
    )
    plan_rows([row], now=now, cap=None)
