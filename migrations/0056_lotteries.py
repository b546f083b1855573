"""Lotteries, their prizes and draws."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: object, db: Database) -> None:
    class Coupon(Model):
        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon"

    class Lottery(Model):
        code = CharField(unique=True, max_length=40)
        title = CharField(max_length=60)
        rule = CharField(default="once", max_length=8)
        way = CharField(default="page", max_length=8)
        starts_at = BigIntegerField(null=True)
        ends_at = BigIntegerField(null=True)
        terms = TextField(default="")
        state = CharField(default="active", max_length=8)
        seed = CharField(max_length=64)
        seed_hash = CharField(max_length=64)
        link_key = CharField(max_length=64)
        draws = IntegerField(default=0)
        closed_at = BigIntegerField(null=True)
        created_at = BigIntegerField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "lottery"

    db.create_tables([Lottery])

    class LotteryPrize(Model):
        lottery = ForeignKeyField(Lottery, on_delete="RESTRICT", index=False)
        position = IntegerField()
        name = CharField(max_length=40)
        coupon = ForeignKeyField(Coupon, on_delete="RESTRICT")
        odds = IntegerField()
        stock = IntegerField(null=True)
        given = IntegerField(default=0)
        consolation = BooleanField(default=False)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "lottery_prize"
            indexes = ((("lottery", "position"), True),)

    db.create_tables([LotteryPrize])

    class LotteryDraw(Model):
        lottery = ForeignKeyField(Lottery, on_delete="RESTRICT", index=False)
        friend_id = IntegerField()
        period = IntegerField(default=0)
        number = IntegerField()
        picked = ForeignKeyField(LotteryPrize, null=True, on_delete="RESTRICT", index=False)
        prize = ForeignKeyField(LotteryPrize, null=True, on_delete="RESTRICT", index=False)
        reason = CharField(default="", max_length=16)
        issue_id = IntegerField(null=True)
        how = CharField(default="page", max_length=8)
        at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "lottery_draw"
            indexes = (
                (("lottery", "friend_id", "period"), True),
                (("lottery", "id"), False),
                (("lottery", "prize", "id"), False),
            )

    db.create_tables([LotteryDraw])
