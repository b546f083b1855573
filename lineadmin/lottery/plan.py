"""What people decide about a lottery, and the rules every such decision has to meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from lineadmin.coupons.models import Coupon
from lineadmin.coupons.offer import SHORT_NAME
from lineadmin.coupons.states import CLOSED as COUPON_CLOSED
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, format_count
from lineadmin.lottery.chance import SCALE
from lineadmin.lottery.models import Lottery, LotteryPrize
from lineadmin.lottery.states import ONCE, PAGE, RULE_LABELS, WAY_LABELS

MOST_PRIZES = 10
LONGEST_TITLE = 60
LONGEST_NAME = 40
LONGEST_TERMS = 2_000
MOST_STOCK = 10_000_000


@dataclass(frozen=True)
class PrizePlan:
    """One prize. `percent` is written as a number with at most four decimals: "0.5", "12"."""

    name: str
    coupon: str  # the coupon's short name
    percent: str
    stock: int | None = None
    consolation: bool = False

    @classmethod
    def of(cls, prize: LotteryPrize) -> PrizePlan:
        """The decisions behind a stored prize."""
        return cls(
            prize.name,
            prize.coupon.code,
            percent_text(prize.odds),
            prize.stock,
            prize.consolation,
        )


@dataclass(frozen=True)
class Plan:
    """Everything about a lottery that is decided by people. An empty code is made up."""

    title: str
    prizes: tuple[PrizePlan, ...]
    rule: str = ONCE  # once | daily
    way: str = PAGE  # page | chat
    starts_at: datetime | None = None
    ends_at: datetime | None = None  # exclusive
    terms: str = ""
    code: str = ""

    @classmethod
    def of(cls, lottery: Lottery, prizes: Sequence[LotteryPrize]) -> Plan:
        """The decisions behind a lottery."""
        return cls(
            title=lottery.title,
            prizes=tuple(PrizePlan.of(prize) for prize in prizes),
            rule=lottery.rule,
            way=lottery.way,
            starts_at=lottery.starts_at,
            ends_at=lottery.ends_at,
            terms=lottery.terms,
            code=lottery.code,
        )

    def columns(self) -> dict[str, Any]:
        """As the lottery's row stores them; the prizes have rows of their own."""
        values = asdict(self)
        del values["prizes"]
        return values

    def audited(self) -> dict[str, Any]:
        """As the audit log keeps them."""
        return {
            **self.columns(),
            "prizes": [
                f"{prize.name} {prize.percent}% × {'∞' if prize.stock is None else prize.stock}"
                for prize in self.prizes
            ],
        }


@dataclass(frozen=True)
class Checked:
    """A prize whose values are right."""

    name: str
    coupon: Coupon
    odds: int
    stock: int | None
    consolation: bool


def percent_text(odds: int) -> str:
    """Millionths as percent: 5000 as 0.5."""
    return f"{(Decimal(odds) / (SCALE // 100)).normalize():f}"


def millionths(percent: str) -> int | None:
    """Percent as millionths; None where it is no number of at most four decimals from 0 to 100."""
    try:
        odds = Decimal(percent.strip().rstrip("%％")) * (SCALE // 100)
    except InvalidOperation:
        return None
    if not odds.is_finite() or odds != odds.to_integral_value() or not 0 <= odds <= SCALE:
        return None
    return int(odds)


def checked(plan: Plan) -> tuple[Plan, list[Checked]]:
    """The plan without stray spaces, and its prizes.

    :raises DomainError: names the field and what is wrong with it
    """
    tidy = Plan(
        title=" ".join(plan.title.split()),
        prizes=plan.prizes,
        rule=plan.rule,
        way=plan.way,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        terms=plan.terms.strip().replace("\r\n", "\n"),
        code=plan.code.strip(),
    )
    _check_words(tidy)
    if tidy.rule not in RULE_LABELS:
        raise DomainError(_l("Choose how often a friend may draw."), field="rule")
    if tidy.way not in WAY_LABELS:
        raise DomainError(_l("Choose where friends draw."), field="way")
    if tidy.starts_at is not None and tidy.ends_at is not None and tidy.starts_at >= tidy.ends_at:
        raise DomainError(_l("The last day is before the first one."), field="ends_at")
    return tidy, _check_prizes(tidy.prizes)


def _check_words(plan: Plan) -> None:
    if not plan.title:
        raise DomainError(_l("Give the lottery a name."), field="title")
    if len(plan.title) > LONGEST_TITLE:
        raise DomainError(_("At most %(count)s characters.", count=LONGEST_TITLE), field="title")
    if plan.code and not SHORT_NAME.fullmatch(plan.code):
        raise DomainError(
            _l("A short name has up to 40 letters, digits, - and _, such as bento20."),
            field="code",
        )
    if len(plan.terms) > LONGEST_TERMS:
        raise DomainError(
            _("At most %(count)s characters.", count=format_count(LONGEST_TERMS)), field="terms"
        )


def _check_prizes(prizes: Sequence[PrizePlan]) -> list[Checked]:
    if not prizes:
        raise DomainError(_l("A lottery needs at least one prize."), field="prizes")
    if len(prizes) > MOST_PRIZES:
        raise DomainError(_("At most %(count)s prizes.", count=MOST_PRIZES), field="prizes")
    found = [_check_prize(number, prize) for number, prize in enumerate(prizes, start=1)]
    total = sum(prize.odds for prize in found)
    if total > SCALE:
        raise DomainError(
            _(
                "The odds add up to %(percent)s%%; they may be 100%% at most. What is left over "
                "wins nothing.",
                percent=percent_text(total),
            ),
            field="prizes",
        )
    if sum(prize.consolation for prize in found) > 1:
        raise DomainError(_l("Only one prize can be the consolation prize."), field="prizes")
    return found


def _check_prize(number: int, prize: PrizePlan) -> Checked:
    name = " ".join(prize.name.split())
    odds = millionths(prize.percent)
    coupon = Coupon.get_or_none(Coupon.code == prize.coupon)
    wrong: Any = None
    if not name:
        wrong = _l("give it a name")
    elif len(name) > LONGEST_NAME:
        wrong = _("its name has at most %(count)s characters", count=LONGEST_NAME)
    elif coupon is None:
        wrong = _l("choose the coupon the winner gets")
    elif coupon.state == COUPON_CLOSED:
        wrong = _("the coupon “%(title)s” is closed", title=coupon.title)
    elif odds is None:
        wrong = _l("its odds are a number of percent from 0 to 100, such as 0.5")
    elif prize.stock is not None and not 0 <= prize.stock <= MOST_STOCK:
        wrong = _("its stock is a whole number up to %(count)s", count=format_count(MOST_STOCK))
    if wrong is not None or coupon is None or odds is None:
        raise DomainError(
            _("Prize %(number)s: %(wrong)s.", number=number, wrong=wrong), field="prizes"
        )
    return Checked(name, coupon, odds, prize.stock, prize.consolation)
