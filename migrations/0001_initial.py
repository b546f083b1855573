"""Every table as it was when lineadmin first shipped."""

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    Database,
    DateField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)

PARTIAL_INDEXES = (
    "CREATE INDEX broadcast_live ON broadcast (leaves_at) WHERE state IN ('scheduled', 'planning', 'sending', 'stopping')",
    "CREATE INDEX couponissue_held ON coupon_issue (coupon_id, expires_at) WHERE redeemed_at IS NULL AND voided_at IS NULL",
    "CREATE INDEX couponissue_opened ON coupon_issue (coupon_id, id) WHERE opened_at IS NOT NULL",
    "CREATE INDEX couponissue_redeemed ON coupon_issue (coupon_id, id) WHERE redeemed_at IS NOT NULL",
    "CREATE INDEX couponissue_voided ON coupon_issue (coupon_id, id) WHERE voided_at IS NOT NULL",
    "CREATE INDEX delivery_queued ON delivery (origin_kind, origin_id, due_at, id) WHERE state = 0",
    "CREATE INDEX delivery_shipment ON delivery (shipment_id) WHERE shipment_id IS NOT NULL",
    "CREATE INDEX delivery_steps ON delivery (origin_id, state, origin_run) WHERE origin_kind = 2",
    "CREATE INDEX delivery_trouble ON delivery (id) WHERE state IN (4, 5, 7)",
    "CREATE INDEX enrolment_due ON enrolment (sequence_id, next_at, id) WHERE state = 'active'",
    "CREATE INDEX fact_unhandled ON fact (id) WHERE handled_at IS NULL",
    "CREATE INDEX friend_opted_out ON friend (opted_out_at) WHERE opted_out_at IS NOT NULL",
    "CREATE INDEX friend_profile_due ON friend (profile_due_at) WHERE profile_due_at IS NOT NULL",
    "CREATE INDEX inboundevent_aside ON inbound_event (id) WHERE set_aside_at IS NOT NULL",
    "CREATE INDEX inboundevent_waiting ON inbound_event (at, id) WHERE handled_at IS NULL AND set_aside_at IS NULL",
    "CREATE INDEX inboundmessage_open ON inbound_message (at) WHERE answered_by = ''",
    "CREATE INDEX reply_pending ON reply (tried_at) WHERE state = 0",
    "CREATE INDEX shipment_flying ON shipment (lease_until) WHERE state = 1",
    "CREATE INDEX shipment_ready ON shipment (try_at) WHERE state = 0",
    "CREATE INDEX shipment_trouble ON shipment (id) WHERE state IN (5, 7)",
)


def up(migrator: object, db: Database) -> None:
    class Staff(Model):
        email = CharField(unique=True)
        name = CharField()
        password_hash = CharField()
        role = CharField()
        locale = CharField(default="zh_Hant_TW")
        active = BooleanField(default=True)
        must_change_password = BooleanField(default=False)
        friend_id = IntegerField(null=True)
        created_at = BigIntegerField()
        last_seen_at = BigIntegerField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "staff"

    db.create_tables([Staff])

    class Audit(Model):
        at = BigIntegerField(index=True)
        staff = ForeignKeyField(Staff, null=True, on_delete="RESTRICT")
        staff_name = CharField(default="")
        action = CharField()
        object_kind = CharField(default="")
        object_id = IntegerField(default=0)
        object_label = CharField(default="")
        before = TextField(null=True)
        after = TextField(null=True)
        reason = TextField(default="")
        address = CharField(default="")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "audit"
            indexes = ((("object_kind", "object_id", "id"), False), (("staff", "id"), False))

    db.create_tables([Audit])

    class Broadcast(Model):
        name = CharField(unique=True)
        parts = TextField()
        audience = TextField(null=True)
        state = CharField(max_length=10, default="draft")
        at = BigIntegerField(null=True)
        confirmed_at = BigIntegerField(null=True)
        confirmed_by = IntegerField(null=True)
        leaves_at = BigIntegerField(null=True)
        content_id = IntegerField(null=True)
        cursor = IntegerField(default=0)
        plan_whole_at = BigIntegerField(null=True)
        expected = IntegerField(null=True)
        holdout_percent = IntegerField(default=0)
        pause_reason = CharField(max_length=32, default="")
        from_file = BooleanField(default=False)
        finished_at = BigIntegerField(null=True)
        sent_count = IntegerField(null=True)
        created_at = BigIntegerField()
        created_by = IntegerField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "broadcast"

    db.create_tables([Broadcast])

    class ClockOffset(Model):
        milliseconds = BigIntegerField(default=0)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "clock_offset"

    db.create_tables([ClockOffset])

    class Content(Model):
        hash = CharField(unique=True, max_length=64)
        parts = TextField()
        personal = BooleanField()
        summary = CharField(default="")
        created_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "content"

    db.create_tables([Content])

    class Coupon(Model):
        code = CharField(unique=True, max_length=40)
        title = CharField(max_length=60)
        benefit = CharField(max_length=12)
        benefit_value = FloatField(null=True)
        benefit_text = CharField(default="")
        minimum_spend = IntegerField(default=0)
        valid_days = IntegerField(null=True)
        valid_from = BigIntegerField(null=True)
        valid_until = BigIntegerField(null=True)
        stock = IntegerField(null=True)
        issued = IntegerField(default=0)
        per_friend = IntegerField(default=1)
        redeem = CharField(max_length=8, default="staff")
        pin = CharField(max_length=12, default="")
        terms = TextField(default="")
        state = CharField(max_length=8, default="active")
        created_at = BigIntegerField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon"

    db.create_tables([Coupon])

    class CouponIssue(Model):
        coupon = ForeignKeyField(Coupon, on_delete="RESTRICT", index=False)
        friend_id = IntegerField()
        number = IntegerField(default=1)
        token = CharField(unique=True, max_length=32)
        code = CharField(unique=True, max_length=16)
        issued_at = BigIntegerField()
        usable_from = BigIntegerField(null=True)
        expires_at = BigIntegerField(null=True)
        origin = CharField(max_length=12, default="")
        origin_id = IntegerField(default=0)
        carried = IntegerField(default=1)
        opened_at = BigIntegerField(null=True)
        redeemed_at = BigIntegerField(null=True)
        redeemed_by = IntegerField(null=True)
        redeemed_amount = IntegerField(null=True)
        redeemed_how = CharField(max_length=8, default="")
        voided_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "coupon_issue"
            indexes = (
                (("coupon", "friend_id", "number"), True),
                (("coupon", "id"), False),
                (("friend_id", "id"), False),
            )

    db.create_tables([CouponIssue])

    class Shipment(Model):
        kind = CharField(max_length=10)
        origin_kind = SmallIntegerField()
        origin_id = IntegerField()
        body = TextField()
        recipients = IntegerField()
        retry_key = CharField(unique=True, max_length=36)
        state = SmallIntegerField(default=0)
        try_at = BigIntegerField()
        lease_until = BigIntegerField(null=True)
        leased_by = CharField(max_length=64, default="")
        fence = IntegerField(default=0)
        tries = IntegerField(default=0)
        first_try_at = BigIntegerField(null=True)
        first_unclear_at = BigIntegerField(null=True)
        line_request_id = CharField(max_length=64, default="")
        accepted_request_id = CharField(max_length=64, default="")
        status = IntegerField(null=True)
        error = TextField(default="")
        parent = ForeignKeyField("self", null=True, on_delete="RESTRICT")
        quota_month = CharField(max_length=7, default="")
        created_at = BigIntegerField()
        done_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "shipment"
            indexes = ((("origin_kind", "origin_id", "id"), False),)

    db.create_tables([Shipment])

    class Delivery(Model):
        friend_id = IntegerField()
        origin_kind = SmallIntegerField()
        origin_id = IntegerField()
        origin_run = IntegerField(default=0)
        content = ForeignKeyField(Content, null=True, on_delete="RESTRICT", index=False)
        due_at = BigIntegerField()
        expires_at = BigIntegerField(null=True)
        priority = SmallIntegerField(default=50)
        counts_for_cap = BooleanField(default=True)
        state = SmallIntegerField(default=0)
        reason = CharField(max_length=32, default="")
        detail = TextField(default="")
        shipment = ForeignKeyField(Shipment, null=True, on_delete="RESTRICT", index=False)
        planned_at = BigIntegerField()
        done_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "delivery"
            indexes = (
                (("friend_id", "origin_kind", "origin_id", "origin_run"), True),
                (("origin_kind", "origin_id", "state"), False),
                (("friend_id", "due_at"), False),
            )

    db.create_tables([Delivery])

    class Sequence(Model):
        name = CharField(unique=True)
        enabled = BooleanField(default=False)
        period_from = DateField(null=True)
        period_until = DateField(null=True)
        priority = IntegerField(default=50)
        live_version = IntegerField(null=True)
        draft = TextField(null=True)
        pause_reason = CharField(max_length=32, default="")
        created_at = BigIntegerField()
        archived_at = BigIntegerField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "sequence"

    db.create_tables([Sequence])

    class Enrolment(Model):
        sequence = ForeignKeyField(Sequence, on_delete="CASCADE", index=False)
        friend_id = IntegerField()
        run = SmallIntegerField(default=1)
        version_id = IntegerField()
        branch = SmallIntegerField(default=0)
        branch_reason = TextField(null=True)
        step = SmallIntegerField(default=0)
        base_day = DateField()
        next_at = BigIntegerField(null=True)
        state = CharField(max_length=8, default="active")
        reason = CharField(max_length=32, default="")
        entered_at = BigIntegerField()
        ended_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "enrolment"
            indexes = (
                (("sequence", "friend_id", "run"), True),
                (("friend_id", "id"), False),
                (("sequence", "state"), False),
            )

    db.create_tables([Enrolment])

    class Fact(Model):
        friend_id = IntegerField()
        kind = CharField(max_length=40)
        object_id = IntegerField(default=0)
        value = TextField(null=True)
        amount = BigIntegerField(null=True)
        at = BigIntegerField()
        handled_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "fact"
            indexes = ((("friend_id", "at"), False), (("kind", "object_id", "at"), False))

    db.create_tables([Fact])

    class Field(Model):
        key = CharField(unique=True, max_length=40)
        name = CharField()
        type = CharField(max_length=8)
        choices = TextField(null=True)
        position = IntegerField(default=0)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "field"

    db.create_tables([Field])

    class Source(Model):
        code = CharField(unique=True)
        name = CharField()
        created_at = BigIntegerField()
        archived_at = BigIntegerField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "source"

    db.create_tables([Source])

    class Friend(Model):
        line_user_id = CharField(unique=True, max_length=64)
        display_name = CharField(default="")
        picture_url = TextField(default="")
        language = CharField(max_length=16, default="")
        status = CharField(max_length=8, default="unknown")
        status_at = BigIntegerField(default=0)
        first_followed_at = BigIntegerField(null=True)
        followed_at = BigIntegerField(null=True)
        blocked_at = BigIntegerField(null=True)
        opted_out_at = BigIntegerField(null=True)
        opted_out_by = CharField(max_length=16, default="")
        consent_at = BigIntegerField(default=0)
        source = ForeignKeyField(Source, null=True, on_delete="RESTRICT")
        source_origin = CharField(max_length=16, default="")
        first_seen_at = BigIntegerField()
        last_seen_at = BigIntegerField(null=True)
        gender = CharField(null=True, max_length=8)
        gender_origin = CharField(max_length=10, default="")
        birth_year = IntegerField(null=True)
        birthday = CharField(null=True, max_length=5)
        birth_origin = CharField(max_length=10, default="")
        region = CharField(null=True, max_length=8)
        region_origin = CharField(max_length=10, default="")
        os = CharField(null=True, max_length=8)
        os_origin = CharField(max_length=10, default="")
        note = TextField(default="")
        profile_due_at = BigIntegerField(null=True)
        profile_tries = IntegerField(default=0)
        profile_at = BigIntegerField(null=True)
        profile_gone = BooleanField(default=False)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "friend"
            indexes = (
                (("display_name", "id"), False),
                (("last_seen_at", "id"), False),
                (("status", "id"), False),
                (("source", "id"), False),
            )

    db.create_tables([Friend])

    class FriendField(Model):
        friend = ForeignKeyField(Friend, on_delete="CASCADE")
        field = ForeignKeyField(Field, on_delete="CASCADE", index=False)
        text = CharField(default="")
        number = FloatField(null=True)
        origin = CharField(max_length=10, default="staff")
        at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "friend_field"
            indexes = (
                (("field", "friend"), True),
                (("field", "text"), False),
                (("field", "number"), False),
            )

    db.create_tables([FriendField])

    class Tag(Model):
        name = CharField(unique=True)
        color = CharField(default="#6d7872")
        kind = CharField(max_length=8, default="static")
        created_at = BigIntegerField()
        archived_at = BigIntegerField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "tag"

    db.create_tables([Tag])

    class FriendTag(Model):
        friend = ForeignKeyField(Friend, on_delete="CASCADE")
        tag = ForeignKeyField(Tag, on_delete="CASCADE", index=False)
        at = BigIntegerField()
        by_kind = CharField(max_length=10, default="staff")
        by_id = IntegerField(default=0)
        until = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "friend_tag"
            indexes = ((("tag", "friend"), True),)

    db.create_tables([FriendTag])

    class GuessCount(Model):
        key = CharField(unique=True, max_length=80)
        misses = IntegerField(default=0)
        window_started_at = BigIntegerField(index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "guess_count"

    db.create_tables([GuessCount])

    class Heartbeat(Model):
        role = CharField(unique=True)
        at = BigIntegerField()
        host = CharField(default="")
        pid = IntegerField(default=0)
        started_at = BigIntegerField(null=True)
        note = TextField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "heartbeat"

    db.create_tables([Heartbeat])

    class InboundEvent(Model):
        event_id = CharField(unique=True, max_length=64)
        type = CharField(max_length=40)
        line_user_id = CharField(index=True, max_length=64, default="")
        raw = TextField()
        at = BigIntegerField()
        received_at = BigIntegerField()
        redelivered = IntegerField(default=0)
        try_at = BigIntegerField()
        tries = IntegerField(default=0)
        lease_until = BigIntegerField(null=True)
        answer = TextField(null=True)
        handled_at = BigIntegerField(null=True)
        set_aside_at = BigIntegerField(null=True)
        error = TextField(default="")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "inbound_event"

    db.create_tables([InboundEvent])

    class InboundMessage(Model):
        friend_id = IntegerField()
        message_id = CharField(unique=True, max_length=64)
        kind = CharField(max_length=20)
        text = TextField(default="")
        detail = TextField(default="")
        at = BigIntegerField()
        reply_token = CharField(max_length=128, default="")
        token_at = BigIntegerField(null=True)
        mark_token = CharField(max_length=128, default="")
        answered_by = CharField(max_length=8, default="")
        answered_at = BigIntegerField(null=True)
        unsent_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "inbound_message"
            indexes = ((("friend_id", "at"), False),)

    db.create_tables([InboundMessage])

    class LinkCode(Model):
        staff = ForeignKeyField(Staff, unique=True, on_delete="CASCADE")
        code = CharField(index=True)
        expires_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "link_code"

    db.create_tables([LinkCode])

    class QuotaMonth(Model):
        month = CharField(unique=True, max_length=7)
        line_limit = IntegerField(null=True)
        line_used = IntegerField(default=0)
        read_at = BigIntegerField(null=True)
        sent_since = IntegerField(default=0)
        sent_total = IntegerField(default=0)
        counted_at = BigIntegerField(null=True)
        reserved = IntegerField(default=0)
        unknown = IntegerField(default=0)
        exhausted_at = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "quota_month"

    db.create_tables([QuotaMonth])

    class Redemption(Model):
        issue = ForeignKeyField(CouponIssue, on_delete="RESTRICT")
        coupon = ForeignKeyField(Coupon, on_delete="RESTRICT", index=False)
        friend_id = IntegerField()
        at = BigIntegerField()
        staff_id = IntegerField(null=True)
        how = CharField(max_length=8)
        amount = IntegerField(null=True)
        discount = IntegerField(null=True)
        request_key = CharField(unique=True, max_length=36)
        undone_at = BigIntegerField(null=True)
        undone_by = IntegerField(null=True)
        undo_reason = CharField(max_length=200, default="")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "redemption"
            indexes = (
                (("coupon", "at"), False),
                (("at", "id"), False),
                (("staff_id", "at"), False),
            )

    db.create_tables([Redemption])

    class RedemptionTry(Model):
        at = BigIntegerField(index=True)
        staff_id = IntegerField(null=True)
        code = CharField(max_length=64, default="")
        issue = ForeignKeyField(CouponIssue, null=True, on_delete="SET NULL", index=False)
        outcome = CharField(max_length=16)
        address = CharField(default="")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "redemption_try"

    db.create_tables([RedemptionTry])

    class Reply(Model):
        friend_id = IntegerField()
        reply_token = CharField(unique=True, max_length=128)
        origin = CharField(max_length=12)
        origin_id = IntegerField(default=0)
        content = ForeignKeyField(Content, null=True, on_delete="RESTRICT", index=False)
        body = TextField()
        state = SmallIntegerField(default=0)
        reason = CharField(max_length=32, default="")
        error = TextField(default="")
        line_request_id = CharField(max_length=64, default="")
        at = BigIntegerField()
        tried_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "reply"
            indexes = ((("friend_id", "at"), False), (("origin", "origin_id", "at"), False))

    db.create_tables([Reply])

    class ReplyRule(Model):
        title = CharField(default="")
        keywords = TextField()
        match = CharField(max_length=8, default="exact")
        priority = IntegerField(default=10)
        parts = TextField()
        add_tags = TextField()
        hours_from = CharField(max_length=5, default="")
        hours_until = CharField(max_length=5, default="")
        enabled = BooleanField(default=True)
        hits = IntegerField(default=0)
        last_hit_at = BigIntegerField(null=True)
        created_at = BigIntegerField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "reply_rule"

    db.create_tables([ReplyRule])

    class Segment(Model):
        name = CharField(unique=True)
        tree = TextField()
        created_at = BigIntegerField()
        archived_at = BigIntegerField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "segment"

    db.create_tables([Segment])

    class SequenceVersion(Model):
        sequence = ForeignKeyField(Sequence, on_delete="CASCADE")
        number = IntegerField()
        definition = TextField()
        published_at = BigIntegerField()
        published_by = IntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "sequence_version"
            indexes = ((("sequence", "number"), True),)

    db.create_tables([SequenceVersion])

    class Setting(Model):
        key = CharField(unique=True)
        value = TextField(null=True)
        version = IntegerField(default=1)
        changed_at = BigIntegerField()
        changed_by = IntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "setting"

    db.create_tables([Setting])

    class SignInAttempt(Model):
        key = CharField(unique=True)
        failures = IntegerField(default=0)
        window_started_at = BigIntegerField()
        blocked_until = BigIntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "sign_in_attempt"

    db.create_tables([SignInAttempt])

    class StaffSession(Model):
        token_hash = CharField(unique=True)
        staff = ForeignKeyField(Staff, on_delete="CASCADE")
        created_at = BigIntegerField()
        last_seen_at = BigIntegerField()
        expires_at = BigIntegerField()
        ended_at = BigIntegerField(null=True)
        address = CharField(default="")
        browser = CharField(default="")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "staff_session"

    db.create_tables([StaffSession])

    class Upload(Model):
        token = CharField(unique=True, max_length=32)
        hash = CharField(unique=True, max_length=64)
        name = CharField(default="")
        mime = CharField(max_length=20)
        width = IntegerField()
        height = IntegerField()
        original = BlobField()
        preview = BlobField()
        preview_mime = CharField(max_length=20)
        created_at = BigIntegerField()
        created_by = IntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "upload"

    db.create_tables([Upload])

    for statement in PARTIAL_INDEXES:
        db.execute_sql(statement)
