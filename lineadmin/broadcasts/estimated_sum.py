"""Before sending to whom LINE guesses to fit: at most how many, who is left out, what it may cost.

Nobody but LINE knows how many it will be. What is told is an upper bound, and it is binding: the
request itself says that it must not be more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from peewee import SQL, fn

from lineadmin import settings
from lineadmin.audiences.usable import usable
from lineadmin.broadcasts import estimated as language
from lineadmin.broadcasts.dormant import asleep
from lineadmin.broadcasts.ledger import Ledger
from lineadmin.broadcasts.variants import PRIORITY
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.i18n import _, format_count
from lineadmin.outbox import quota, reasons
from lineadmin.outbox.live import rows
from lineadmin.outbox.models import OriginKind
from lineadmin.outbox.plan import Cap, fate
from lineadmin.settings.cost import cost
from lineadmin.settings.line_total import friend_total


def reach() -> int:
    """How many friends LINE can reach at most: as it counted last, or as many as we know."""
    total = friend_total()
    known = Friend.select().where(Friend.status != BLOCKED).count()
    return max(known, 0 if total is None else total[0])


def left_out_of_all() -> Any:
    """The friends who may have to be left out, as a condition: LINE drops blocked ones itself."""
    return (Friend.status != BLOCKED) | Friend.opted_out_at.is_null(False)


def most(estimated: dict[str, Any], excluded: int) -> int:
    """The most it can reach."""
    bound = max(0, reach() - excluded)
    return min(bound, int(estimated.get("most", bound)))


def ledger(
    estimated: dict[str, Any],
    *,
    now: datetime,
    at: datetime | None,
    service: bool = False,
    wake: bool = False,
) -> Ledger:
    """The sum if it left at `at`, or now; every number of people in it is an upper bound."""
    shop = settings.shop()
    due_at = max(now, at) if at is not None else now
    fates = fate(
        due_at,
        cap=None if service else Cap.of(shop),
        asleep=asleep(wake),
        priority=PRIORITY,
    )
    query = (
        Friend.select(fates.alias("fate"), fn.COUNT(Friend.id))
        .where(Friend.status != BLOCKED)
        .group_by(SQL("fate"))
    )
    counted: dict[str, int] = dict(rows(query))
    out = {
        reason: counted.get(reason, 0)
        for reason in (reasons.OPTED_OUT, reasons.DORMANT, reasons.CAP)
    }
    everybody, will_send = reach(), most(estimated, sum(out.values()))
    meter = quota.meter(now)
    this_month = quota.month_of(due_at, shop) == quota.month_of(now, shop)
    keep = quota.kept_from(OriginKind.BROADCAST, shop)
    left = quota.remaining(now, keep=keep) if this_month else None
    if left is not None and estimated.get("up_to_remaining"):
        will_send = min(will_send, left)
    return Ledger(
        matches=everybody,
        blocked=0,
        opted_out=out[reasons.OPTED_OUT],
        dormant=out[reasons.DORMANT],
        cap=out[reasons.CAP],
        beyond=max(0, everybody - sum(out.values()) - will_send),
        will_send=will_send,
        cost=cost(will_send, used=meter.taken if this_month else 0, shop=shop),
        left=left,
        this_month=this_month,
        everyone=False,
        reserve=keep if meter.limit is not None else 0,
        at_most=True,
    )


def refuse_impossible(estimated: dict[str, Any], told: Ledger, *, sure: bool) -> None:
    """
    :param sure: whether our numbers may refuse it (a shop file comes before its friends)
    :raises DomainError: LINE would refuse it or send to nobody
    """
    if language.is_open(estimated):
        raise DomainError(
            _("Choose at least one attribute or LINE audience, or send to all friends instead."),
            field="estimated",
        )
    for name in (*estimated.get("audiences", ()), *estimated.get("without", ())):
        usable(name)
    if sure and language.has_attributes(estimated) and told.will_send < language.LEAST_RECIPIENTS:
        raise DomainError(
            _(
                "At most %(count)s friends could get it. LINE sends by its estimates to no fewer "
                "than %(least)s, so that nobody can be told from the others.",
                count=format_count(told.will_send),
                least=language.LEAST_RECIPIENTS,
            ),
            field="estimated",
        )
