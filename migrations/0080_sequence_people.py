"""Pages of a sequence's friends: by their next step, by the step they wait for, by how it ended."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    db.execute_sql(
        "CREATE INDEX enrolment_next ON enrolment (sequence_id, step, next_at, id)"
        " WHERE state = 'active'"
    )
    db.execute_sql(
        "CREATE INDEX enrolment_sequence_id_state_id ON enrolment (sequence_id, state, id)"
    )
    db.execute_sql("DROP INDEX enrolment_sequence_id_state")
