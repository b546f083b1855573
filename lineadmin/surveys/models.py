"""Surveys, their questions as they were at each time, and every answer with where it came from."""

from __future__ import annotations

from peewee import BooleanField, CharField, FloatField, ForeignKeyField, IntegerField, TextField

from lineadmin.coupons.models import Coupon
from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField


class Survey(BaseModel):
    """What is asked, of whom how often, and what a friend gets for it.

    Its questions are those of revision `revision`; `keys` counts the names given to questions and
    choices, so that none is ever used again for something else.
    """

    code = CharField(unique=True, max_length=40)  # the shop's own short name, used in files
    title = CharField(max_length=60)
    intro = TextField(default="")
    thanks = TextField(default="")
    repeat = CharField(default="once", max_length=8)  # once | sending: a new answer for each
    coupon_id: int | None
    coupon = ForeignKeyField(Coupon, null=True, on_delete="RESTRICT")  # the gift
    gift_each = BooleanField(default=False)  # for every answer, else once per friend
    starts_at = UTCDateTimeField(null=True)
    ends_at = UTCDateTimeField(null=True)  # exclusive
    state = CharField(default="draft", max_length=8)  # draft | open | closed
    revision = IntegerField(default=1)
    keys = IntegerField(default=0)
    link_key = CharField(max_length=64)  # signs the links of its friends
    answers = IntegerField(default=0)
    archived_at = UTCDateTimeField(null=True)
    created_at = UTCDateTimeField()
    version = IntegerField(default=1)


class SurveyRevision(BaseModel):
    """The questions as they were for a while; once somebody has answered them they never change."""

    survey_id: int
    survey = ForeignKeyField(Survey, backref="revisions", on_delete="RESTRICT", index=False)
    number = IntegerField()
    questions = JSONTextField()  # see questions.py
    created_at = UTCDateTimeField()

    class Meta:
        indexes = ((("survey", "number"), True),)


class SurveySending(BaseModel):
    """One place a survey went out from: a broadcast, a step of a sequence, a month of a reply."""

    survey_id: int
    survey = ForeignKeyField(Survey, backref="sendings", on_delete="RESTRICT", index=False)
    origin = CharField(max_length=12)  # step | broadcast | greeting | reply | staff | test | …
    origin_id = IntegerField(default=0)
    place = IntegerField(default=0)  # branch and step of a sequence; else the month as 202611
    first_at = UTCDateTimeField()  # shop time
    sent_before = IntegerField(default=0)  # messages of this place that went out without it

    class Meta:
        indexes = ((("survey", "origin", "origin_id", "place"), True),)


class SurveyOpening(BaseModel):
    """A friend has opened the page of one sending."""

    survey_id: int
    survey = ForeignKeyField(Survey, on_delete="RESTRICT")
    sending_id: int
    sending = ForeignKeyField(SurveySending, on_delete="RESTRICT", index=False)
    friend_id = IntegerField()
    at = UTCDateTimeField()  # shop time

    class Meta:
        indexes = ((("sending", "friend_id"), True),)


class SurveyAnswer(BaseModel):
    """One friend's answer as a whole. `sitting` is 0 where a friend answers once, else the id of
    the sending, so that the unique index is the rule."""

    survey_id: int
    survey = ForeignKeyField(Survey, on_delete="RESTRICT", index=False)
    friend_id = IntegerField()
    sitting = IntegerField(default=0)
    sending_id: int
    sending = ForeignKeyField(SurveySending, on_delete="RESTRICT", index=False)
    revision = IntegerField()  # the number of the questions she saw
    month = IntegerField()  # of the shop's calendar: 202611
    issue_id = IntegerField(null=True)  # her copy of the gift
    no_gift = CharField(default="", max_length=16)  # why she got none
    at = UTCDateTimeField()  # shop time

    class Meta:
        indexes = (
            (("survey", "friend_id", "sitting"), True),
            (("survey", "id"), False),
            (("survey", "sending", "month"), False),
            (("survey", "month"), False),
        )


class SurveyReply(BaseModel):
    """What she said to one question; one row per choice where several may be chosen."""

    survey_id = IntegerField()
    answer_id: int
    answer = ForeignKeyField(SurveyAnswer, backref="replies", on_delete="RESTRICT")
    question = CharField(max_length=8)  # the question's key
    choice = CharField(default="", max_length=8)  # the choice's key, a rating, male, tw_01 …
    number = FloatField(null=True)  # ratings, numbers, years of birth
    text = TextField(default="")  # texts, dates, values of the shop's own fields
    sending_id = IntegerField(default=0)  # the answer's, once more: sums need no other table
    month = IntegerField(default=0)


# All sums of a survey are read from this index alone.
SurveyReply.add_index(
    SurveyReply.index(
        SurveyReply.survey_id,
        SurveyReply.question,
        SurveyReply.sending_id,
        SurveyReply.month,
        SurveyReply.choice,
        SurveyReply.number,
        name="surveyreply_sums",
    )
)
