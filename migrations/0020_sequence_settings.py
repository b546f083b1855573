"""What happens to friends underway when a sequence is switched off, and when its period is over."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    # Plain SQL: the migrator would build the table anew on SQLite, and the enrolments hang on it.
    db.execute_sql("ALTER TABLE sequence ADD COLUMN when_off VARCHAR(8) NOT NULL DEFAULT 'pause'")
    db.execute_sql("ALTER TABLE sequence ADD COLUMN when_over VARCHAR(8) NOT NULL DEFAULT 'finish'")
