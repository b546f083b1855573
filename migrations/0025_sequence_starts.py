"""Step messages that follow a friend's own date, and friends whom staff start by hand."""

from peewee import (
    BigIntegerField,
    CharField,
    Database,
    DateField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from lineadmin.db import is_postgres


def up(migrator: object, db: Database) -> None:
    # Plain SQL: the migrator would build tables anew on SQLite, with a million rows in them.
    db.execute_sql("ALTER TABLE enrolment ADD COLUMN anchor DATE")
    moment = "BIGINT" if is_postgres() else "INTEGER"
    for column in (f"enabled_at {moment}", "dated_until DATE", "dated_version INTEGER"):
        db.execute_sql(f"ALTER TABLE sequence ADD COLUMN {column}")
    db.execute_sql("ALTER TABLE sequence ADD COLUMN dated_after INTEGER NOT NULL DEFAULT 0")
    db.execute_sql(
        "CREATE INDEX friend_birthday ON friend (birthday, id) WHERE birthday IS NOT NULL"
    )

    class Sequence(Model):
        class Meta:
            database = db
            table_name = "sequence"

    class Enlistment(Model):
        sequence = ForeignKeyField(Sequence, on_delete="CASCADE")
        name = CharField(default="")
        where = TextField()
        day = DateField()
        expected = IntegerField()
        after_id = IntegerField(default=0)
        started = IntegerField(default=0)
        state = CharField(default="running", max_length=8)
        created_at = BigIntegerField()
        created_by = IntegerField(null=True)
        done_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "enlistment"

    db.create_tables([Enlistment])
    db.execute_sql("CREATE INDEX enlistment_running ON enlistment (id) WHERE state = 'running'")
