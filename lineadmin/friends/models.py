"""Friends, tags, sources, and the shop's own fields."""

from __future__ import annotations

from peewee import (
    SQL,
    BlobField,
    BooleanField,
    CharField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from lineadmin.db import BaseModel, JSONTextField, UTCDateTimeField

FRIEND, BLOCKED, UNKNOWN = "friend", "blocked", "unknown"


class Source(BaseModel):
    """Where friends come from: a counter's QR, LINE Pay, an ad. Code `unknown` is a real value."""

    code = CharField(unique=True)
    name = CharField()
    created_at = UTCDateTimeField()
    archived_at = UTCDateTimeField(null=True)
    version = IntegerField(default=1)
    merged_into = IntegerField(null=True)  # printed codes of it lead to that source


class Branch(BaseModel):
    """A place of the shop's that friends can come to, known by its code in files and conditions."""

    code = CharField(unique=True, max_length=40)
    name = CharField()
    address = CharField(default="", max_length=100)
    latitude = FloatField()
    longitude = FloatField()
    active = BooleanField(default=True)  # closed ones are nobody's nearest any more
    created_at = UTCDateTimeField()
    version = IntegerField(default=1)


class Friend(BaseModel):
    """A person on LINE whom the shop has learned of through any event or a CSV.

    What is known about her carries where it came from (`*_origin`: self | staff | csv | observed);
    LINE's estimates are never stored per friend.
    """

    line_user_id = CharField(max_length=64, unique=True)
    display_name = CharField(default="")  # "" until a profile or CSV told it
    picture_url = TextField(default="")
    language = CharField(default="", max_length=16)  # BCP 47, as LINE gives it
    status = CharField(max_length=8, default=UNKNOWN)
    status_at = UTCDateTimeField(default=0)  # timestamp of the event that set the status
    first_followed_at = UTCDateTimeField(null=True)
    followed_at = UTCDateTimeField(null=True)  # the latest follow
    blocked_at = UTCDateTimeField(null=True)
    opted_out_at = UTCDateTimeField(null=True)
    opted_out_by = CharField(default="", max_length=16)  # friend | staff | csv
    consent_at = UTCDateTimeField(default=0)  # real time of the wish that set it
    source = ForeignKeyField(Source, null=True, backref="friends", on_delete="RESTRICT")
    source_origin = CharField(default="", max_length=16)
    first_seen_at = UTCDateTimeField()
    last_seen_at = UTCDateTimeField(null=True)  # latest sign of life: message, tap, follow
    gender = CharField(max_length=8, null=True)  # male | female
    gender_origin = CharField(max_length=10, default="")
    birth_year = IntegerField(null=True)
    birthday = CharField(max_length=5, null=True)  # MM-DD where known
    birth_origin = CharField(max_length=10, default="")
    region = CharField(max_length=8, null=True)  # tw_01 … tw_22
    region_origin = CharField(max_length=10, default="")
    os = CharField(max_length=8, null=True)  # ios | android | other
    os_origin = CharField(max_length=10, default="")
    # Her home branch: what anybody said, or the nearest to the place she sent last.
    branch = ForeignKeyField(Branch, null=True, on_delete="RESTRICT", index=False)
    branch_origin = CharField(max_length=10, default="", constraints=[SQL("DEFAULT ''")])
    note = TextField(default="")  # staff's own words
    profile_due_at = UTCDateTimeField(null=True)  # real time; set while LINE's profile is wanted
    profile_tries = IntegerField(default=0)
    profile_at = UTCDateTimeField(null=True)  # real time of the last answer
    profile_gone = BooleanField(default=False)  # LINE answered 404: she left or blocked us
    version = IntegerField(default=1)
    source_id: int | None
    branch_id: int | None

    class Meta:
        indexes = (
            (("display_name", "id"), False),
            (("last_seen_at", "id"), False),
            (("status", "id"), False),
            (("source", "id"), False),
        )

    @property
    def addressable(self) -> bool:
        """May be sent steps and broadcasts: neither blocked nor opted out."""
        return self.status != BLOCKED and self.opted_out_at is None


Friend.add_index(
    Friend.index(
        Friend.profile_due_at, name="friend_profile_due", where=SQL("profile_due_at IS NOT NULL")
    )
)
Friend.add_index(
    Friend.index(
        Friend.opted_out_at, name="friend_opted_out", where=SQL("opted_out_at IS NOT NULL")
    )
)
# Whose birthday is on a day, without looking at everybody.
Friend.add_index(
    Friend.index(
        Friend.birthday,
        Friend.id,
        name="friend_birthday",
        where=SQL("birthday IS NOT NULL"),
    )
)
# What segments ask most, without reading a friend.
Friend.add_index(
    Friend.index(
        Friend.os,
        Friend.region,
        Friend.gender,
        Friend.birth_year,
        Friend.birthday,
        Friend.language,
        name="friend_attributes",
    )
)
# The numbers of every source, without reading a friend.
Friend.add_index(
    Friend.index(
        Friend.source,
        Friend.status,
        name="friend_source_status",
        where=SQL("source_id IS NOT NULL"),
    )
)
# Who belongs to a branch; few shops have any.
Friend.add_index(
    Friend.index(Friend.branch, name="friend_branch", where=SQL("branch_id IS NOT NULL"))
)


class FriendPlace(BaseModel):
    """The last place a friend sent us, and the branch nearest to it.

    It counts for some months (places.LIVES), and goes when she takes the message back.
    """

    friend = ForeignKeyField(Friend, unique=True, on_delete="CASCADE")
    latitude = FloatField()
    longitude = FloatField()
    sent_at = UTCDateTimeField()  # shop time
    message_id = CharField(max_length=64, default="")
    nearest = ForeignKeyField(Branch, null=True, on_delete="RESTRICT", index=False)
    metres = IntegerField(null=True)  # as the crow flies, to the nearest branch
    map_version = IntegerField()  # of the list of branches it was reckoned by
    friend_id: int
    nearest_id: int | None

    class Meta:
        indexes = (
            (("nearest", "friend"), False),
            (("metres", "friend"), False),
            (("map_version",), False),
            (("sent_at",), False),
            (("message_id",), False),
        )


class Tag(BaseModel):
    """A mark on friends: static ones are set by people and imports, dynamic ones by rules."""

    name = CharField(unique=True)
    color = CharField(default="#6d7872")
    kind = CharField(default="static", max_length=8)  # static | dynamic
    created_at = UTCDateTimeField()
    archived_at = UTCDateTimeField(null=True)
    version = IntegerField(default=1)


class FriendTag(BaseModel):
    """One tag on one friend now; the history is in the journal."""

    friend = ForeignKeyField(Friend, backref="tags", on_delete="CASCADE")
    tag = ForeignKeyField(Tag, backref="friends", on_delete="CASCADE", index=False)
    at = UTCDateTimeField()
    by_kind = CharField(
        max_length=10, default="staff"
    )  # staff | csv | reply | rule | coupon | link | survey
    by_id = IntegerField(default=0)
    until = UTCDateTimeField(null=True)  # dynamic tags expire
    friend_id: int
    tag_id: int

    class Meta:
        indexes = ((("tag", "friend"), True),)


FriendTag.add_index(
    FriendTag.index(FriendTag.until, name="friendtag_until", where=SQL("until IS NOT NULL"))
)


class Field(BaseModel):
    """An attribute of the shop's own: text, number, date or one of several choices."""

    key = CharField(unique=True, max_length=40)
    name = CharField()
    type = CharField(max_length=8)  # text | number | date | choice
    choices = JSONTextField(null=True)
    position = IntegerField(default=0)
    version = IntegerField(default=1)


class FriendField(BaseModel):
    """A friend's value of one of the shop's fields."""

    friend = ForeignKeyField(Friend, backref="fields", on_delete="CASCADE")
    field = ForeignKeyField(Field, backref="values", on_delete="CASCADE", index=False)
    text = CharField(default="")  # text and choice; dates as YYYY-MM-DD
    number = FloatField(null=True)
    origin = CharField(max_length=10, default="staff")
    at = UTCDateTimeField()
    friend_id: int
    field_id: int

    class Meta:
        indexes = (
            (("field", "friend"), True),
            (("field", "text"), False),
            (("field", "number"), False),
        )


__all__ = [
    "BLOCKED",
    "FRIEND",
    "UNKNOWN",
    "Branch",
    "Field",
    "Friend",
    "FriendField",
    "FriendPlace",
    "FriendTag",
    "Source",
    "Tag",
]


class FriendImport(BaseModel):
    """A file of friends or of what they bought on its way in: uploaded, then imported in pieces.

    uploaded -> waiting -> done | failed. `rows_done` is the cursor: what it counts is committed
    with the rows themselves, so a cut-off import goes on where it stopped.
    """

    token = CharField(max_length=32, unique=True)
    staff_id = IntegerField()
    name = CharField(default="")  # the file's
    data = BlobField()  # emptied once it is imported
    columns = JSONTextField(null=True)  # what each column of the file holds; "" = left out
    state = CharField(max_length=10, default="uploaded")
    rows_total = IntegerField(default=0)
    rows_done = IntegerField(default=0)
    result = JSONTextField(null=True)  # csv_import.ImportResult so far
    problem = TextField(default="")
    created_at = UTCDateTimeField()  # real time
    changed_at = UTCDateTimeField()
    kind = CharField(max_length=12, default="friends", constraints=[SQL("DEFAULT 'friends'")])

    class Meta:
        indexes = ((("state", "id"), False),)
