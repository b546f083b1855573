"""Surveys, their questions over time, sendings and answers."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    Database,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class Coupon(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon"

    class Survey(Model):
        code = CharField(unique=True, max_length=40)
        title = CharField(max_length=60)
        intro = TextField(default="")
        thanks = TextField(default="")
        repeat = CharField(default="once", max_length=8)
        coupon = ForeignKeyField(Coupon, null=True, on_delete="RESTRICT")
        gift_each = BooleanField(default=False)
        starts_at = BigIntegerField(null=True)
        ends_at = BigIntegerField(null=True)
        state = CharField(default="draft", max_length=8)
        revision = IntegerField(default=1)
        keys = IntegerField(default=0)
        link_key = CharField(max_length=64)
        answers = IntegerField(default=0)
        archived_at = BigIntegerField(null=True)
        created_at = BigIntegerField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "survey"

    db.create_tables([Survey])

    class SurveyRevision(Model):
        survey = ForeignKeyField(Survey, on_delete="RESTRICT", index=False)
        number = IntegerField()
        questions = TextField()
        created_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "survey_revision"
            indexes = ((("survey", "number"), True),)

    class SurveySending(Model):
        survey = ForeignKeyField(Survey, on_delete="RESTRICT", index=False)
        origin = CharField(max_length=12)
        origin_id = IntegerField(default=0)
        place = IntegerField(default=0)
        first_at = BigIntegerField()
        sent_before = IntegerField(default=0)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "survey_sending"
            indexes = ((("survey", "origin", "origin_id", "place"), True),)

    db.create_tables([SurveyRevision, SurveySending])

    class SurveyOpening(Model):
        survey = ForeignKeyField(Survey, on_delete="RESTRICT")
        sending = ForeignKeyField(SurveySending, on_delete="RESTRICT", index=False)
        friend_id = IntegerField()
        at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "survey_opening"
            indexes = ((("sending", "friend_id"), True),)

    class SurveyAnswer(Model):
        survey = ForeignKeyField(Survey, on_delete="RESTRICT", index=False)
        friend_id = IntegerField()
        sitting = IntegerField(default=0)
        sending = ForeignKeyField(SurveySending, on_delete="RESTRICT", index=False)
        revision = IntegerField()
        month = IntegerField()
        issue_id = IntegerField(null=True)
        no_gift = CharField(default="", max_length=16)
        at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "survey_answer"
            indexes = (
                (("survey", "friend_id", "sitting"), True),
                (("survey", "id"), False),
                (("survey", "sending", "month"), False),
                (("survey", "month"), False),
            )

    db.create_tables([SurveyOpening, SurveyAnswer])

    class SurveyReply(Model):
        survey_id = IntegerField()
        answer = ForeignKeyField(SurveyAnswer, on_delete="RESTRICT")
        question = CharField(max_length=8)
        choice = CharField(default="", max_length=8)
        number = FloatField(null=True)
        text = TextField(default="")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "survey_reply"
            indexes = ((("survey_id", "question", "choice"), False),)

    db.create_tables([SurveyReply])
