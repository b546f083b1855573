"""How a dry run begins: somebody who is made up, and the trigger that happens to her."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from lineadmin import segments, settings
from lineadmin.friends.models import BLOCKED, FRIEND, Friend, FriendTag, Source, Tag
from lineadmin.journal.models import Fact
from lineadmin.sequences import buying, by_hand, calendar, dates, starts, triggers
from lineadmin.sequences.definition import DATE, MANUAL, PURCHASE, SEGMENT, Trigger
from lineadmin.sequences.enrolments import HELD
from lineadmin.sequences.models import Enrolment, Sequence

# Why a friend does not start
IS_BLOCKED, OTHER_SOURCE, OUTSIDE_PERIOD = "blocked", "source", "period"
NO_DATE, NOT_IN_SEGMENT, NOT_STARTED = "no_date", "segment", "not_started"


@dataclass(frozen=True)
class Imaginary:
    """Somebody who does not exist, and what the shop would know of her."""

    name: str = ""
    source: str = ""  # a code; empty = unknown
    age: int | None = None
    birthday: str | None = None  # MM-DD
    gender: str | None = None
    region: str | None = None
    os: str | None = None
    tags: tuple[str, ...] = ()


def invent(whom: Imaginary, now: datetime) -> Friend:
    """A row for her, for as long as the transaction lasts."""
    source = Source.get_or_none(Source.code == whom.source) if whom.source else None
    year = now.astimezone(settings.shop_zone()).year
    friend: Friend = Friend.create(
        line_user_id="U-dry-run",
        display_name=whom.name,
        status=FRIEND,
        status_at=now,
        first_followed_at=now,
        followed_at=now,
        first_seen_at=now,
        last_seen_at=now,
        source=source,
        birth_year=None if whom.age is None else year - whom.age,
        birthday=whom.birthday,
        gender=whom.gender,
        region=whom.region,
        os=whom.os,
    )
    for tag in Tag.select(Tag.id).where(Tag.name.in_(whom.tags)):
        FriendTag.create(friend=friend, tag=tag, at=now)
    return friend


def start(
    sequence: Sequence, friend: Friend, earlier: Enrolment | None, now: datetime
) -> tuple[str, datetime]:
    """Start her as if the trigger happened; why not, and from when on she is underway."""
    [live] = starts.live_sequences(sequence.id)
    trigger = live.definition.trigger
    zone = settings.shop_zone()
    if friend.status == BLOCKED:
        return IS_BLOCKED, now
    if earlier is not None and (trigger.kind not in (DATE, MANUAL) or earlier.state == HELD):
        return earlier.state, now
    at = now
    if trigger.kind in triggers.FACT_OF:
        _happen(trigger, friend, zone, now)
    elif trigger.kind == DATE:
        written = dates.dates_of(trigger, [friend.id]).get(friend.id)
        day = written and dates.next_start(trigger, written, calendar.local_day(now, zone))
        if not isinstance(day, date):
            return NO_DATE, now
        at = max(now, datetime(day.year, day.month, day.day, tzinfo=zone))
        if starts.in_period(live.row, day):
            dates.start_on(live, day, [friend.id], zone, at)
    elif trigger.kind == SEGMENT and not _is_in(trigger.about, friend, zone, now):
        return NOT_IN_SEGMENT, now
    else:
        by_hand.put_underway(live, friend, earlier, zone=zone, now=now)
    run = run_of(sequence, friend)
    if run is not None and (earlier is None or run.id != earlier.id):
        return "", at
    if not starts.in_period(live.row, calendar.local_day(at, zone)):
        return OUTSIDE_PERIOD, now
    known = Friend.select(Friend.id).where(Friend.id == friend.id, starts.may_start(trigger))
    return (NOT_STARTED if known.exists() else OTHER_SOURCE), now


def _happen(trigger: Trigger, friend: Friend, zone: ZoneInfo, now: datetime) -> None:
    """What the trigger waits for, with everything else that starts on it."""
    about = triggers.object_id(trigger) or 0
    if trigger.kind == PURCHASE:
        about = buying.rehearse(trigger.about, friend.id, now)
    kind = triggers.FACT_OF[trigger.kind]
    fact = Fact.create(friend_id=friend.id, kind=kind, object_id=about, at=now, handled_at=now)
    claimed = [triggers.Claimed(fact.id, friend.id, kind, about, now)]
    for live in starts.live_sequences():
        triggers.start(live, claimed, zone, now)


def _is_in(segment: str, friend: Friend, zone: ZoneInfo, now: datetime) -> bool:
    tree = {"field": "segment", "op": "is", "value": segment}
    fits = segments.where(tree, now=now, zone=zone, per_friend=True)
    return bool(Friend.select(Friend.id).where(Friend.id == friend.id, fits).exists())


def run_of(sequence: Sequence, friend: Friend) -> Enrolment | None:
    """Her latest run."""
    runs = Enrolment.select().where(
        Enrolment.sequence == sequence.id, Enrolment.friend_id == friend.id
    )
    latest: Enrolment | None = runs.order_by(Enrolment.run.desc()).first()
    return latest
