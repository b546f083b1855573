"""The form of a topic."""

from __future__ import annotations

from typing import Any

from wtforms import IntegerField, RadioField, SelectField, StringField, TextAreaField, validators

from lineadmin.admin.forms import StaffForm, stripped
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l
from lineadmin.topics import plan
from lineadmin.topics.models import Topic
from lineadmin.topics.plan import Plan
from lineadmin.topics.states import FREQUENCIES, WEEKLY


def _tags() -> list[tuple[str, str]]:
    rows = Tag.select(Tag.name).where(Tag.archived_at.is_null()).order_by(Tag.name)
    return [("", _("None")), *((row.name, row.name) for row in rows)]


class TopicForm(StaffForm):
    """What a manager fills in."""

    name = StringField(
        _l("Name"),
        [validators.InputRequired(), validators.Length(max=plan.LONGEST_NAME)],
        filters=[stripped],
        render_kw={"maxlength": plan.LONGEST_NAME, "autocomplete": "off"},
    )
    description = StringField(
        _l("Description"),
        [validators.Length(max=plan.LONGEST_DESCRIPTION)],
        filters=[stripped],
        description=_l("Friends read it on the card and on their page."),
        render_kw={"maxlength": plan.LONGEST_DESCRIPTION, "autocomplete": "off"},
    )
    frequency = RadioField(
        _l("How often it may be sent"), choices=list(FREQUENCIES.items()), default=WEEKLY
    )
    wording = TextAreaField(
        _l("Wording of the consent"),
        [validators.Length(max=plan.LONGEST_WORDING)],
        filters=[stripped],
        description=_l(
            "What friends agree to. Empty: made up from name and frequency. A change is a new "
            "version; who agreed before, agreed to the old one."
        ),
        render_kw={"rows": 3, "maxlength": plan.LONGEST_WORDING},
    )
    life_months = IntegerField(
        _l("Months until the consent runs out"),
        [validators.Optional(), validators.NumberRange(1, plan.MOST_MONTHS)],
        description=_l("Empty: it is good until she stops it."),
        render_kw={"inputmode": "numeric"},
    )
    tag = SelectField(
        _l("Tag kept in step"),
        [validators.Optional()],
        choices=_tags,
        validate_choice=False,
        description=_l("Subscribers get it, and lose it when they stop."),
    )
    code = StringField(
        _l("Short name"),
        filters=[stripped],
        description=_l("For shop files, such as menu2026. Empty: made up."),
        render_kw={"maxlength": 40, "autocomplete": "off", "spellcheck": "false"},
    )

    def __init__(
        self, formdata: Any = None, obj: Topic | None = None, prefix: str = "", **values: Any
    ) -> None:
        stored = {} if obj is None else Plan.of(obj).audited()
        super().__init__(formdata, None, prefix, **{**stored, **values})
        self._obj = obj

    def plan(self) -> Plan:
        """The decisions that were typed, before any rule has looked at them."""
        return Plan(
            name=self.name.data or "",
            description=self.description.data or "",
            frequency=self.frequency.data or "",
            wording=self.wording.data or "",
            life_months=self.life_months.data,
            tag=self.tag.data or "",
            code=self.code.data or "",
        )
