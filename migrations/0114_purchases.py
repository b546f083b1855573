"""Purchases: receipts and orders, their lines and categories, and wishes to change an order."""

from peewee import (
    SQL,
    BigIntegerField,
    CharField,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class Friend(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "friend"

    class PurchaseCategory(Model):
        name = CharField(max_length=40, unique=True)
        created_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "purchase_category"

    class Purchase(Model):
        receipt_no = CharField(max_length=64, unique=True)
        friend = ForeignKeyField(Friend, on_delete="RESTRICT", index=False)
        at = BigIntegerField()
        amount = BigIntegerField()
        channel = CharField(max_length=40, default="")
        branch = CharField(max_length=60, default="")
        status = CharField(max_length=10)
        origin = CharField(max_length=12)
        redemption_id = IntegerField(null=True, unique=True)
        staff_id = IntegerField(null=True)
        note = CharField(max_length=200, default="")
        recorded_at = BigIntegerField()
        voided_at = BigIntegerField(null=True)
        voided_by = IntegerField(null=True)
        void_reason = CharField(max_length=200, default="")
        uncounted_at = BigIntegerField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "purchase"
            indexes = (
                (("friend", "at"), False),
                (("at", "id"), False),
                (("amount", "id"), False),
                (("status", "at"), False),
                (("branch", "at"), False),
            )

    Purchase.add_index(
        Purchase.index(
            Purchase.uncounted_at,
            Purchase.friend,
            Purchase.at,
            Purchase.amount,
            name="purchase_counted",
        )
    )

    class PurchaseLine(Model):
        purchase = ForeignKeyField(Purchase, backref="lines", on_delete="CASCADE")
        category = ForeignKeyField(PurchaseCategory, null=True, on_delete="RESTRICT", index=False)
        name = CharField(max_length=80, default="")
        quantity = IntegerField(default=1)
        amount = BigIntegerField(null=True)
        friend_id = IntegerField()
        at = BigIntegerField()
        uncounted_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "purchase_line"

    PurchaseLine.add_index(
        PurchaseLine.index(
            PurchaseLine.uncounted_at,
            PurchaseLine.category,
            PurchaseLine.friend_id,
            PurchaseLine.at,
            name="purchase_line_counted",
        )
    )

    class ChangeRequest(Model):
        purchase = ForeignKeyField(Purchase, backref="requests", on_delete="RESTRICT")
        at = BigIntegerField()
        words = TextField()
        state = CharField(max_length=8, default="open")
        answer = CharField(max_length=300, default="")
        answered_by = IntegerField(null=True)
        answered_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "change_request"

    ChangeRequest.add_index(
        ChangeRequest.index(
            ChangeRequest.purchase,
            unique=True,
            name="change_request_open",
            where=SQL("answered_at IS NULL"),
        )
    )
    db.create_tables([PurchaseCategory, Purchase, PurchaseLine, ChangeRequest])
