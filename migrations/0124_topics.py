"""Topics friends subscribe to, and the ledger of consent."""

from peewee import (
    SQL,
    BigIntegerField,
    CharField,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class Tag(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "tag"

    class Topic(Model):
        code = CharField(unique=True, max_length=40)
        name = CharField(unique=True, max_length=20)
        description = CharField(max_length=120, default="")
        frequency = CharField(max_length=8)
        wording_version = IntegerField(default=1)
        life_months = IntegerField(null=True)
        tag = ForeignKeyField(Tag, null=True, on_delete="SET NULL", index=False)
        archived_at = BigIntegerField(null=True)
        created_at = BigIntegerField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "topic"

    class TopicWording(Model):
        topic = ForeignKeyField(Topic, on_delete="RESTRICT", index=False)
        version = IntegerField()
        text = TextField()
        at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "topic_wording"
            indexes = ((("topic", "version"), True),)

    class Consent(Model):
        topic = ForeignKeyField(Topic, on_delete="RESTRICT", index=False)
        friend_id = IntegerField()
        change = CharField(max_length=10)
        wording_version = IntegerField()
        place = CharField(max_length=8)
        origin = CharField(max_length=12, default="")
        origin_id = IntegerField(default=0)
        origin_place = IntegerField(default=0)
        at = BigIntegerField()
        until = BigIntegerField(null=True)
        staff_id = IntegerField(null=True)
        reason = CharField(max_length=200, default="")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "consent"
            indexes = (
                (("friend_id", "topic", "id"), False),
                (("topic", "at"), False),
                (("topic", "place", "origin", "origin_id", "origin_place"), False),
            )

    class Subscription(Model):
        topic = ForeignKeyField(Topic, on_delete="RESTRICT", index=False)
        friend_id = IntegerField()
        state = CharField(max_length=10)
        wording_version = IntegerField()
        since = BigIntegerField()
        until = BigIntegerField(null=True)
        wished_at = BigIntegerField(default=0)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "subscription"
            indexes = (
                (("friend_id", "topic"), True),
                (("topic", "state", "friend_id"), False),
            )

    Subscription.add_index(
        Subscription.index(
            Subscription.until,
            name="subscription_runs_out",
            where=SQL("state = 'subscribed' AND until IS NOT NULL"),
        )
    )

    class TopicAsk(Model):
        topic = ForeignKeyField(Topic, on_delete="RESTRICT", index=False)
        origin = CharField(max_length=12)
        origin_id = IntegerField(default=0)
        origin_place = IntegerField(default=0)
        since = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "topic_ask"
            indexes = ((("topic", "origin", "origin_id", "origin_place"), True),)

    db.create_tables([Topic, TopicWording, Consent, Subscription, TopicAsk])
