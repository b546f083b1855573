"""Coupons: picture, daily stock, who may claim, other codes, what follows a redemption, archive."""

from peewee import (
    BigIntegerField,
    CharField,
    Database,
    DateField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
)

COUPON = (
    ("picture", "VARCHAR(32) NOT NULL DEFAULT ''"),
    ("picture_from", "TEXT"),
    ("per_day", "INTEGER"),
    ("who", "TEXT"),
    ("friends_only", "BOOLEAN NOT NULL DEFAULT TRUE"),
    ("code_kind", "VARCHAR(8) NOT NULL DEFAULT 'own'"),
    ("shared_code", "VARCHAR(64) NOT NULL DEFAULT ''"),
    ("claim_token", "VARCHAR(32) NOT NULL DEFAULT ''"),
    ("after_tags", "TEXT NOT NULL DEFAULT '[]'"),
    ("after_messages", "TEXT NOT NULL DEFAULT '[]'"),
    ("after_content_id", "INTEGER"),
    ("archived_at", "BIGINT"),
)


def up(migrator: object, db: Database) -> None:
    # Plain SQL: the migrator would build the table anew on SQLite, and the copies hang on it.
    for name, kind in COUPON:
        if isinstance(db, SqliteDatabase):
            kind = kind.replace("BOOLEAN", "INTEGER").replace("BIGINT", "INTEGER")
        db.execute_sql(f'ALTER TABLE coupon ADD COLUMN "{name}" {kind}')
    db.execute_sql("CREATE INDEX coupon_claimed ON coupon (claim_token) WHERE claim_token <> ''")
    db.execute_sql("ALTER TABLE coupon_issue ADD COLUMN given_code VARCHAR(64) NOT NULL DEFAULT ''")
    db.execute_sql(
        "CREATE INDEX couponissue_given ON coupon_issue (given_code) WHERE given_code <> ''"
    )

    class Coupon(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon"

    class CouponIssue(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon_issue"

    class PartnerCode(Model):
        coupon = ForeignKeyField(Coupon, on_delete="RESTRICT", index=False)
        code = CharField(max_length=64)
        issue = ForeignKeyField(CouponIssue, null=True, on_delete="SET NULL", index=False)
        imported_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "partner_code"
            indexes = ((("coupon", "code"), True),)

    class CouponDay(Model):
        coupon = ForeignKeyField(Coupon, on_delete="RESTRICT", index=False)
        day = DateField()
        issued = IntegerField(default=0)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon_day"
            indexes = ((("coupon", "day"), True),)

    db.create_tables([PartnerCode, CouponDay])
    db.execute_sql(
        "CREATE INDEX partnercode_free ON partner_code (coupon_id, id) WHERE issue_id IS NULL"
    )
    db.execute_sql(
        "CREATE UNIQUE INDEX partnercode_taken ON partner_code (issue_id) WHERE issue_id IS NOT NULL"
    )
