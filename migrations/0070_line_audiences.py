"""Audiences at LINE."""

from peewee import SQL, BigIntegerField, BooleanField, CharField, Database, IntegerField, Model


def up(migrator: object, db: Database) -> None:
    class LineAudience(Model):
        line_id = BigIntegerField(null=True, unique=True)
        name = CharField(max_length=120)
        name_key = CharField(max_length=240, null=True, unique=True)
        segment = CharField(default="")
        state = CharField(max_length=8)
        problem = CharField(max_length=500, default="")
        next_at = BigIntegerField(null=True)
        cursor = IntegerField(default=0)
        handed = IntegerField(default=0)
        left_out = IntegerField(default=0)
        kind = CharField(max_length=40, default="UPLOAD")
        status = CharField(max_length=20, default="")
        failed_kind = CharField(max_length=60, default="")
        members = IntegerField(null=True)
        may_change = BooleanField(default=True)
        made_here = BooleanField(default=True)
        created_at = BigIntegerField()
        expires_at = BigIntegerField(null=True)
        checked_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "line_audience"

    LineAudience.add_index(
        LineAudience.index(
            LineAudience.next_at,
            name="lineaudience_due",
            where=SQL("state IN ('waiting', 'asked', 'unclear')"),
        )
    )
    db.create_tables([LineAudience])
