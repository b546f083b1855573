"""Files that wait hold friends or purchases."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    db.execute_sql(
        "ALTER TABLE friend_import ADD COLUMN kind VARCHAR(12) NOT NULL DEFAULT 'friends'"
    )
