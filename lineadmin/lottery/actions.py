"""What managers do with lotteries: make, change, pause, resume and close them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import IntegrityError, fn

from lineadmin.db import atomic
from lineadmin.errors import Conflict, DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.lottery import chance
from lineadmin.lottery.draw import prizes_of
from lineadmin.lottery.models import Lottery, LotteryPrize
from lineadmin.lottery.plan import Checked, Plan, checked
from lineadmin.lottery.states import ACTIVE, CLOSED, PAUSED
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

CODE_TRIES = 20


def create(plan: Plan, *, staff: Staff | None, now: datetime, wall: datetime) -> Lottery:
    """Make a lottery; its seed is made and committed to here, before anybody can draw.

    :raises DomainError: a value that cannot be right, or the short name is taken
    """
    plan, prizes = checked(plan)
    for number in range(CODE_TRIES):
        columns = plan.columns()
        if not plan.code:
            columns["code"] = f"lottery-{_next_number() + number}"
        seed = chance.new_seed()
        try:
            with atomic():
                lottery: Lottery = Lottery.create(
                    **columns,
                    seed=seed,
                    seed_hash=chance.commitment(seed),
                    link_key=secrets.token_hex(32),
                    created_at=now,
                )
                _write_prizes(lottery, prizes)
                _record(staff, "lottery.create", lottery, None, plan.audited(), wall)
            return lottery
        except IntegrityError:
            if plan.code:
                break
    raise DomainError(
        _("There is a lottery with the short name %(code)s already.", code=plan.code), field="code"
    )


def edit(
    lottery_id: int, plan: Plan, *, version: int | None, staff: Staff | None, wall: datetime
) -> Lottery:
    """Change a lottery. Once somebody has drawn, odds and prizes stay; stock may only grow.

    :param version: the version the form was opened with; None skips the check (shop files)
    :raises DomainError: a value that cannot be right, or one that may no longer change
    :raises Conflict: somebody else saved meanwhile
    """
    with atomic():
        lottery = get(lottery_id)
        plan, prizes = checked(plan)
        stored = prizes_of(lottery)
        before, after = Plan.of(lottery, stored), plan
        after = Plan(**{**after.__dict__, "code": lottery.code})  # messages know it by it
        if version is not None and version != lottery.version:
            raise _conflict()
        if before == after:
            return lottery
        if lottery.state == CLOSED:
            raise DomainError(_l("A closed lottery can no longer be changed."))
        if lottery.draws:
            _check_kept(lottery, stored, plan, prizes)
        # The condition on `draws` keeps a first draw of this moment from slipping under new odds.
        saved = (
            Lottery.update(**after.columns(), version=Lottery.version + 1)
            .where(
                Lottery.id == lottery.id,
                Lottery.version == lottery.version,
                Lottery.draws == lottery.draws,
            )
            .execute()
        )
        if not saved:
            raise _conflict()
        if lottery.draws:
            for prize, wanted in zip(stored, prizes, strict=True):
                LotteryPrize.update(name=wanted.name, stock=wanted.stock).where(
                    LotteryPrize.id == prize.id
                ).execute()
        else:
            LotteryPrize.delete().where(LotteryPrize.lottery == lottery.id).execute()
            _write_prizes(lottery, prizes)
        _record(staff, "lottery.edit", lottery, before.audited(), after.audited(), wall)
        return get(lottery_id)


def load(plan: Plan, *, staff: Staff | None, now: datetime, wall: datetime) -> bool:
    """Make the lottery of this code, or change it to be so; False where it was so already.

    :raises DomainError: a value that cannot be right, or one that may no longer change
    """
    known = Lottery.get_or_none(Lottery.code == plan.code)
    if known is None:
        create(plan, staff=staff, now=now, wall=wall)
        return True
    saved = edit(known.id, plan, version=None, staff=staff, wall=wall)
    return bool(saved.version != known.version)


def pause(lottery_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Nobody draws until it is resumed."""
    _set_state(lottery_id, PAUSED, (ACTIVE,), "lottery.pause", staff, wall)


def resume(lottery_id: int, *, staff: Staff | None, wall: datetime) -> None:
    """Friends draw again."""
    _set_state(lottery_id, ACTIVE, (PAUSED,), "lottery.resume", staff, wall)


def close(lottery_id: int, *, staff: Staff | None, now: datetime, wall: datetime) -> None:
    """End it for good and publish its seed. Prizes that were won stay valid."""
    _set_state(lottery_id, CLOSED, (ACTIVE, PAUSED), "lottery.close", staff, wall, closed_at=now)


def get(lottery_id: int) -> Lottery:
    """:raises DomainError: there is none with this id"""
    lottery: Lottery | None = Lottery.get_or_none(Lottery.id == lottery_id)
    if lottery is None:
        raise DomainError(_l("This lottery is not here."))
    return lottery


def _next_number() -> int:
    return int(Lottery.select(fn.COALESCE(fn.MAX(Lottery.id), 0)).scalar()) + 1


def _write_prizes(lottery: Lottery, prizes: Sequence[Checked]) -> None:
    for position, prize in enumerate(prizes, start=1):
        LotteryPrize.create(
            lottery=lottery.id,
            position=position,
            name=prize.name,
            coupon=prize.coupon.id,
            odds=prize.odds,
            stock=prize.stock,
            consolation=prize.consolation,
        )


def _check_kept(
    lottery: Lottery, stored: Sequence[LotteryPrize], plan: Plan, prizes: Sequence[Checked]
) -> None:
    if plan.rule != lottery.rule:
        raise DomainError(_l("Friends have drawn already, so the rule stays."), field="rule")
    before = [(prize.coupon_id, prize.odds, prize.consolation) for prize in stored]
    after = [(prize.coupon.id, prize.odds, prize.consolation) for prize in prizes]
    if before != after:
        raise DomainError(
            _l(
                "Friends have drawn already, so prizes, coupons and odds stay as they are. Close "
                "this lottery and make a new one."
            ),
            field="prizes",
        )
    for prize, wanted in zip(stored, prizes, strict=True):
        if wanted.stock is not None and wanted.stock < prize.given:
            raise DomainError(
                _(
                    "Prize %(number)s: %(count)s are given already.",
                    number=prize.position,
                    count=format_count(prize.given),
                ),
                field="prizes",
            )


def _set_state(
    lottery_id: int,
    state: str,
    allowed: tuple[str, ...],
    action: str,
    staff: Staff | None,
    wall: datetime,
    **more: Any,
) -> None:
    with atomic():
        lottery = get(lottery_id)
        if lottery.state == state:
            return
        changed = (
            Lottery.update(state=state, version=Lottery.version + 1, **more)
            .where(Lottery.id == lottery_id, Lottery.state.in_(allowed))
            .execute()
        )
        if not changed:
            raise DomainError(_l("A closed lottery stays closed."))
        _record(staff, action, lottery, {"state": lottery.state}, {"state": state}, wall)


def _conflict() -> Conflict:
    return Conflict(_l("Somebody else changed this meanwhile. Nothing was saved."))


def _record(
    staff: Staff | None,
    action: str,
    lottery: Lottery,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    wall: datetime,
) -> None:
    audit.record(staff, action, "lottery", lottery.id, lottery.title, before, after, wall=wall)
