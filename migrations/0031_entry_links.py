"""Entry links of sources: who used them, and sources that were merged into others."""

from peewee import BigIntegerField, CharField, Database, IntegerField, Model, TextField


def up(migrator: object, db: Database) -> None:
    # Plain SQL: the migrator would build the table anew on SQLite, and the friends hang on it.
    db.execute_sql("ALTER TABLE source ADD COLUMN merged_into INTEGER")
    db.execute_sql(
        "CREATE INDEX friend_source_status ON friend (source_id, status)"
        " WHERE source_id IS NOT NULL"
    )

    class EntryVisit(Model):
        source_id = IntegerField()
        how = CharField(max_length=4)
        line_user_id = CharField(default="", max_length=64)
        friend_id = IntegerField(null=True)
        campaign = TextField(null=True)
        at = BigIntegerField()
        joined_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "entry_visit"
            indexes = ((("source_id", "at"), False), (("line_user_id", "at"), False))

    db.create_tables([EntryVisit])
