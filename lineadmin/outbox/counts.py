"""What a sender did, in one line."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Counts:
    """Deliveries by what became of them in this run; the last two are what it left behind."""

    planned: int = 0
    packed: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0
    queued: int = 0  # due, but their program, the quiet hours, a pause or the quota says wait
    waiting: int = 0  # in shipments that are in backoff, parked or leased elsewhere

    def __str__(self) -> str:
        return " ".join(f"{field.name} {getattr(self, field.name)}" for field in fields(self))

    def add(self, **more: int) -> None:
        """Count more of these."""
        for name, count in more.items():
            setattr(self, name, getattr(self, name) + count)

    @property
    def done(self) -> int:
        """How much this run moved; 0 means that there was nothing it could do."""
        return self.packed + self.sent + self.failed + self.unknown + self.skipped
