"""The form of a coupon: what a manager fills in, and the offer it stands for."""

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
from lineadmin.admin.condition_form import ConditionField
from lineadmin.admin.coupon_picture import PictureFields, picture_values
from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.coupons import benefits, offer
from lineadmin.coupons.models import Coupon
from lineadmin.coupons.offer import Offer, whole_days
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, local

DAYS, DATES = "days", "dates"
VALIDITY_LABELS = {DATES: _l("Fixed dates"), DAYS: _l("Counted from getting it")}
# The form's name for what the rules call otherwise.
NAMES = {
    "benefit_text": "gift",
    "valid_from": "first_day",
    "valid_until": "last_day",
}
PROMISED = ("benefit", "percent", "amount", "gift", "code_kind", "shared_code")

AFTER = ("after_tags", "after_messages", "after_content_id")

# No benefit of a coupon: a choice that leads to the set-up of a lottery, with what both have.
LOTTERY = "lottery"
CARRIED = ("title", "terms", "first_day", "last_day")

DIGITS = {"inputmode": "numeric", "class": "num"}


def _number(label: Any, **more: Any) -> IntegerField:
    return IntegerField(label, [validators.Optional()], render_kw=DIGITS, **more)


class CouponForm(PictureFields, StaffForm):
    """Each kind of benefit and of validity has fields of its own; the others are hidden by CSS."""

    title = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=offer.LONGEST_TITLE)],
        filters=[stripped],
        render_kw={"maxlength": offer.LONGEST_TITLE, "autocomplete": "off"},
    )
    benefit = RadioField(
        _l("Benefit"), choices=lambda: list(benefits.labels().items()), default=benefits.PERCENT
    )
    percent = _number(_l("Percentage"))
    amount = _number(_l("Amount (NT$)"))
    gift = StringField(_l("What is the gift?"), filters=[stripped])
    minimum_spend = _number(_l("Minimum spend (NT$)"))
    validity = RadioField(_l("Validity"), choices=list(VALIDITY_LABELS.items()), default=DAYS)
    valid_days = _number(_l("Days"), default=7)
    first_day = DateField(_l("First day"), [validators.Optional()])
    last_day = DateField(_l("Last day"), [validators.Optional()])
    stock = _number(_l("How many"), description=_l("Empty: without limit."))
    per_friend = _number(_l("Per friend"), default=1)
    per_day = _number(_l("Per day"))
    who = ConditionField(_l("Who may have it"), empty_is=_l("everybody"))
    friends_only = BooleanField(_l("Current friends only"), default=True)
    code_kind = RadioField(
        _l("Code friends show"), choices=list(offer.CODE_LABELS.items()), default=offer.OWN
    )
    shared_code = StringField(
        _l("Shared code"),
        filters=[stripped],
        render_kw={"maxlength": offer.LONGEST_SHARED_CODE, "autocomplete": "off"},
    )
    redeem = RadioField(
        _l("How it is used"), choices=list(offer.REDEEM_LABELS.items()), default=offer.STAFF
    )
    pin = StringField(
        _l("Shop PIN"),
        filters=[stripped],
        render_kw={"inputmode": "numeric", "maxlength": 8, "class": "num", "autocomplete": "off"},
    )
    terms = TextAreaField(_l("Terms"), filters=[stripped], render_kw={"rows": 3})
    code = StringField(
        _l("Short name"),
        filters=[stripped],
        description=_l("For shop files and conditions, such as bento20. Empty: made up."),
        render_kw={"maxlength": 40, "autocomplete": "off", "spellcheck": "false"},
    )

    def __init__(
        self, formdata: Any = None, obj: Coupon | None = None, prefix: str = "", **values: Any
    ) -> None:
        values = {**(values_of(obj) if obj is not None else {}), **values}
        super().__init__(formdata, None, prefix, **values)
        self._obj = obj

    def offer(self, known: Coupon | None = None, *, keep: bool = False) -> Offer:
        """The decisions that were typed, before any rule has looked at them.

        :param known: the coupon that is edited: what has a screen of its own stays as it is there
        :param keep: store the picture, too (a save, not a sketch)
        """
        after = {} if known is None else {name: getattr(known, name) for name in AFTER}
        if keep:
            self.take_file()
        picture = self.keep_picture(known) if keep else {}
        kind = self.benefit.data
        value = self.percent.data if kind == benefits.PERCENT else self.amount.data
        days = self.validity.data == DAYS
        starts, ends = whole_days(self.first_day.data, self.last_day.data, settings.shop_zone())
        if days and self.valid_days.data is None:
            raise DomainError(_l("Enter the number of days."), field="valid_days")
        return Offer(
            title=self.title.data or "",
            benefit=kind or "",
            benefit_value=None if value is None else float(value),
            benefit_text=self.gift.data or "",
            minimum_spend=self.minimum_spend.data or 0,
            valid_days=self.valid_days.data if days else None,
            valid_from=None if days else starts,
            valid_until=None if days else ends,
            stock=self.stock.data,
            per_friend=1 if self.per_friend.data is None else self.per_friend.data,
            redeem=self.redeem.data or "",
            pin=self.pin.data or "",
            terms=self.terms.data or "",
            code=self.code.data or "",
            per_day=self.per_day.data,
            who=self.who.data,
            friends_only=bool(self.friends_only.data),
            code_kind=self.code_kind.data or "",
            shared_code=self.shared_code.data or "",
            **picture,
            **after,
        )

    def sketch(self) -> Coupon:
        """A coupon for the preview, whatever state the form is in."""
        try:
            columns = self.offer().columns()
        except DomainError:
            columns = {"title": "", "benefit": benefits.PERCENT, "valid_days": 7}
        if columns["benefit"] not in benefits.KINDS:
            columns["benefit"] = benefits.PERCENT
        if columns["benefit"] == benefits.PERCENT:
            columns["benefit_value"] = min(100.0, max(0.0, columns.get("benefit_value") or 0.0))
        if (columns.get("valid_days") or 0) > offer.MOST_DAYS:
            columns["valid_days"] = offer.MOST_DAYS
        columns.pop("who", None)
        columns["title"] = columns["title"] or _("Name of the coupon")
        columns["benefit_text"] = columns.get("benefit_text") or _("Gift")
        return Coupon(**columns)

    def refuse(self, error: DomainError) -> bool:
        """Put a refusal beside the field this form has for it."""
        field = error.field or ""
        if field == "benefit_value":
            field = "percent" if self.benefit.data == benefits.PERCENT else "amount"
        return super().refuse(DomainError(error.message, field=NAMES.get(field, field)))

    def offer_lottery(self) -> None:
        """Let a lottery be chosen, too, where it is not settled yet what this will be."""
        self.benefit.choices = [*self.benefit.choices, (LOTTERY, _("Lottery"))]

    def keep_promises(self, coupon: Coupon) -> None:
        """Show what friends were promised without letting it be typed; posts are ignored."""
        stored = values_of(coupon)
        for name in PROMISED:
            field = self[name]
            field.data, field.raw_data, field.errors = stored[name], None, []
            field.render_kw = {**(field.render_kw or {}), "disabled": True}


def values_of(coupon: Coupon) -> dict[str, Any]:
    """A coupon in the form's terms."""
    percent = coupon.benefit == benefits.PERCENT
    value = None if coupon.benefit_value is None else int(coupon.benefit_value)
    starts, ends = coupon.valid_from, coupon.valid_until
    return {
        "title": coupon.title,
        "benefit": coupon.benefit,
        "percent": value if percent else None,
        "amount": None if percent else value,
        "gift": coupon.benefit_text,
        "minimum_spend": coupon.minimum_spend or None,
        "validity": DATES if coupon.valid_days is None else DAYS,
        "valid_days": coupon.valid_days,
        "first_day": None if starts is None else local(starts).date(),
        "last_day": None if ends is None else benefits.last_day(ends),
        "stock": coupon.stock,
        "per_friend": coupon.per_friend,
        "per_day": coupon.per_day,
        "who": coupon.who,
        "friends_only": coupon.friends_only,
        "code_kind": coupon.code_kind,
        "shared_code": coupon.shared_code,
        **picture_values(coupon),
        "redeem": coupon.redeem,
        "pin": coupon.pin,
        "terms": coupon.terms,
        "code": coupon.code,
    }
