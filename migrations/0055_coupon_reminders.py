"""Reminders before a coupon ends, and an index of copies in the order in which they end."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class Coupon(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon"

    class CouponReminder(Model):
        coupon = ForeignKeyField(Coupon, unique=True, on_delete="RESTRICT")
        enabled = BooleanField(default=True)
        unit = CharField(max_length=5)
        lead = IntegerField()
        at = CharField(max_length=5, default="11:00")
        words = TextField()
        reached_at = BigIntegerField()
        reached_id = IntegerField(default=0)
        pause_reason = CharField(default="", max_length=32)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon_reminder"

    db.create_tables([CouponReminder])
    db.execute_sql(
        "CREATE INDEX couponissue_ends ON coupon_issue (coupon_id, expires_at, id)"
        " WHERE voided_at IS NULL"
    )
