"""The shop's branches, the places friends send, and everybody's home branch."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    Database,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
)


def up(migrator: object, db: Database) -> None:
    class Branch(Model):
        code = CharField(unique=True, max_length=40)
        name = CharField()
        address = CharField(default="", max_length=100)
        latitude = FloatField()
        longitude = FloatField()
        active = BooleanField(default=True)
        created_at = BigIntegerField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "branch"

    db.create_tables([Branch])
    db.execute_sql(
        "ALTER TABLE friend ADD COLUMN branch_id INTEGER REFERENCES branch (id) ON DELETE RESTRICT"
    )
    db.execute_sql("ALTER TABLE friend ADD COLUMN branch_origin VARCHAR(10) DEFAULT '' NOT NULL")

    class Friend(Model):
        branch = ForeignKeyField(Branch, null=True, on_delete="RESTRICT", index=False)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "friend"

    db.execute_sql("CREATE INDEX friend_branch ON friend (branch_id) WHERE branch_id IS NOT NULL")

    class FriendPlace(Model):
        friend = ForeignKeyField(Friend, unique=True, on_delete="CASCADE")
        latitude = FloatField()
        longitude = FloatField()
        sent_at = BigIntegerField()
        message_id = CharField(max_length=64, default="")
        nearest = ForeignKeyField(Branch, null=True, on_delete="RESTRICT", index=False)
        metres = IntegerField(null=True)
        map_version = IntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "friend_place"
            indexes = (
                (("nearest", "friend"), False),
                (("metres", "friend"), False),
                (("map_version",), False),
                (("sent_at",), False),
                (("message_id",), False),
            )

    db.create_tables([FriendPlace])
