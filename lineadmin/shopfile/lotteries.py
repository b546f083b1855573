"""Lotteries; their seeds are made when they are loaded and never leave the database by a file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lineadmin import settings
from lineadmin.lottery import actions
from lineadmin.lottery.draw import prizes_of
from lineadmin.lottery.models import Lottery
from lineadmin.lottery.plan import Plan, PrizePlan, percent_text
from lineadmin.lottery.states import ACTIVE, CLOSED, PAUSED
from lineadmin.shopfile.context import Context
from lineadmin.shopfile.errors import Path
from lineadmin.shopfile.offers import day_or_moment, end_of, start_of
from lineadmin.shopfile.schema import LotteryPart, PrizePart

PLACES: dict[str, Path] = {"starts_at": ("from",), "ends_at": ("until",)}
PLAIN = ("title", "rule", "way", "terms")


def load_lotteries(parts: list[LotteryPart], context: Context) -> None:
    """Make or change lotteries; what the file does not say stays as it is."""
    for index, part in enumerate(parts):
        path = ("lotteries", index)
        known = Lottery.get_or_none(Lottery.code == part.code)
        if known is None and (part.title is None or part.prizes is None):
            raise context.refuse(path, "a new lottery needs a title and prizes")
        values = (
            {"title": "", "prizes": (), "code": part.code}
            if known is None
            else Plan.of(known, prizes_of(known)).__dict__
        )
        with context.at(path, PLACES):
            changed = actions.load(
                Plan(**{**values, **_given(part)}),
                staff=context.staff,
                now=context.now,
                wall=context.wall,
            )
            changed = _load_state(part, path, context) or changed
        context.report.note("lottery", part.code, created=known is None, changed=changed)


def dump_lotteries() -> list[dict[str, Any]]:
    """Every lottery, the closed ones too."""
    return [_dumped(lottery) for lottery in Lottery.select().order_by(Lottery.code)]


def _given(part: LotteryPart) -> dict[str, Any]:
    zone = settings.shop_zone()
    values = {key: getattr(part, key) for key in PLAIN if getattr(part, key) is not None}
    if part.given("from_"):
        values["starts_at"] = start_of(part.from_, zone)
    if part.given("until"):
        values["ends_at"] = end_of(part.until, zone)
    if part.prizes is not None:
        values["prizes"] = tuple(_prize(prize) for prize in part.prizes)
    return values


def _prize(part: PrizePart) -> PrizePlan:
    return PrizePlan(part.name, part.coupon, str(part.odds), part.stock, part.consolation)


def _load_state(part: LotteryPart, path: Path, context: Context) -> bool:
    lottery: Lottery = Lottery.get(Lottery.code == part.code)
    if part.state is None or part.state == lottery.state:
        return False
    if lottery.state == CLOSED:
        raise context.refuse((*path, "state"), "this lottery was closed for good")
    if part.state == CLOSED:
        actions.close(lottery.id, staff=context.staff, now=context.now, wall=context.wall)
    else:
        change = {ACTIVE: actions.resume, PAUSED: actions.pause}[part.state]
        change(lottery.id, staff=context.staff, wall=context.wall)
    return True


def _dumped(lottery: Lottery) -> dict[str, Any]:
    zone = settings.shop_zone()
    item: dict[str, Any] = {
        "code": lottery.code,
        "title": lottery.title,
        "rule": lottery.rule,
        "way": lottery.way,
    }
    if lottery.starts_at is not None:
        item["from"] = day_or_moment(lottery.starts_at.astimezone(zone), timedelta())
    if lottery.ends_at is not None:
        item["until"] = day_or_moment(lottery.ends_at.astimezone(zone), timedelta(days=1))
    item["prizes"] = [
        {
            "name": prize.name,
            "coupon": prize.coupon.code,
            "odds": _number(percent_text(prize.odds)),
            "stock": prize.stock,
            **({"consolation": True} if prize.consolation else {}),
        }
        for prize in prizes_of(lottery)
    ]
    if lottery.terms:
        item["terms"] = lottery.terms
    if lottery.state != ACTIVE:
        item["state"] = lottery.state
    return item


def _number(percent: str) -> int | float:
    return float(percent) if "." in percent else int(percent)
