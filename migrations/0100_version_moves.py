"""Friends underway who are moved to a newer version by the worker."""

from peewee import BigIntegerField, CharField, Database, ForeignKeyField, IntegerField, Model


def up(migrator: object, db: Database) -> None:
    class Sequence(Model):
        class Meta:
            database = db
            table_name = "sequence"

    class VersionMove(Model):
        sequence = ForeignKeyField(Sequence, on_delete="CASCADE")
        version_id = IntegerField()
        expected = IntegerField()
        after_id = IntegerField(default=0)
        moved = IntegerField(default=0)
        finished = IntegerField(default=0)
        stayed = IntegerField(default=0)
        state = CharField(default="running", max_length=8)
        created_at = BigIntegerField()
        created_by = IntegerField(null=True)
        done_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "version_move"

    db.create_tables([VersionMove])
    db.execute_sql(
        "CREATE UNIQUE INDEX version_move_running ON version_move (sequence_id) "
        "WHERE state = 'running'"
    )
