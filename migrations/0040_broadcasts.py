"""Approval, versions, service notices and the sum before sending; what LINE counted itself."""

from peewee import (
    BigIntegerField,
    BlobField,
    CharField,
    Database,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

TEXT = "VARCHAR(200) NOT NULL DEFAULT ''"
COLUMNS = (
    ("edited_by", "INTEGER"),
    ("variants", "TEXT"),
    ("variant_contents", "TEXT"),
    ("service", "BOOLEAN NOT NULL DEFAULT FALSE"),
    ("quiet_override", TEXT),
    ("frozen_hash", "VARCHAR(64) NOT NULL DEFAULT ''"),
    ("approved_at", "BIGINT"),
    ("approved_by", "INTEGER"),
    ("note", TEXT),
    ("told", "TEXT"),
    ("blocks_24", "INTEGER"),
    ("blocks_48", "INTEGER"),
)


def up(migrator: object, db: Database) -> None:
    names = {"BOOLEAN": "INTEGER", "BIGINT": "INTEGER"} if isinstance(db, SqliteDatabase) else {}
    for column, kind in COLUMNS:
        first, blank, rest = kind.partition(" ")
        db.execute_sql(
            f'ALTER TABLE "broadcast" ADD COLUMN "{column}" {names.get(first, first)}{blank}{rest}'
        )

    class BroadcastSnapshot(Model):
        broadcast_id = IntegerField(unique=True)
        friends = BlobField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "broadcast_snapshot"

    class LineInsight(Model):
        broadcast_id = IntegerField(unique=True)
        read_at = BigIntegerField()
        first_day = CharField(max_length=10)
        last_day = CharField(max_length=10)
        answer = TextField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "line_insight"

    db.create_tables([BroadcastSnapshot, LineInsight])
    db.execute_sql("CREATE INDEX reply_sent ON reply (at) WHERE state = 1")
