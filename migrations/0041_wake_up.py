"""Wake-up messages, which stop for friends who never answer."""

from peewee import Database, SqliteDatabase


def up(migrator: object, db: Database) -> None:
    kind = "INTEGER" if isinstance(db, SqliteDatabase) else "BOOLEAN"
    db.execute_sql(f'ALTER TABLE "broadcast" ADD COLUMN "wake" {kind} NOT NULL DEFAULT FALSE')
