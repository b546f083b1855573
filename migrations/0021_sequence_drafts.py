"""The states a draft went through, for undo and redo; which of them the editor shows."""

from peewee import (
    BigIntegerField,
    CharField,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class Sequence(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "sequence"

    class DraftState(Model):
        sequence = ForeignKeyField(Sequence, on_delete="CASCADE", index=False)
        number = IntegerField()
        definition = TextField()
        about = CharField(max_length=16, default="")
        staff_id = IntegerField(null=True)
        at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "draft_state"
            indexes = ((("sequence", "number"), True),)

    db.create_tables([DraftState])
    # Plain SQL: the migrator would build the table anew on SQLite, and the enrolments hang on it.
    db.execute_sql("ALTER TABLE sequence ADD COLUMN draft_number INTEGER NOT NULL DEFAULT 0")
