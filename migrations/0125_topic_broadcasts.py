"""Why a broadcast may leave sooner after another one of its topic than friends agreed to."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    db.execute_sql(
        "ALTER TABLE broadcast ADD COLUMN frequency_override VARCHAR(200) DEFAULT '' NOT NULL"
    )
