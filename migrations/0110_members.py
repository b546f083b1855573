"""Members, the ledger of their points, and claims on one that was taken."""

from peewee import SQL, BigIntegerField, CharField, Database, ForeignKeyField, IntegerField, Model


def up(migrator: object, db: Database) -> None:
    class Friend(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "friend"

    class Member(Model):
        number = CharField(unique=True, max_length=40)
        name = CharField(max_length=80, default="")
        phone = CharField(max_length=20, default="")
        birthday = CharField(max_length=10, default="")
        level = CharField(max_length=40, default="", index=True)
        friend = ForeignKeyField(Friend, null=True, unique=True, on_delete="SET NULL")
        bound_at = BigIntegerField(null=True)
        points = IntegerField(default=0, index=True)
        created_at = BigIntegerField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "member"

    class MemberClaim(Model):
        member = ForeignKeyField(Member, on_delete="CASCADE", index=False)
        friend_id = IntegerField()
        at = BigIntegerField()
        settled_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "member_claim"
            indexes = ((("member", "friend_id"), True),)

    MemberClaim.add_index(
        MemberClaim.index(MemberClaim.id, name="memberclaim_open", where=SQL("settled_at IS NULL"))
    )

    class PointEntry(Model):
        member = ForeignKeyField(Member, on_delete="RESTRICT", index=False)
        kind = CharField(max_length=6)
        amount = IntegerField()
        reason = CharField(max_length=100, default="")
        expires_at = BigIntegerField(null=True)
        staff_id = IntegerField(null=True)
        request_key = CharField(max_length=80, null=True, unique=True)
        at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "point_entry"
            indexes = ((("member", "id"), False),)

    class PointLot(Model):
        member = ForeignKeyField(Member, on_delete="RESTRICT", index=False)
        entry = ForeignKeyField(PointEntry, on_delete="RESTRICT", unique=True)
        left = IntegerField()
        expires_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "point_lot"

    for columns, name in (
        ((PointLot.member, PointLot.expires_at), "pointlot_hers"),
        ((PointLot.expires_at, PointLot.member), "pointlot_ends"),
    ):
        PointLot.add_index(PointLot.index(*columns, name=name, where=SQL('"left" > 0')))
    db.create_tables([Member, MemberClaim, PointEntry, PointLot])
