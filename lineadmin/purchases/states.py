"""How far an order is, in words."""

from __future__ import annotations

from typing import Any

from lineadmin.i18n import _l

PLACED, PREPARING, READY = "placed", "preparing", "ready"
DONE, CANCELLED = "done", "cancelled"

STATUS_LABELS: dict[str, Any] = {
    PLACED: _l("order placed"),
    PREPARING: _l("being prepared"),
    READY: _l("ready to collect"),
    DONE: _l("done"),
    CANCELLED: _l("order cancelled"),
}
STATUSES = tuple(STATUS_LABELS)
STATUS_KINDS = {PLACED: "info", PREPARING: "info", READY: "warn", DONE: "ok", CANCELLED: "quiet"}
UNDERWAY = (PLACED, PREPARING, READY)  # a friend may still ask for a change
VOIDED = "voided"  # not a status of its own: what lists and pages show of a voided purchase

STAFF, CSV, REDEMPTION = "staff", "csv", "redemption"
ORIGIN_LABELS: dict[str, Any] = {
    STAFF: _l("entered by staff"),
    CSV: _l("out of a file"),
    REDEMPTION: _l("with a redeemed coupon"),
}
