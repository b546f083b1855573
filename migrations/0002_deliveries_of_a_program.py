"""The list of one program's deliveries, newest first, at five million rows."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    db.execute_sql("CREATE INDEX delivery_program ON delivery (origin_kind, origin_id, id)")
