"""Who is a man of 30 in Taipei, without reading a friend: what segments ask most stands together."""

from peewee import Database


def up(migrator: object, db: Database) -> None:
    db.execute_sql(
        "CREATE INDEX friend_attributes ON friend"
        " (os, region, gender, birth_year, birthday, language)"
    )
