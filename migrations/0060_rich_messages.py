"""Pictures in the widths of rich messages, films, and messages kept as templates."""

from peewee import (
    BigIntegerField,
    BlobField,
    CharField,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class Upload(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "upload"

    class PictureSize(Model):
        upload = ForeignKeyField(Upload, on_delete="CASCADE", index=False)
        width = IntegerField()
        data = BlobField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "picture_size"
            indexes = ((("upload", "width"), True),)

    class Film(Model):
        token = CharField(unique=True, max_length=32)
        hash = CharField(unique=True, max_length=64)
        name = CharField(default="")
        size = IntegerField()
        data = BlobField()
        created_at = BigIntegerField()
        created_by = IntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "film"

    class MessageTemplate(Model):
        name = CharField(unique=True, max_length=60)
        parts = TextField()
        summary = CharField(default="")
        created_at = BigIntegerField()
        changed_at = BigIntegerField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "message_template"

    db.create_tables([PictureSize, Film, MessageTemplate])
