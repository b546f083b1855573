"""Indexes for coupon reports and for the filters of refused tries."""

from peewee import Database

STATEMENTS = (
    "CREATE INDEX couponissue_issued_of_coupon ON coupon_issue (coupon_id, issued_at)",
    "CREATE INDEX couponissue_issued ON coupon_issue (issued_at)",
    "CREATE INDEX redemption_try_outcome_id ON redemption_try (outcome, id)",
    "CREATE INDEX redemption_try_staff_id_id ON redemption_try (staff_id, id)",
)


def up(migrator: object, db: Database) -> None:
    for statement in STATEMENTS:
        db.execute_sql(statement)
