"""What is to be recorded, checked: the same rules for the counter, files and redemptions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l
from lineadmin.purchases.states import DONE, STATUSES

LARGEST_AMOUNT = 10_000_000
MOST_LINES = 50
MOST_QUANTITY = 10_000
LONGEST = {"receipt_no": 64, "channel": 40, "branch": 60, "note": 200, "name": 80, "category": 40}
AHEAD = timedelta(minutes=5)  # clocks of tills differ
OLDEST_YEARS = 20
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Line:
    """One thing that was bought; `amount` TWD of the whole line, where it is known."""

    name: str = ""
    category: str = ""
    quantity: int = 1
    amount: int | None = None


@dataclass(frozen=True)
class Entry:
    """One purchase as somebody tells it. `amount` None: the sum of its lines."""

    receipt_no: str
    friend_id: int
    at: datetime
    amount: int | None
    channel: str = ""
    branch: str = ""
    status: str = ""  # not said: a new purchase is done, a known order stays as it is
    note: str = ""
    lines: Sequence[Line] = field(default=())
    redemption_id: int | None = None

    @property
    def state(self) -> str:
        """The status of a new purchase."""
        return self.status or DONE

    @property
    def total(self) -> int:
        """TWD; of an entry that was checked."""
        return self.amount or 0


def tidy(text: str) -> str:
    """One line without blanks at its ends."""
    return _SPACES.sub(" ", text).strip()


def checked(entry: Entry, *, now: datetime) -> Entry:
    """The entry with its texts tidied and its amount filled in.

    :raises DomainError: names the field that cannot be right
    """
    texts = {
        name: _text(getattr(entry, name), name)
        for name in ("receipt_no", "channel", "branch", "note")
    }
    if not texts["receipt_no"]:
        raise DomainError(_l("Every purchase has a receipt number."), field="receipt_no")
    if entry.state not in STATUSES:
        raise DomainError(
            _("The status is one of: %(words)s.", words=", ".join(STATUSES)), field="status"
        )
    if entry.at > now + AHEAD:
        raise DomainError(_l("This day is still to come."), field="at")
    if entry.at < now - timedelta(days=366 * OLDEST_YEARS):
        raise DomainError(_l("This is too long ago."), field="at")
    if len(entry.lines) > MOST_LINES:
        raise DomainError(_("At most %(most)s lines.", most=MOST_LINES), field="lines")
    lines = tuple(_line(line) for line in entry.lines)
    amount = entry.amount
    if amount is None and lines and all(line.amount is not None for line in lines):
        amount = sum(line.amount or 0 for line in lines)
    if amount is None or not 0 <= amount <= LARGEST_AMOUNT:
        raise DomainError(_l("Enter the amount in whole dollars."), field="amount")
    return replace(entry, **texts, amount=amount, lines=lines)  # type: ignore[arg-type]


def _line(line: Line) -> Line:
    if not 1 <= line.quantity <= MOST_QUANTITY:
        raise DomainError(
            _("The quantity is a whole number from 1 to %(most)s.", most=MOST_QUANTITY),
            field="quantity",
        )
    if line.amount is not None and not 0 <= line.amount <= LARGEST_AMOUNT:
        raise DomainError(_l("Enter the amount in whole dollars."), field="item_amount")
    return replace(line, name=_text(line.name, "name"), category=_text(line.category, "category"))


def _text(value: str, name: str) -> str:
    text = tidy(value)
    if len(text) > LONGEST[name]:
        raise DomainError(
            _("At most %(most)s characters.", most=LONGEST[name]),
            field="item" if name == "name" else name,
        )
    if not text.isprintable():
        raise DomainError(_l("This contains characters that are no text."), field=name)
    return text
