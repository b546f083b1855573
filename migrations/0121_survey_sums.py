"""Replies know their sending and month, so that sums of a survey are read from one index."""

from peewee import Database

STATEMENTS = (
    "ALTER TABLE survey_reply ADD COLUMN sending_id INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE survey_reply ADD COLUMN month INTEGER NOT NULL DEFAULT 0",
    "UPDATE survey_reply SET"
    " sending_id = (SELECT a.sending_id FROM survey_answer a WHERE a.id = survey_reply.answer_id),"
    " month = (SELECT a.month FROM survey_answer a WHERE a.id = survey_reply.answer_id)",
    "DROP INDEX survey_reply_survey_id_question_choice",
    "CREATE INDEX surveyreply_sums ON survey_reply"
    " (survey_id, question, sending_id, month, choice, number)",
)


def up(migrator: object, db: Database) -> None:
    for statement in STATEMENTS:
        db.execute_sql(statement)
