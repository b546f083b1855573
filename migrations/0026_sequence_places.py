"""Where friends underway stand, counted in an index of its own."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    db.execute_sql(
        "CREATE INDEX enrolment_places ON enrolment"
        " (sequence_id, version_id, branch, step, base_day) WHERE state = 'active'"
    )
