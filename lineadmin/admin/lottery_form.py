"""The form of a lottery: a few fields, and one row per prize."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from wtforms import DateField, Field, RadioField, StringField, TextAreaField, validators

from lineadmin import settings
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.coupons import benefits
from lineadmin.coupons.offer import whole_days
from lineadmin.errors import DomainError
from lineadmin.i18n import _l, local
from lineadmin.lottery import plan
from lineadmin.lottery.draw import prizes_of
from lineadmin.lottery.models import Lottery
from lineadmin.lottery.plan import Plan, PrizePlan
from lineadmin.lottery.states import ONCE, PAGE, RULE_LABELS, WAY_LABELS

ROWS = 5  # offered at least; more where there are more prizes
NAMES = {"starts_at": "first_day", "ends_at": "last_day"}


class PrizesField(Field):
    """Rows of prizes, posted as prizes-0-name and so on; rows without any word are left out."""

    data: list[dict[str, Any]]

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Read the rows that were posted, else those of the plan."""
        self.process_errors: list[str] = []
        self.data = [dict(row) for row in data or []] if isinstance(data, list | tuple) else []
        if formdata is None or f"{self.name}-0-name" not in formdata:
            return
        chosen = formdata.get(f"{self.name}-consolation", "")
        self.data = []
        for number in range(plan.MOST_PRIZES):
            row: dict[str, Any] = {
                key: (formdata.get(f"{self.name}-{number}-{key}") or "").strip()
                for key in ("name", "coupon", "percent", "stock")
            }
            if any(row.values()):
                self.data.append(row | {"consolation": chosen == str(number)})

    def populate_obj(self, obj: Any, name: str) -> None:
        """Prizes have rows of their own; actions.py writes them."""

    def rows(self) -> list[dict[str, Any]]:
        """The rows to draw: those there are, and empty ones to fill in."""
        empty = {"name": "", "coupon": "", "percent": "", "stock": "", "consolation": False}
        wanted = max(ROWS, min(len(self.data) + 1, plan.MOST_PRIZES))
        return [*self.data, *[dict(empty) for _row in range(wanted - len(self.data))]]

    def plans(self) -> tuple[PrizePlan, ...]:
        """What was typed.

        :raises DomainError: a stock that is no number
        """
        return tuple(_prize(number, row) for number, row in enumerate(self.data, start=1))


class LotteryForm(StaffForm):
    """What a manager fills in."""

    title = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=plan.LONGEST_TITLE)],
        filters=[stripped],
        render_kw={"maxlength": plan.LONGEST_TITLE, "autocomplete": "off"},
    )
    rule = RadioField(_l("How often"), choices=list(RULE_LABELS.items()), default=ONCE)
    way = RadioField(_l("Where friends draw"), choices=list(WAY_LABELS.items()), default=PAGE)
    first_day = DateField(_l("First day"), [validators.Optional()])
    last_day = DateField(_l("Last day"), [validators.Optional()])
    prizes = PrizesField(_l("Prizes"))
    terms = TextAreaField(_l("Terms"), filters=[stripped], render_kw={"rows": 3})
    code = StringField(
        _l("Short name"),
        filters=[stripped],
        description=_l("For shop files, such as open2026. Empty: made up."),
        render_kw={"maxlength": 40, "autocomplete": "off", "spellcheck": "false"},
    )

    def __init__(
        self, formdata: Any = None, obj: Lottery | None = None, prefix: str = "", **values: Any
    ) -> None:
        values = {**(values_of(obj) if obj is not None else {}), **values}
        super().__init__(formdata, None, prefix, **values)
        self._obj = obj

    def plan(self) -> Plan:
        """The decisions that were typed, before any rule has looked at them."""
        starts, ends = whole_days(self.first_day.data, self.last_day.data, settings.shop_zone())
        return Plan(
            title=self.title.data or "",
            prizes=self.prizes.plans(),
            rule=self.rule.data or "",
            way=self.way.data or "",
            starts_at=starts,
            ends_at=ends,
            terms=self.terms.data or "",
            code=self.code.data or "",
        )

    def refuse(self, error: DomainError) -> bool:
        """Put a refusal beside the field this form has for it."""
        field = error.field or ""
        return super().refuse(DomainError(error.message, field=NAMES.get(field, field)))

    def keep_drawn(self, lottery: Lottery) -> None:
        """Odds, coupons and rule stay once somebody has drawn: posts of them are ignored."""
        stored = values_of(lottery)
        self.rule.data = stored["rule"]
        self.rule.render_kw = {"disabled": True}
        typed = self.prizes.data
        self.prizes.data = [
            row | {key: typed[place][key] for key in ("name", "stock") if place < len(typed)}
            for place, row in enumerate(stored["prizes"])
        ]


def values_of(lottery: Lottery) -> dict[str, Any]:
    """A lottery in the form's terms."""
    starts, ends = lottery.starts_at, lottery.ends_at
    return {
        "title": lottery.title,
        "rule": lottery.rule,
        "way": lottery.way,
        "first_day": None if starts is None else local(starts).date(),
        "last_day": None if ends is None else benefits.last_day(ends),
        "prizes": [_row(PrizePlan.of(prize)) for prize in prizes_of(lottery)],
        "terms": lottery.terms,
        "code": lottery.code,
    }


def _row(prize: PrizePlan) -> dict[str, Any]:
    return asdict(prize) | {"stock": "" if prize.stock is None else str(prize.stock)}


def _prize(number: int, row: dict[str, Any]) -> PrizePlan:
    stock = row["stock"].replace(",", "")
    if stock and not (stock.isascii() and stock.isdigit()):
        raise DomainError(
            _l("Prize %(number)s: its stock is a whole number.", number=number), field="prizes"
        )
    return PrizePlan(
        name=row["name"],
        coupon=row["coupon"],
        percent=row["percent"],
        stock=int(stock) if stock else None,
        consolation=row["consolation"],
    )
