"""What starts a sequence, as a form and in words."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import RadioField, SelectField, SelectMultipleField, ValidationError, widgets

from lineadmin.admin.forms import StaffForm
from lineadmin.admin.sequence_forms import WholeField
from lineadmin.admin.sequence_stop import goods, keep_choice
from lineadmin.coupons.queries import pickable
from lineadmin.friends.fields import DATE as DATE_FIELD
from lineadmin.friends.models import Field, Source, Tag
from lineadmin.i18n import _, _l
from lineadmin.segments.about_friend import UNKNOWN_SOURCE
from lineadmin.segments.models import Segment
from lineadmin.sequences.definition import (
    ANY,
    BIRTHDAY,
    COUPON_REDEEMED,
    DATE,
    FOLLOW,
    MANUAL,
    PURCHASE,
    SEGMENT,
    SURVEY_ANSWERED,
    TAG_ADDED,
    Trigger,
    check_offset,
)
from lineadmin.surveys.models import Survey

CHOSEN = "chosen"
BEFORE, ON, AFTER = "before", "on", "after"


def _sources() -> list[tuple[str, Any]]:
    rows = Source.select().where(Source.archived_at.is_null()).order_by(Source.name)
    return [*((row.code, row.name) for row in rows), (UNKNOWN_SOURCE, _("Unknown source"))]


def _tags() -> list[tuple[str, Any]]:
    rows = Tag.select().where(Tag.archived_at.is_null()).order_by(Tag.name)
    return [("", _("Choose a tag")), *((row.name, row.name) for row in rows)]


def _coupons() -> list[tuple[str, Any]]:
    return [("", _("Choose a coupon")), *((one.code, one.title) for one in pickable())]


def _surveys() -> list[tuple[str, Any]]:
    rows = Survey.select().where(Survey.archived_at.is_null()).order_by(Survey.title)
    return [("", _("Choose a survey")), *((row.code, row.title) for row in rows)]


def _segments() -> list[tuple[str, Any]]:
    rows = Segment.select().where(Segment.archived_at.is_null()).order_by(Segment.name)
    return [("", _("Choose a segment")), *((row.name, row.name) for row in rows)]


def _dates() -> list[tuple[str, Any]]:
    rows = Field.select().where(Field.type == DATE_FIELD).order_by(Field.position, Field.id)
    return [(BIRTHDAY, _("Birthday")), *((row.key, row.name) for row in rows)]


class NamedField(SelectField):
    """A choice that keeps what was chosen even where it has been archived since."""

    def pre_validate(self, form: Any) -> None:
        """Publishing says what does not exist any more."""


class TriggerForm(StaffForm):
    """What starts it; only what belongs to the chosen kind counts."""

    who = RadioField(
        _l("Who starts"),
        choices=[
            (ANY, _l("Everybody who adds the account")),
            (CHOSEN, _l("Friends who come from chosen sources")),
            (TAG_ADDED, _l("Whoever gets a tag")),
            (COUPON_REDEEMED, _l("Whoever redeems a coupon")),
            (PURCHASE, _l("Whoever buys something")),
            (SURVEY_ANSWERED, _l("Whoever answers a survey")),
            (DATE, _l("Everybody on a day of her own, such as her birthday")),
            (SEGMENT, _l("Whoever is in a segment")),
            (MANUAL, _l("Only whom staff put in by hand")),
        ],
        default=ANY,
    )
    sources = SelectMultipleField(
        _l("Sources"),
        choices=_sources,
        option_widget=widgets.CheckboxInput(),
        widget=widgets.ListWidget(prefix_label=False),
        validate_choice=False,
    )
    tag = NamedField(_l("Tag"), choices=_tags, default="")
    coupon = NamedField(_l("Coupon"), choices=_coupons, default="")
    purchase = NamedField(_l("What she buys"), choices=goods, default=ANY)
    survey = NamedField(_l("Survey"), choices=_surveys, default="")
    segment = NamedField(_l("Segment"), choices=_segments, default="")
    date_field = NamedField(_l("Which day"), choices=_dates, default=BIRTHDAY)
    side = SelectField(
        _l("Starts"),
        choices=[(BEFORE, _l("days before it")), (ON, _l("on the day")), (AFTER, _l("days after"))],
        default=ON,
    )
    days = WholeField(_l("Number of days"), check_offset, default=0)

    @classmethod
    def showing(cls, trigger: Trigger) -> TriggerForm:
        """The form of a trigger as it is."""
        days = trigger.offset_days
        pairs = [("who", trigger.kind), ("days", str(abs(days)))]
        pairs.append(("side", ON if not days else BEFORE if days < 0 else AFTER))
        if trigger.kind == FOLLOW:
            pairs[0] = ("who", ANY if trigger.sources is None else CHOSEN)
            pairs += [("sources", code) for code in trigger.sources or ()]
        names = {
            TAG_ADDED: "tag",
            COUPON_REDEEMED: "coupon",
            PURCHASE: "purchase",
            SURVEY_ANSWERED: "survey",
            SEGMENT: "segment",
        }
        if trigger.kind in names:
            pairs.append((names[trigger.kind], trigger.about))
        if trigger.kind == DATE:
            pairs.append(("date_field", trigger.about))
        form = cls(MultiDict(pairs))
        for name in (*names.values(), "date_field"):
            keep_choice(form[name])
        return form

    def validate_tag(self, field: Any) -> None:
        """A kind that is about something needs it chosen."""
        self._needed(TAG_ADDED, field, _("Choose a tag."))

    def validate_coupon(self, field: Any) -> None:
        """As above."""
        self._needed(COUPON_REDEEMED, field, _("Choose a coupon."))

    def validate_survey(self, field: Any) -> None:
        """As above."""
        self._needed(SURVEY_ANSWERED, field, _("Choose a survey."))

    def validate_segment(self, field: Any) -> None:
        """As above."""
        self._needed(SEGMENT, field, _("Choose a segment."))

    def validate_sources(self, field: Any) -> None:
        """As above."""
        if self.who.data == CHOSEN and not field.data:
            raise ValidationError(_("Choose at least one source, or any."))

    def _needed(self, kind: str, field: Any, sentence: str) -> None:
        if self.who.data == kind and not field.data:
            raise ValidationError(sentence)

    def raw(self) -> dict[str, Any]:
        """The trigger in the form of the shop file."""
        who = self.who.data
        if who == ANY:
            return {FOLLOW: ANY}
        if who == CHOSEN:
            return {FOLLOW: list(self.sources.data or [])}
        if who == MANUAL:
            return {MANUAL: True}
        if who == DATE:
            sign = {BEFORE: -1, ON: 0, AFTER: 1}[self.side.data]
            days = sign * abs(self.days.data or 0)
            return {DATE: {"field": self.date_field.data, "offset_days": days}}
        fields = {
            TAG_ADDED: self.tag,
            COUPON_REDEEMED: self.coupon,
            PURCHASE: self.purchase,
            SURVEY_ANSWERED: self.survey,
            SEGMENT: self.segment,
        }
        return {who: fields[who].data}


def trigger_sentence(trigger: Trigger) -> str:
    """ "Adds the account: 門市 QR、LINE Pay", for the trigger's card and the list."""
    if trigger.kind == MANUAL:
        return _("Is put in by hand")
    if trigger.kind == SEGMENT:
        return _("Is in the segment “%(name)s”", name=trigger.about)
    if trigger.kind == DATE:
        return _date_sentence(trigger)
    if trigger.kind == TAG_ADDED:
        return _("Gets the tag “%(name)s”", name=trigger.about)
    if trigger.kind == COUPON_REDEEMED:
        return _("Redeems the coupon %(code)s", code=trigger.about)
    if trigger.kind == SURVEY_ANSWERED:
        survey = Survey.get_or_none(Survey.code == trigger.about)
        name = trigger.about if survey is None else survey.title
        return _("Answers the survey “%(name)s”", name=name)
    if trigger.kind == PURCHASE:
        if trigger.about == ANY:
            return _("Buys something")
        return _("Buys “%(name)s”", name=trigger.about)
    if trigger.sources is None:
        return _("Adds the account, from anywhere")
    known = {row.code: row.name for row in Source.select(Source.code, Source.name)}
    known[UNKNOWN_SOURCE] = _("Unknown source")
    names = "、".join(str(known.get(code, code)) for code in trigger.sources)
    return _("Adds the account: %(sources)s", sources=names)


def _date_sentence(trigger: Trigger) -> str:
    field = Field.get_or_none(Field.key == trigger.about)
    known = _("Birthday") if trigger.about == BIRTHDAY else trigger.about
    name = known if field is None else field.name
    days = trigger.offset_days
    if days == 0:
        return _("Has her day: %(field)s", field=name)
    if days < 0:
        return _("%(days)s days before her day: %(field)s", days=-days, field=name)
    return _("%(days)s days after her day: %(field)s", days=days, field=name)
