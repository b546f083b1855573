"""Purchases of some days, for reports, without reading a row."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    db.execute_sql(
        'CREATE INDEX "purchase_by_day" ON "purchase" ("uncounted_at", "at", "friend_id", "amount")'
    )
