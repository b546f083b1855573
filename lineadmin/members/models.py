"""Members of the shop, who claimed one that was taken, and the ledger of points."""

from __future__ import annotations

from peewee import SQL, CharField, ForeignKeyField, IntegerField

from lineadmin.db import BaseModel, UTCDateTimeField
from lineadmin.friends.models import Friend
from lineadmin.i18n import _l


class Member(BaseModel):
    """A member of the shop: known by her number, bound to at most one friend.

    `points` is what her lots add up to; it is changed only together with them.
    """

    number = CharField(unique=True, max_length=40, verbose_name=_l("Member number"))
    name = CharField(max_length=80, default="", verbose_name=_l("Name"))
    phone = CharField(max_length=20, default="", verbose_name=_l("Phone number"))  # digits only
    birthday = CharField(max_length=10, default="", verbose_name=_l("Birthday"))  # 1998-05-20
    level = CharField(max_length=40, default="", index=True, verbose_name=_l("Level"))
    friend_id: int | None
    friend = ForeignKeyField(Friend, null=True, unique=True, on_delete="SET NULL")
    bound_at = UTCDateTimeField(null=True)
    points = IntegerField(default=0, index=True, verbose_name=_l("Points"))
    created_at = UTCDateTimeField()
    version = IntegerField(default=1)


class MemberClaim(BaseModel):
    """A friend who knew the number and the proof of a member bound to somebody else."""

    member_id: int
    member = ForeignKeyField(Member, on_delete="CASCADE", index=False)
    friend_id = IntegerField()
    at = UTCDateTimeField()
    settled_at = UTCDateTimeField(null=True)

    class Meta:
        indexes = ((("member", "friend_id"), True),)


MemberClaim.add_index(
    MemberClaim.index(MemberClaim.id, name="memberclaim_open", where=SQL("settled_at IS NULL"))
)


class PointEntry(BaseModel):
    """A line of the ledger; append-only. `kind`: give | take | expire."""

    member_id: int
    member = ForeignKeyField(Member, on_delete="RESTRICT", index=False)
    kind = CharField(max_length=6)
    amount = IntegerField()  # with its sign
    reason = CharField(max_length=100, default="")
    expires_at = UTCDateTimeField(null=True)  # of points that were given
    staff_id = IntegerField(null=True)
    request_key = CharField(max_length=80, null=True, unique=True)  # the same request, once
    at = UTCDateTimeField()

    class Meta:
        indexes = ((("member", "id"), False),)


class PointLot(BaseModel):
    """What is left of points that were given together. They are spent in the order they expire."""

    member_id: int
    member = ForeignKeyField(Member, on_delete="RESTRICT", index=False)
    entry = ForeignKeyField(PointEntry, on_delete="RESTRICT", unique=True)
    left = IntegerField()
    expires_at = UTCDateTimeField(null=True)


PointLot.add_index(
    PointLot.index(
        PointLot.member, PointLot.expires_at, name="pointlot_hers", where=SQL('"left" > 0')
    )
)
PointLot.add_index(
    PointLot.index(
        PointLot.expires_at, PointLot.member, name="pointlot_ends", where=SQL('"left" > 0')
    )
)
