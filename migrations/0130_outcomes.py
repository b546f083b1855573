"""What became of a program's deliveries, with reasons and versions, from one index."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    # In the place of a narrower one, so that writing a delivery costs no more than it did.
    db.execute_sql("DROP INDEX delivery_origin_kind_origin_id_state")
    db.execute_sql(
        "CREATE INDEX delivery_outcomes ON delivery"
        " (origin_kind, origin_id, state, content_id, reason)"
    )
