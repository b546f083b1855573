"""After a restore nothing goes out by itself: whatever was unfinished waits for staff.

Since the backup was taken its messages may have reached friends, or the shop may have changed its
mind; only people can tell.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from lineadmin.broadcasts.models import Broadcast
from lineadmin.inbox.models import InboundEvent
from lineadmin.journal.models import Fact
from lineadmin.outbox import reasons
from lineadmin.outbox.models import Delivery, DeliveryState, Shipment, ShipmentState
from lineadmin.sequences.models import Enrolment

UNFINISHED_BROADCASTS = ("scheduled", "planning", "sending", "paused", "stopping", "late")


@dataclass(frozen=True)
class Held:
    """How many of each kind are on hold."""

    deliveries: int
    shipments: int
    broadcasts: int
    enrolments: int
    events: int

    def line(self) -> str:
        """As one line of text."""
        return ", ".join(f"{kind} {count:,}" for kind, count in asdict(self).items())

    def as_dict(self) -> dict[str, int]:
        """For the audit log."""
        return asdict(self)


def hold_everything(*, now: datetime, wall: datetime) -> Held:
    """Put every unfinished delivery, shipment, broadcast and enrolment on hold.

    Events nobody had looked at are set aside, where staff can replay them; facts that waited to
    start a sequence no longer do.
    """
    shipments = (
        Shipment.update(state=ShipmentState.HELD, lease_until=None, leased_by="")
        .where(Shipment.state.in_((ShipmentState.READY, ShipmentState.FLYING)))
        .execute()
    )
    deliveries = (
        Delivery.update(state=DeliveryState.HELD, reason=reasons.RESTORED)
        .where(Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.PACKED)))
        .execute()
    )
    broadcasts = (
        Broadcast.update(state="held", version=Broadcast.version + 1)
        .where(Broadcast.state.in_(UNFINISHED_BROADCASTS))
        .execute()
    )
    enrolments = Enrolment.update(state="held").where(Enrolment.state == "active").execute()
    events = (
        InboundEvent.update(
            set_aside_at=wall, lease_until=None, error="set aside by restoring a backup"
        )
        .where(InboundEvent.handled_at.is_null(), InboundEvent.set_aside_at.is_null())
        .execute()
    )
    Fact.update(handled_at=now).where(Fact.handled_at.is_null()).execute()
    return Held(deliveries, shipments, broadcasts, enrolments, events)
