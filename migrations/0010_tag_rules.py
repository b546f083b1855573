"""Rules of dynamic tags, tagging of whole lists in portions, and an index of tags that run out."""

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

    class TagRule(Model):
        tag = ForeignKeyField(Tag, unique=True, on_delete="CASCADE")
        rule = TextField()
        facts_seen = IntegerField()
        friends_seen = IntegerField()
        walk_after = IntegerField(null=True)
        walked_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "tag_rule"

    class TagJob(Model):
        kind = CharField(max_length=8)
        tag = ForeignKeyField(Tag, on_delete="CASCADE", index=False)
        into = IntegerField(null=True)
        search = CharField()
        tree = TextField()
        words = TextField()
        state = CharField(max_length=8)
        cursor = IntegerField()
        changed = IntegerField()
        total = IntegerField()
        staff_id = IntegerField(null=True)
        created_at = BigIntegerField()
        finished_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "tag_job"

    TagJob.add_index(
        TagJob.index(TagJob.id, name="tagjob_live", where=SQL("state IN ('waiting', 'undoing')"))
    )

    class TagJobPart(Model):
        job = ForeignKeyField(TagJob, on_delete="CASCADE")
        friend_ids = TextField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "tag_job_part"

    db.create_tables([TagRule, TagJob, TagJobPart])
    db.execute_sql("CREATE INDEX friendtag_until ON friend_tag (until) WHERE until IS NOT NULL")
