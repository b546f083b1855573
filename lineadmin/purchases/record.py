"""Writing purchases down: many at once, each receipt number once.

Known receipts are compared: the same changes nothing, a new status or place is taken over, another
friend or amount is refused. The rows, their lines and their facts are written together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lineadmin import journal, settings
from lineadmin.db import atomic, insert_ignore, insert_rows, is_postgres, one_of
from lineadmin.errors import DomainError
from lineadmin.i18n import _
from lineadmin.journal.models import Fact
from lineadmin.purchases import notices
from lineadmin.purchases.entry import LONGEST, Entry, checked, tidy
from lineadmin.purchases.models import Purchase, PurchaseCategory, PurchaseLine
from lineadmin.purchases.states import CANCELLED, DONE, REDEMPTION
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

STALE = timedelta(days=7)  # recorded later than this, a purchase starts no step messages
COUNTED, TAKEN_BACK = "purchase", "purchase.void"  # kinds of the one fact of a purchase
REDEMPTION_KEY = "redemption:"

_LINE_COLUMNS = (
    PurchaseLine.purchase,
    PurchaseLine.category,
    PurchaseLine.name,
    PurchaseLine.quantity,
    PurchaseLine.amount,
    PurchaseLine.friend_id,
    PurchaseLine.at,
    PurchaseLine.uncounted_at,
)


@dataclass
class Recorded:
    """What became of the entries, by receipt number; `refused` holds sentences."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def record(
    entry: Entry, *, origin: str, staff: Staff | None, now: datetime, wall: datetime
) -> tuple[Purchase, bool]:
    """Write one purchase down; the row, and whether it is new (or only known by now).

    :raises DomainError: a value that cannot be right, or a known receipt that says something else
    """
    entry = checked(entry, now=now)
    with atomic():
        done = record_all([entry], origin=origin, staff=staff, now=now)
        if entry.receipt_no in done.refused:
            raise DomainError(done.refused[entry.receipt_no], field="receipt_no")
        row: Purchase = Purchase.get(Purchase.receipt_no == entry.receipt_no)
        if entry.receipt_no not in done.unchanged:
            after = {"amount": row.amount, "at": row.at, "state": row.status, "branch": row.branch}
            verb = "create" if entry.receipt_no in done.created else "edit"
            audit.record(
                staff,
                f"purchase.{verb}",
                "purchase",
                row.id,
                row.receipt_no,
                None,
                after,
                wall=wall,
            )
    return row, entry.receipt_no in done.created


def record_all(
    entries: Sequence[Entry], *, origin: str, staff: Staff | None, now: datetime
) -> Recorded:
    """Write checked entries down, at most a few hundred with different receipt numbers."""
    result = Recorded()
    with atomic():
        known = _known(entries)
        _compare([one for one in entries if one.receipt_no in known], known, result, staff, now)
        fresh = [one for one in entries if one.receipt_no not in known]
        fresh = _adopt(fresh, result, staff, now)
        made = _insert(fresh, origin, staff, now)
        created = [one for one in fresh if one.receipt_no in made]
        result.created += [one.receipt_no for one in created]
        _write_lines(created, made, now)
        _write_facts(created, made, staff, now)
        # Somebody else may have written a receipt since we looked.
        late = [one for one in fresh if one.receipt_no not in made]
        if late:
            _compare(late, _known(late), result, staff, now)
    return result


def categories(names: Iterable[str], *, now: datetime) -> dict[str, int]:
    """The ids of these categories; those that are new are made."""
    wanted = sorted({name for name in names if name})
    if not wanted:
        return {}
    found = {row.name: row.id for row in _named(wanted)}
    for name in wanted:
        if name not in found:
            insert_ignore(PurchaseCategory.insert(name=name, created_at=now))
    return {row.name: row.id for row in _named(wanted)}


def add_category(name: str, *, staff: Staff | None, now: datetime, wall: datetime) -> bool:
    """Make a category before anything of it was bought; False where it is there.

    :raises DomainError: it has no name, or a longer one than 40 characters
    """
    name = tidy(name)
    if not 1 <= len(name) <= LONGEST["category"]:
        raise DomainError(_("A name has 1 to %(most)s characters.", most=40), field="name")
    with atomic():
        if not insert_ignore(PurchaseCategory.insert(name=name, created_at=now)):
            return False
        row = PurchaseCategory.get(PurchaseCategory.name == name)
        audit.record(
            staff, "category.create", "category", row.id, name, None, {"name": name}, wall=wall
        )
    return True


def said_of(lines: Sequence[Any]) -> str:
    """A few words about what was bought, for a timeline."""
    words = [line.name or getattr(line.category, "name", line.category) for line in lines]
    return "、".join(dict.fromkeys(word for word in words if word))[:80]


def _named(names: list[str]) -> Any:
    return PurchaseCategory.select().where(PurchaseCategory.name.in_(names))


def _known(entries: Sequence[Entry]) -> dict[str, Purchase]:
    numbers = [one.receipt_no for one in entries]
    found = _locked(Purchase.select().where(Purchase.receipt_no.in_(numbers)))
    return {row.receipt_no: row for row in found}


def _locked(query: Any) -> list[Purchase]:
    """The rows as they are now; nobody changes them until this transaction ends.

    In id order, so that two never wait for each other. On SQLite the transaction is the only
    writer already.
    """
    query = query.order_by(Purchase.id)
    return list(query.for_update() if is_postgres() else query)


def _compare(
    entries: Sequence[Entry],
    known: dict[str, Purchase],
    result: Recorded,
    staff: Staff | None,
    now: datetime,
) -> None:
    for entry in entries:
        row = known[entry.receipt_no]
        if row.voided_at is not None:
            result.refused[entry.receipt_no] = _("This receipt was recorded and taken back.")
        elif (row.friend_id, row.amount) != (entry.friend_id, entry.total):
            result.refused[entry.receipt_no] = _(
                "This receipt is recorded already, with another friend or amount."
            )
        elif _take_over(row, entry, staff, now):
            result.updated.append(entry.receipt_no)
        else:
            result.unchanged.append(entry.receipt_no)


def _take_over(row: Purchase, entry: Entry, staff: Staff | None, now: datetime) -> bool:
    """The status, branch and channel that a later telling knows better."""
    changes = {
        name: getattr(entry, name)
        for name in ("channel", "branch")
        if getattr(entry, name) and getattr(entry, name) != getattr(row, name)
    }
    if changes:
        Purchase.update(**changes, version=Purchase.version + 1).where(
            Purchase.id == row.id
        ).execute()
    moved = entry.status not in ("", row.status)
    if moved:
        move(row, entry.status, staff=staff, now=now)
    return bool(changes) or moved


def move(row: Purchase, status: str, *, staff: Staff | None, now: datetime) -> None:
    """Set an order's status, within a transaction: its history, whether it counts, its notice."""
    counted = None if status != CANCELLED else now
    Purchase.update(status=status, uncounted_at=counted, version=Purchase.version + 1).where(
        Purchase.id == row.id
    ).execute()
    if (row.uncounted_at is None) != (counted is None):
        count(row.id, counted)
    value: dict[str, Any] = {"status": status, "receipt": row.receipt_no}
    if staff is not None:
        value["staff"] = staff.id
    journal.record(row.friend_id, "purchase.status", object_id=row.id, value=value, at=now)
    notices.tell(row, status, now=now)


def take_back(row: Purchase, reason: str, *, staff: Staff | None, now: datetime) -> bool:
    """Take a purchase out of every count, within a transaction; False where it was before."""
    won = (
        Purchase.update(
            voided_at=now,
            voided_by=None if staff is None else staff.id,
            void_reason=reason,
            uncounted_at=now,
            version=Purchase.version + 1,
        )
        .where(Purchase.id == row.id, Purchase.voided_at.is_null())
        .execute()
    )
    if not won:
        return False
    if row.uncounted_at is None:
        count(row.id, now)
    value: dict[str, Any] = {"receipt": row.receipt_no, "reason": reason}
    if staff is not None:
        value["staff"] = staff.id
    journal.record(
        row.friend_id, "purchase.voided", object_id=row.id, value=value, amount=row.amount, at=now
    )
    notices.take_back(row, now=now)
    return True


def count(purchase_id: int, uncounted_at: datetime | None) -> None:
    """Let a purchase's lines and its fact count, or not: they say what the purchase itself says.

    The one change the journal knows: the fact keeps its place and time under another name, so that
    no question about purchases meets it.
    """
    PurchaseLine.update(uncounted_at=uncounted_at).where(
        PurchaseLine.purchase == purchase_id
    ).execute()
    old, new = (COUNTED, TAKEN_BACK) if uncounted_at is not None else (TAKEN_BACK, COUNTED)
    Fact.update(kind=new).where(Fact.kind == old, Fact.object_id == purchase_id).execute()


def _adopt(
    entries: Sequence[Entry], result: Recorded, staff: Staff | None, now: datetime
) -> list[Entry]:
    """Receipts of purchases that a redeemed coupon told of first: they are the same purchase.

    Same friend, same day of the shop's, same amount: the receipt's number, place and lines are
    taken over. What is left is new.
    """
    if not entries:
        return []
    mine = one_of(Purchase.friend, {one.friend_id for one in entries})
    open_ones = _locked(
        Purchase.select().where(
            mine
            & Purchase.receipt_no.startswith(REDEMPTION_KEY)
            & Purchase.voided_at.is_null()
            & (Purchase.origin == REDEMPTION)
        )
    )
    left: list[Entry] = []
    for entry in entries:
        same = next((row for row in open_ones if is_same(row, entry)), None)
        if same is None or entry.redemption_id is not None or entry.state != DONE:
            left.append(entry)
            continue
        open_ones.remove(same)
        Purchase.update(
            receipt_no=entry.receipt_no,
            channel=entry.channel,
            branch=entry.branch,
            note=entry.note,
            version=Purchase.version + 1,
        ).where(Purchase.id == same.id).execute()
        _write_lines([entry], {entry.receipt_no: same.id}, now, at=same.at)
        result.updated.append(entry.receipt_no)
    return left


def is_same(row: Purchase, entry: Entry) -> bool:
    """Whether a stored purchase and a told one are one: friend, day and amount agree."""
    zone = settings.shop_zone()
    return (
        row.friend_id == entry.friend_id
        and row.amount == entry.total
        and row.at.astimezone(zone).date() == entry.at.astimezone(zone).date()
    )


def _insert(
    entries: Sequence[Entry], origin: str, staff: Staff | None, now: datetime
) -> dict[str, int]:
    if not entries:
        return {}
    rows = [
        {
            "receipt_no": one.receipt_no,
            "friend": one.friend_id,
            "at": one.at,
            "amount": one.total,
            "channel": one.channel,
            "branch": one.branch,
            "status": one.state,
            "origin": origin,
            "redemption_id": one.redemption_id,
            "staff_id": None if staff is None else staff.id,
            "note": one.note,
            "recorded_at": now,
            "uncounted_at": now if one.state == CANCELLED else None,
        }
        for one in entries
    ]
    query = (
        Purchase.insert_many(rows)
        .on_conflict(action="nothing")
        .returning(Purchase.receipt_no, Purchase.id)
    )
    return dict(query.tuples().execute())


def _write_lines(
    entries: Sequence[Entry], made: dict[str, int], now: datetime, *, at: datetime | None = None
) -> None:
    ids = categories((line.category for one in entries for line in one.lines), now=now)
    rows = [
        (
            made[one.receipt_no],
            ids.get(line.category),
            line.name,
            line.quantity,
            line.amount,
            one.friend_id,
            at or one.at,
            now if one.state == CANCELLED else None,
        )
        for one in entries
        for line in one.lines
    ]
    for start in range(0, len(rows), 500):
        insert_rows(_LINE_COLUMNS, rows[start : start + 500])


def _write_facts(
    entries: Sequence[Entry], made: dict[str, int], staff: Staff | None, now: datetime
) -> None:
    counted: list[Any] = []
    cancelled: list[Any] = []
    for one in entries:
        value: dict[str, Any] = {"receipt": one.receipt_no, "what": said_of(one.lines)}
        if staff is not None:
            value["staff"] = staff.id
        told = cancelled if one.state == CANCELLED else counted
        told.append((one.friend_id, made[one.receipt_no], value, one.total, one.at))
    journal.record_each(COUNTED, counted, stale=now - STALE)
    journal.record_each(TAKEN_BACK, cancelled)
    for one in entries:
        if one.state != DONE and one.at >= now - notices.FRESH:
            notices.tell(Purchase.get_by_id(made[one.receipt_no]), one.state, now=now)
