"""One draw: decided by its number, given within the stock, once per friend and rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineadmin import journal, settings
from lineadmin.coupons.issue import Refusal, issue_one
from lineadmin.coupons.models import CouponIssue
from lineadmin.db import atomic, is_postgres
from lineadmin.errors import DomainError
from lineadmin.friends.models import FRIEND, Friend
from lineadmin.i18n import _, _l, format_datetime
from lineadmin.lottery import chance
from lineadmin.lottery.models import Lottery, LotteryDraw, LotteryPrize
from lineadmin.lottery.states import DAILY, Phase, phase_of

ORIGIN = "lottery"  # of the copies it hands out; their origin_id is the draw
STOCK, HELD = "stock", "held"


class NotDrawn(DomainError):
    """No draw; `outcome` tells why: a phase, "stranger" or "already" (`earlier` is that draw)."""

    def __init__(self, message: object, outcome: str, earlier: LotteryDraw | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.earlier = earlier


@dataclass(frozen=True)
class _Given:
    prize: LotteryPrize | None
    issue: CouponIssue | None
    reason: str


class _NotGiven(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def draw(lottery_id: int, friend_id: int, *, how: str, now: datetime) -> LotteryDraw:
    """Let a friend draw. However many try at once, she draws once and no prize goes out too often.

    :param how: page | chat
    :raises NotDrawn: not now, not she, or not again
    """
    with atomic():
        lottery = _locked(lottery_id)
        period = period_of(lottery, now)
        _check(lottery, friend_id, period, now)
        prizes = prizes_of(lottery)
        number = chance.number_of(lottery.seed, lottery.code, friend_id, period)
        order = chance.candidates(number, [chance_of(prize) for prize in prizes])
        row: LotteryDraw = LotteryDraw.create(
            lottery=lottery.id,
            friend_id=friend_id,
            period=period,
            number=number,
            picked=prizes[order[0]].id if order else None,
            how=how,
            at=now,
        )
        given = _give([prizes[place] for place in order], row, now)
        row.prize = given.prize
        row.issue_id = None if given.issue is None else given.issue.id
        row.reason = given.reason
        row.save()
        Lottery.update(draws=Lottery.draws + 1).where(Lottery.id == lottery.id).execute()
        journal.record(
            friend_id,
            "lottery.drawn",
            object_id=lottery.id,
            value={"number": number, "prize": given.prize.name if given.prize else ""},
            at=now,
        )
    return row


def drawn_in(lottery: Lottery, friend_id: int, now: datetime) -> LotteryDraw | None:
    """The draw a friend has made in the present period."""
    found: LotteryDraw | None = LotteryDraw.get_or_none(
        LotteryDraw.lottery == lottery.id,
        LotteryDraw.friend_id == friend_id,
        LotteryDraw.period == period_of(lottery, now),
    )
    return found


def period_of(lottery: Lottery, now: datetime) -> int:
    """0 where a friend draws once, else the present day on the shop's clock."""
    if lottery.rule != DAILY:
        return 0
    return now.astimezone(settings.shop_zone()).date().toordinal()


def prizes_of(lottery: Lottery) -> list[LotteryPrize]:
    """The prizes in their order."""
    query = LotteryPrize.select().where(LotteryPrize.lottery == lottery.id)
    return list(query.order_by(LotteryPrize.position))


def chance_of(prize: LotteryPrize) -> chance.Chance:
    """A prize as far as chance knows it."""
    left = None if prize.stock is None else max(0, prize.stock - prize.given)
    return chance.Chance(prize.odds, left, prize.consolation)


def phase_sentence(lottery: Lottery, phase: Phase) -> str:
    """Why nobody can draw now; empty where everybody can."""
    if phase is Phase.NOT_YET and lottery.starts_at is not None:
        return _("It starts %(time)s.", time=format_datetime(lottery.starts_at))
    words: dict[Phase, Any] = {
        Phase.PAUSED: _l("The lottery is paused. Please look again later."),
        Phase.CLOSED: _l("The lottery is over. Thank you for taking part."),
        Phase.ENDED: _l("The lottery is over. Thank you for taking part."),
    }
    return str(words.get(phase, ""))


def _locked(lottery_id: int) -> Lottery:
    """The lottery as it is now; others who draw wait until this transaction ends.

    On SQLite the transaction is the only writer already.
    """
    query = Lottery.select().where(Lottery.id == lottery_id)
    if is_postgres():
        query = query.for_update(for_update="FOR NO KEY UPDATE")  # type: ignore[arg-type]
    lottery: Lottery = query.get()
    return lottery


def _check(lottery: Lottery, friend_id: int, period: int, now: datetime) -> None:
    earlier = LotteryDraw.get_or_none(
        LotteryDraw.lottery == lottery.id,
        LotteryDraw.friend_id == friend_id,
        LotteryDraw.period == period,
    )
    if earlier is not None:
        again = (
            _l("You have drawn today. Come again tomorrow.")
            if lottery.rule == DAILY
            else _l("You have drawn already; everybody draws once.")
        )
        raise NotDrawn(again, "already", earlier)
    phase = phase_of(lottery, now)
    if phase is not Phase.OPEN:
        raise NotDrawn(phase_sentence(lottery, phase), phase.value)
    friend = Friend.get_or_none(Friend.id == friend_id)
    if friend is None or friend.status != FRIEND:
        raise NotDrawn(_l("Add us as a friend on LINE first, then draw."), "stranger")


def _give(order: Sequence[LotteryPrize], row: LotteryDraw, now: datetime) -> _Given:
    """The first prize of these that is left, with its copy; the reason is the first one's."""
    reason = ""
    for prize in order:
        try:
            with atomic():
                return _Given(prize, _hand_out(prize, row, now), reason)
        except _NotGiven as refused:
            reason = reason or refused.reason
    return _Given(None, None, reason)


def _hand_out(prize: LotteryPrize, row: LotteryDraw, now: datetime) -> CouponIssue:
    """:raises _NotGiven: it has run out, or the coupon is not for her; then nothing is taken"""
    left = LotteryPrize.stock.is_null() | (LotteryPrize.given < LotteryPrize.stock)
    took = (
        LotteryPrize.update(given=LotteryPrize.given + 1)
        .where(LotteryPrize.id == prize.id, left)
        .execute()
    )
    if not took:
        raise _NotGiven(STOCK)
    copy = issue_one(prize.coupon, row.friend_id, origin=ORIGIN, origin_id=row.id, now=now)
    if isinstance(copy, Refusal):
        raise _NotGiven(str(copy.reason))
    if (copy.origin, copy.origin_id) != (ORIGIN, row.id):
        raise _NotGiven(HELD)  # she was shown the one she has: that is no prize
    return copy
