"""Broadcasts to whom LINE guesses to fit, and audiences made for them or of their clicks."""

from peewee import SQL, BigIntegerField, CharField, Database, IntegerField, Model


def up(migrator: object, db: Database) -> None:
    class Narrowcast(Model):
        broadcast_id = IntegerField(unique=True)
        step = CharField(max_length=4, default="list")
        shipment_id = IntegerField(null=True)
        request_id = CharField(max_length=64, default="")
        accepted_at = BigIntegerField(null=True)
        phase = CharField(max_length=16, default="")
        succeeded = IntegerField(null=True)
        failed = IntegerField(null=True)
        target = IntegerField(null=True)
        error_code = IntegerField(null=True)
        error = CharField(max_length=500, default="")
        asked = IntegerField(default=0)
        ask_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "narrowcast"

    Narrowcast.add_index(
        Narrowcast.index(Narrowcast.ask_at, name="narrowcast_due", where=SQL("ask_at IS NOT NULL"))
    )
    db.create_tables([Narrowcast])
    db.execute_sql('ALTER TABLE "broadcast" ADD COLUMN "estimated" TEXT')
    for name, kind in (
        ("purpose", "VARCHAR(12) NOT NULL DEFAULT ''"),
        ("broadcast_id", "INTEGER"),
        ("request_id", "VARCHAR(64) NOT NULL DEFAULT ''"),
    ):
        db.execute_sql(f'ALTER TABLE "line_audience" ADD COLUMN "{name}" {kind}')
