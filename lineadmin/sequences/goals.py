"""Stop conditions: whom the rest of a sequence would only bother ("has redeemed it already").

Asked when a step is planned, and again at the moment it leaves, since quiet hours or an empty quota
may lie between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from lineadmin import segments, settings
from lineadmin.friends.models import Friend
from lineadmin.outbox import reasons
from lineadmin.outbox.live import one_of, rows
from lineadmin.sequences import buying, enrolments
from lineadmin.sequences.definition import Definition
from lineadmin.sequences.models import Enrolment, SequenceVersion
from lineadmin.sequences.places import RUN_FACTOR
from lineadmin.sequences.published import parsed


def reached(
    definition: Definition, runs: Mapping[int, int], zone: ZoneInfo, now: datetime
) -> set[int]:
    """Those of these friends whom a stop condition fits.

    :param runs: friend id -> her enrolment
    """
    done = buying.since_start(definition.stop_bought, runs)
    if definition.stop is not None:
        fits = segments.where(definition.stop, now=now, zone=zone, per_friend=True)
        found = Friend.select(Friend.id).where(one_of(Friend.id, runs) & fits)
        done |= {friend_id for (friend_id,) in rows(found)}
    return done


def left_out(sequence_id: int, friends: Mapping[int, int], now: datetime) -> dict[int, str]:
    """Friends who must not get the step that is about to leave; their runs end here.

    :param friends: friend id -> `origin_run` of the step
    """
    versions = SequenceVersion.select(SequenceVersion.id, SequenceVersion.definition).where(
        SequenceVersion.sequence == sequence_id
    )
    stopping = {
        row.id: definition for row in versions if (definition := parsed(row.definition)).stops
    }
    if not stopping:
        return {}
    runs = Enrolment.select(
        Enrolment.id, Enrolment.friend_id, Enrolment.run, Enrolment.version_id
    ).where(
        (Enrolment.sequence == sequence_id)
        & one_of(Enrolment.friend_id, friends)
        & one_of(Enrolment.version_id, stopping)
    )
    mine = [row for row in runs if row.run == friends[row.friend_id] // RUN_FACTOR]
    found: dict[int, str] = {}
    for version_id in {row.version_id for row in mine}:
        here = {row.friend_id: row.id for row in mine if row.version_id == version_id}
        done = reached(stopping[version_id], here, settings.shop_zone(), now)
        enrolments.end_many([here[one] for one in done], reason=enrolments.GOAL, now=now)
        found |= dict.fromkeys(done, reasons.GOAL)
    return found
