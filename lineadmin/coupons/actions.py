"""What managers do with coupons: make, change, pause, resume and close them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from peewee import Expression, IntegrityError, fn

from lineadmin.coupons import codes
from lineadmin.coupons.models import Coupon, CouponIssue
from lineadmin.coupons.offer import Offer, tidied
from lineadmin.coupons.states import ACTIVE, CLOSED, PAUSED
from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.friends.models import Tag
from lineadmin.friends.tags import STATIC
from lineadmin.i18n import _, _l, format_count, format_twd
from lineadmin.outbox.models import Content
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

# What was promised to friends who hold a copy.
PROMISED = ("benefit", "benefit_value", "benefit_text")
CODES = ("code_kind", "shared_code")
CODE_TRIES = 20


def create(offer: Offer, *, staff: Staff | None, now: datetime, wall: datetime) -> Coupon:
    """Make a coupon; it can be handed out at once.

    :raises DomainError: a value that cannot be right, its last day is over, or the short name is
        taken
    """
    if offer.valid_days is None and offer.valid_until is not None and offer.valid_until <= now:
        raise DomainError(_l("The last day is over already."), field="valid_until")
    return _make(offer, staff, now, wall)


def _make(offer: Offer, staff: Staff | None, now: datetime, wall: datetime) -> Coupon:
    offer = tidied(offer)
    _check_tags(offer)
    for number in range(CODE_TRIES):
        columns = offer.columns()
        if not offer.code:
            columns["code"] = f"coupon-{_next_number() + number}"
        try:
            with atomic():
                coupon: Coupon = Coupon.create(**columns, created_at=now)
                _record(staff, "coupon.create", coupon, None, _audited(columns), wall)
            return coupon
        except IntegrityError:
            if offer.code:
                break
    raise DomainError(
        _("There is a coupon with the short name %(code)s already.", code=offer.code), field="code"
    )


def edit(
    coupon_id: int, offer: Offer, *, version: int | None, staff: Staff | None, wall: datetime
) -> Coupon:
    """Change a coupon. Copies keep what was promised: their dates only ever get longer.

    :param version: the version the form was opened with; None skips the check (shop files)
    :raises DomainError: a value that cannot be right, or one that may no longer change
    :raises Conflict: somebody else saved meanwhile
    """
    with atomic():
        coupon = _get(coupon_id)
        offer = tidied(offer)
        before, after = Offer.of(coupon).columns(), offer.columns()
        after["code"] = before["code"]  # messages and files know the coupon by it
        if version is not None and version != coupon.version:
            raise _conflict()
        if before == after:
            return coupon
        _check_promises(coupon, after)
        if before["after_tags"] != after["after_tags"]:
            _check_tags(offer)
        saved = (
            Coupon.update(**after, version=Coupon.version + 1)
            .where(
                Coupon.id == coupon.id,
                Coupon.version == coupon.version,
                _nothing_promised_meanwhile(coupon, after),
            )
            .execute()
        )
        if not saved:
            _check_promises(_get(coupon_id), after)
            raise _conflict()
        _lengthen_copies(coupon, after)
        changed_pin = " ✎" if before["pin"] != after["pin"] else ""
        kept = {**_audited(after), "pin": _audited(after)["pin"] + changed_pin}
        _record(staff, "coupon.edit", coupon, _audited(before), kept, wall)
        return _get(coupon_id)


def load(offer: Offer, *, staff: Staff | None, now: datetime, wall: datetime) -> bool:
    """Make the coupon of this code, or change it to be so; False where it was so already.

    :raises DomainError: a value that cannot be right, or one that may no longer change
    """
    known = Coupon.get_or_none(Coupon.code == offer.code)
    if known is None:
        _make(offer, staff, now, wall)  # a shop's file may tell of one that is over
        return True
    saved = edit(known.id, offer, version=None, staff=staff, wall=wall)
    return bool(saved.version != known.version)


def pause(coupon_id: int, *, staff: Staff, wall: datetime) -> None:
    """Neither handed out nor redeemed until it is resumed."""
    _set_state(coupon_id, PAUSED, (ACTIVE,), "coupon.pause", staff, wall)


def resume(coupon_id: int, *, staff: Staff, wall: datetime) -> None:
    """Handed out and redeemed again."""
    _set_state(coupon_id, ACTIVE, (PAUSED,), "coupon.resume", staff, wall)


def close(coupon_id: int, *, staff: Staff, wall: datetime) -> None:
    """End it for good: nothing is handed out, and copies that friends hold stop working."""
    _set_state(coupon_id, CLOSED, (ACTIVE, PAUSED), "coupon.close", staff, wall)


def archive(coupon_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> None:
    """Put a closed coupon away: it leaves the list, its numbers stay.

    :raises DomainError: it is not closed yet
    """
    with atomic():
        coupon = _get(coupon_id)
        changed = (
            Coupon.update(archived_at=now, version=Coupon.version + 1)
            .where(Coupon.id == coupon_id, Coupon.state == CLOSED, Coupon.archived_at.is_null())
            .execute()
        )
        if not changed and coupon.archived_at is None:
            raise DomainError(_l("Close the coupon first: then it can be put away."))
        if changed:
            _record(staff, "coupon.archive", coupon, None, {"archived_at": now}, wall)


def unarchive(coupon_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Put a coupon back on the list; it stays closed."""
    with atomic():
        coupon = _get(coupon_id)
        changed = (
            Coupon.update(archived_at=None, version=Coupon.version + 1)
            .where(Coupon.id == coupon_id, Coupon.archived_at.is_null(False))
            .execute()
        )
        if changed:
            before = {"archived_at": coupon.archived_at}
            _record(staff, "coupon.unarchive", coupon, before, {"archived_at": None}, wall)


def set_claim_link(coupon_id: int, *, on: bool, staff: Staff | None, wall: datetime) -> None:
    """Give the coupon a public link by which friends claim it, or end that link for good."""
    with atomic():
        coupon = _get(coupon_id)
        if bool(coupon.claim_token) == on:
            return
        if on and coupon.state == CLOSED:
            raise DomainError(_l("The coupon is closed"))
        token = codes.new_token() if on else ""
        Coupon.update(claim_token=token, version=Coupon.version + 1).where(
            Coupon.id == coupon_id
        ).execute()
        _record(staff, "coupon.claim_link", coupon, {"enabled": not on}, {"enabled": on}, wall)


def _get(coupon_id: int) -> Coupon:
    coupon: Coupon | None = Coupon.get_or_none(Coupon.id == coupon_id)
    if coupon is None:
        raise DomainError(_l("This coupon is not here."))
    return coupon


def _next_number() -> int:
    return int(Coupon.select(fn.COALESCE(fn.MAX(Coupon.id), 0)).scalar()) + 1


def _conflict() -> Conflict:
    return Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))


def _check_tags(offer: Offer) -> None:
    known = Tag.select().where(Tag.id.in_(offer.after_tags), Tag.kind == STATIC).count()
    if known != len(offer.after_tags):
        raise DomainError(
            _l("One of the tags is gone, or only its rule sets it."), field="after_tags"
        )


def _check_promises(coupon: Coupon, after: dict[str, Any]) -> None:
    if coupon.state == CLOSED:
        raise DomainError(_l("A closed coupon can no longer be changed. Duplicate it instead."))
    if not coupon.issued:
        return
    for field in PROMISED:
        if getattr(coupon, field) != after[field]:
            raise DomainError(
                _l(
                    "Friends hold this coupon already, so what it gives cannot change. "
                    "Duplicate it and close this one."
                ),
                field="benefit" if field == "benefit" else field,
            )
    for field in CODES:
        if getattr(coupon, field) != after[field]:
            raise DomainError(
                _l("Friends hold this coupon already, so the kind of its code cannot change."),
                field=field,
            )
    if after["minimum_spend"] > coupon.minimum_spend:
        raise DomainError(
            _(
                "Friends hold this coupon already, so its minimum spend can only go down "
                "from %(amount)s.",
                amount=format_twd(coupon.minimum_spend),
            ),
            field="minimum_spend",
        )
    if after["stock"] is not None and after["stock"] < coupon.issued:
        raise DomainError(
            _("%(count)s are handed out already.", count=format_count(coupon.issued)),
            field="stock",
        )


def _nothing_promised_meanwhile(before: Coupon, after: dict[str, Any]) -> Expression:
    """Copies handed out since the check above must not slip under a changed promise."""
    fits: Expression = Coupon.id == before.id
    if after["stock"] is not None:
        fits &= Coupon.issued <= after["stock"]
    if (
        any(getattr(before, field) != after[field] for field in (*PROMISED, *CODES))
        or after["minimum_spend"] > before.minimum_spend
    ):
        fits &= Coupon.issued == 0
    return fits


def _lengthen_copies(before: Coupon, after: dict[str, Any]) -> None:
    """Give copies with fixed dates the longer time; a shorter one is for new copies only."""
    held = (
        (CouponIssue.coupon == before)
        & CouponIssue.redeemed_at.is_null()
        & CouponIssue.voided_at.is_null()
    )
    fixed = after["valid_days"] is None and before.valid_days is None
    end, old_end = after["valid_until"], before.valid_until
    if fixed and old_end is not None and (end is None or end > old_end):
        CouponIssue.update(expires_at=end).where(held, CouponIssue.expires_at == old_end).execute()
    start, old_start = after["valid_from"], before.valid_from
    if fixed and old_start is not None and (start is None or start < old_start):
        CouponIssue.update(usable_from=start).where(
            held, CouponIssue.usable_from == old_start
        ).execute()


def _set_state(
    coupon_id: int,
    state: str,
    allowed: tuple[str, ...],
    action: str,
    staff: Staff,
    wall: datetime,
) -> None:
    with atomic():
        coupon = _get(coupon_id)
        if coupon.state == state:
            return
        changed = (
            Coupon.update(state=state, version=Coupon.version + 1)
            .where(Coupon.id == coupon_id, Coupon.state.in_(allowed))
            .execute()
        )
        if not changed:
            raise DomainError(_l("A closed coupon stays closed. Duplicate it instead."))
        _record(staff, action, coupon, {"state": coupon.state}, {"state": state}, wall)


def _audited(columns: dict[str, Any]) -> dict[str, Any]:
    """In words, and without the PIN itself: whether there is one is all the log needs."""
    hidden = ("after_content_id", "picture_from", "after_messages")
    kept = {name: value for name, value in columns.items() if name not in hidden}
    tags = Tag.select(Tag.name).where(Tag.id.in_(columns["after_tags"]))
    said = Content.get_or_none(Content.id == columns["after_content_id"])
    return {
        **kept,
        "pin": "•" * len(columns["pin"]),
        "after_tags": sorted(tag.name for tag in tags),
        "after_messages": said.summary if said is not None else "",
    }


def _record(
    staff: Staff | None,
    action: str,
    coupon: Coupon,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    wall: datetime,
) -> None:
    audit.record(staff, action, "coupon", coupon.id, coupon.title, before, after, wall=wall)
