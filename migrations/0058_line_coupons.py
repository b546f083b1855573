"""LINE's own coupons."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    Database,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class LineCoupon(Model):
        line_id = CharField(max_length=100, null=True, unique=True)
        title = CharField(max_length=60)
        state = CharField(max_length=8)
        starts_at = BigIntegerField()
        ends_at = BigIntegerField()
        probability = IntegerField(null=True)
        definition = TextField()
        made_here = BooleanField(default=True)
        created_at = BigIntegerField()
        checked_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "line_coupon"

    db.create_tables([LineCoupon])
