"""Files of friends wait in the database, so that the worker can import large ones."""

from peewee import BigIntegerField, BlobField, CharField, Database, IntegerField, Model, TextField


def up(migrator: object, db: Database) -> None:
    class FriendImport(Model):
        token = CharField(unique=True, max_length=32)
        staff_id = IntegerField()
        name = CharField(default="")
        data = BlobField()
        columns = TextField(null=True)
        state = CharField(max_length=10, default="uploaded")
        rows_total = IntegerField(default=0)
        rows_done = IntegerField(default=0)
        result = TextField(null=True)
        problem = TextField(default="")
        created_at = BigIntegerField()
        changed_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "friend_import"
            indexes = ((("state", "id"), False),)

    db.create_tables([FriendImport])
