"""What the sender asks of the rooms above it: rendering, and the say of programs.

The outbox lies below messages, broadcasts and sequences, so whoever starts a sender hands these in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from lineadmin.outbox.models import Content, OriginKind


class Addressee(NamedTuple):
    """What rendering needs to know of a friend."""

    id: int
    line_user_id: str
    display_name: str


class Errand(NamedTuple):
    """What rendering needs to know of a delivery."""

    id: int
    origin_kind: int
    origin_id: int
    origin_run: int


class Job(NamedTuple):
    """One message to prepare for one friend. No models: a broadcast makes 100,000 of these."""

    delivery: Errand
    friend: Addressee
    content: Content


@dataclass(frozen=True)
class Prepared:
    """A job as LINE will get it, or why there is nothing to send.

    `messages` are LINE message objects; None skips the delivery with `skip_reason`. `dropped` says
    in a few words which parts were left out and why; it is kept with the delivery.
    """

    messages: list[dict[str, Any]] | None
    skip_reason: str = ""
    dropped: str = ""


# Runs within the transaction that freezes the shipments: what it issues (coupons) is written
# exactly when the message is. It may be asked again about a delivery whose shipment was dissolved.
# Content that is not personal is prepared once, for one friend, on behalf of all.
Prepare = Callable[[Sequence[Job]], Sequence[Prepared]]


class Programs:
    """The say that broadcasts and sequences have in sending. This one lets everything go.

    All methods run within a short transaction of the sender.
    """

    def may_send(self, kind: OriginKind, ids: set[int], now: datetime) -> set[int]:
        """Those of `ids` whose messages may leave now.

        A broadcast: wholly planned, past its undo, not paused by staff. One that waits only for
        quota (see `waits`) belongs to the answer: the sender itself finds out when that is over.
        """
        return ids

    def stopped(self, kind: OriginKind, ids: set[int], now: datetime) -> set[int]:
        """Those of `ids` that staff have stopped for good, and that end once nothing is underway.

        What LINE may already have of them is asked about a little longer, so that it is known.
        """
        return set()

    def break_quiet(self, kind: OriginKind, ids: set[int]) -> set[int]:
        """Those of `ids` that may leave within the quiet hours, for a reason somebody stated."""
        return set()

    def left_out(
        self, kind: OriginKind, id: int, friends: Mapping[int, int], now: datetime
    ) -> Mapping[int, str]:
        """Whom a program wants to leave out after all, at the moment of sending, with the reason.

        :param friends: friend id -> `origin_run` of what is about to leave; never many thousands
        """
        return {}

    def waits(self, kind: OriginKind, id: int, reason: str, wall: datetime) -> None:
        """The rest of a program can't go on.

        `reasons.QUOTA`: the month's messages are used up; it goes on by itself, see `goes_on`.
        `reasons.REFUSED`: LINE refuses the content itself; `may_send` has to leave it out until
        staff decided.
        """

    def goes_on(self, kind: OriginKind, id: int, now: datetime) -> None:
        """A program has had messages packed; called with every chunk, so it must cost nothing."""

    def undone(self, jobs: Sequence[Job], now: datetime) -> None:
        """These were prepared one by one, and LINE has certainly not taken them.

        What was issued for them (coupons) goes back; should they go out after all, they are
        prepared again.
        """

    def aggregation_unit(self, kind: OriginKind, id: int, now: datetime) -> str | None:
        """The name under which LINE counts opens and clicks of a program (1-30 of A-Za-z0-9_)."""
        return None
