"""The form of a LINE coupon: LINE's own fields, in the words of staff."""

from __future__ import annotations

from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    StringField,
    TextAreaField,
    validators,
)

from lineadmin import settings
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.coupons.benefits import last_day
from lineadmin.coupons.offer import whole_days
from lineadmin.errors import DomainError
from lineadmin.i18n import _l, local
from lineadmin.line import limits
from lineadmin.line_coupons.offer import (
    DISCOUNT,
    PERCENTAGE,
    PRICE_LABELS,
    REWARD_LABELS,
    LineOffer,
    offer_of,
)

DIGITS = {"inputmode": "numeric", "class": "num"}
NAMES = {"starts_at": "first_day", "ends_at": "last_day"}


def _number(label: Any, **more: Any) -> IntegerField:
    return IntegerField(label, [validators.Optional()], render_kw=DIGITS, **more)


class LineCouponForm(StaffForm):
    """Fields of a reward or of a lottery that is not chosen are hidden by CSS."""

    title = StringField(
        _l("Name"),
        [validators.InputRequired()],
        filters=[stripped],
        render_kw={"maxlength": limits.COUPON_TITLE_UNITS, "autocomplete": "off"},
    )
    reward = RadioField(_l("Benefit"), choices=list(REWARD_LABELS.items()), default=DISCOUNT)
    price = RadioField(_l("How much"), choices=list(PRICE_LABELS.items()), default=PERCENTAGE)
    value = _number(_l("Percent or amount"))
    price_before = _number(_l("Price before"))
    price_after = _number(_l("Price after"))
    first_day = DateField(_l("First day"), [validators.Optional()])
    last_day = DateField(_l("Last day"), [validators.Optional()])
    lottery = BooleanField(_l("Draw lots: only some friends win it"))
    probability = _number(_l("Chance to win (percent)"))
    most_winners = _number(_l("At most … winners"))
    use_once = BooleanField(_l("Can be used once only"), default=True)
    public = BooleanField(_l("Also show it in LINE's own services"))
    coupon_code = StringField(
        _l("Coupon code"),
        filters=[stripped],
        render_kw={"maxlength": limits.COUPON_CODE_UNITS, "autocomplete": "off"},
    )
    description = TextAreaField(_l("Description"), filters=[stripped], render_kw={"rows": 3})
    usage_condition = StringField(
        _l("Condition for its use"),
        filters=[stripped],
        render_kw={"maxlength": limits.COUPON_USAGE_UNITS},
    )
    image_url = StringField(_l("Picture (https address)"), filters=[stripped])

    def offer(self) -> LineOffer:
        """The decisions that were typed, before any rule has looked at them."""
        starts, ends = whole_days(self.first_day.data, self.last_day.data, settings.shop_zone())
        return LineOffer(
            title=self.title.data or "",
            starts_at=starts,
            ends_at=ends,
            reward=self.reward.data or "",
            price=self.price.data or "",
            value=self.value.data,
            price_before=self.price_before.data,
            price_after=self.price_after.data,
            description=self.description.data or "",
            usage_condition=self.usage_condition.data or "",
            coupon_code=self.coupon_code.data or "",
            image_url=self.image_url.data or "",
            lottery=bool(self.lottery.data),
            probability=self.probability.data,
            most_winners=self.most_winners.data,
            use_once=bool(self.use_once.data),
            public=bool(self.public.data),
        )

    def refuse(self, error: DomainError) -> bool:
        """Put a refusal beside the field this form has for it."""
        field = error.field or ""
        return super().refuse(DomainError(error.message, field=NAMES.get(field, field)))


def values_of(definition: dict[str, Any]) -> dict[str, Any]:
    """A draft in the form's terms."""
    offer = offer_of(definition)
    if offer is None or offer.starts_at is None or offer.ends_at is None:
        return {}
    days = {"first_day": local(offer.starts_at).date(), "last_day": last_day(offer.ends_at)}
    return vars(offer) | days
