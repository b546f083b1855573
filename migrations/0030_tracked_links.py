"""Tracked links, clicks nobody is credited with, and the names LINE counts under."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    Database,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class TrackedLink(Model):
        code = CharField(max_length=12, unique=True)
        origin_kind = SmallIntegerField()
        origin_id = IntegerField(default=0)
        place = IntegerField(default=0)
        url = TextField()
        url_hash = CharField(max_length=64)
        per_friend = BooleanField()
        name = CharField(default="")
        tag_id = IntegerField(null=True)
        tag_days = IntegerField(null=True)
        created_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "tracked_link"
            indexes = ((("origin_kind", "origin_id", "place", "url_hash"), True),)

    class LinkClick(Model):
        link_id = IntegerField()
        at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "link_click"
            indexes = ((("link_id", "at"), False),)

    class AggregationUnit(Model):
        month = CharField(max_length=7)
        name = CharField(max_length=30)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "aggregation_unit"
            indexes = ((("month", "name"), True),)

    db.create_tables([TrackedLink, LinkClick, AggregationUnit])
