"""Member and friend, one to one: she binds herself by what only she knows, staff take it apart."""

from __future__ import annotations

from datetime import datetime, timedelta

from peewee import IntegrityError

from lineadmin import journal
from lineadmin.coupons import throttle
from lineadmin.coupons.throttle import Limit
from lineadmin.db import atomic, insert_ignore
from lineadmin.errors import DomainError
from lineadmin.i18n import _l
from lineadmin.members.actions import NUMBER, by_number, digits_of, read_day
from lineadmin.members.models import Member, MemberClaim
from lineadmin.members.setup import BIRTHDAY, setup
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

BY_FRIEND = Limit(5, timedelta(hours=1))
# Somebody who tries one number from many accounts.
BY_NUMBER = Limit(10, timedelta(days=1))
NONE = "-"  # stands for everything that can be no number


class NotBound(DomainError):
    """The friend is not bound; the sentence is for her."""


def bind(friend_id: int, number: str, proof: str, *, now: datetime, wall: datetime) -> Member:
    """Bind a friend to the member whose number and phone (or birthday) she knows.

    Of two who claim one member at the same moment one is bound; the other is refused, and staff
    are told. What was wrong is not said, so that nobody can find out numbers.

    :raises NotBound: she is not bound, with the reason as she may read it
    :raises TooManyTries: she, or others with this number, were wrong too often
    """
    if not setup().enabled:
        raise NotBound(_l("The shop has no members at the moment."))
    number = number.strip() if NUMBER.fullmatch(number.strip()) else NONE
    hers, numbers = (f"bind:{friend_id}", BY_FRIEND), (f"member:{number}", BY_NUMBER)
    for counted in (hers, numbers):
        throttle.admit(counted, wall=wall)
    member = by_number(number)
    if member is None or not _proves(member, proof):
        raise NotBound(_l("Number and proof do not belong together. Look at your card again."))
    if member.friend_id == friend_id:
        throttle.forgive(hers)
        return member
    try:
        with atomic():
            bound = _bind(member, friend_id, now)
    except IntegrityError:
        bound = False
    if bound:
        for counted in (hers, numbers):
            throttle.forgive(counted)
        return member
    if Member.select().where(Member.friend == friend_id).exists():
        raise NotBound(_l("Your LINE is bound to a member already."))
    insert_ignore(MemberClaim.insert(member=member.id, friend_id=friend_id, at=now))
    MemberClaim.update(at=now, settled_at=None).where(
        MemberClaim.member == member.id, MemberClaim.friend_id == friend_id
    ).execute()
    raise NotBound(
        _l("This member is bound to another LINE already. We look into it; please ask our staff.")
    )


def bind_by_staff(
    member: Member, friend_id: int, *, staff: Staff, now: datetime, wall: datetime
) -> None:
    """Bind a member to a friend staff know.

    :raises DomainError: one of the two is bound already
    """
    try:
        with atomic():
            if not _bind(member, friend_id, now):
                raise DomainError(_l("This member or this friend is bound already. Unbind first."))
            audit.record(
                staff, "member.bind", "member", member.id, member.number, None,
                {"friend": friend_id}, wall=wall,
            )  # fmt: skip
    except IntegrityError:
        raise DomainError(
            _l("This member or this friend is bound already. Unbind first.")
        ) from None


def unbind(member_id: int, *, staff: Staff, now: datetime, wall: datetime) -> bool:
    """Take a member's LINE off her; False where there was none. Her points stay hers."""
    with atomic():
        member = Member.get_by_id(member_id)
        friend_id = member.friend_id
        if friend_id is None:
            return False
        done = (
            Member.update(friend=None, bound_at=None, version=Member.version + 1)
            .where(Member.id == member_id, Member.friend == friend_id)
            .execute()
        )
        if not done:
            return False
        journal.record(friend_id, "member.unbound", object_id=member_id, at=now)
        audit.record(
            staff, "member.unbind", "member", member_id, member.number,
            {"friend": friend_id}, None, wall=wall,
        )  # fmt: skip
    return True


def open_claims(member_id: int | None = None) -> list[MemberClaim]:
    """Claims staff have not looked into yet, the oldest first; at most a hundred."""
    query = MemberClaim.select(MemberClaim, Member).join(Member)
    query = query.where(MemberClaim.settled_at.is_null())
    if member_id is not None:
        query = query.where(MemberClaim.member == member_id)
    return list(query.order_by(MemberClaim.id).limit(100))


def settle(member_id: int, *, staff: Staff, now: datetime, wall: datetime) -> bool:
    """Staff have looked into every claim on a member."""
    with atomic():
        done = (
            MemberClaim.update(settled_at=now)
            .where(MemberClaim.member == member_id, MemberClaim.settled_at.is_null())
            .execute()
        )
        if done:
            member = Member.get_by_id(member_id)
            audit.record(
                staff, "member.settle", "member", member_id, member.number, None,
                {"count": done}, wall=wall,
            )  # fmt: skip
    return bool(done)


def _bind(member: Member, friend_id: int, now: datetime) -> bool:
    """The unique index on the friend keeps her from a second member."""
    done = (
        Member.update(friend=friend_id, bound_at=now, version=Member.version + 1)
        .where(Member.id == member.id, Member.friend.is_null())
        .execute()
    )
    if done:
        journal.record(friend_id, "member.bound", object_id=member.id, at=now)
    return bool(done)


def _proves(member: Member, proof: str) -> bool:
    if setup().proof == BIRTHDAY:
        born = read_day(proof)
        return bool(member.birthday) and born is not None and born.isoformat() == member.birthday
    return bool(member.phone) and digits_of(proof) == member.phone
