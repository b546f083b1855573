"""The forms of a tag: name, colour, kind, and what sets a dynamic one."""

from __future__ import annotations

from typing import Any

from wtforms import IntegerField, RadioField, SelectField, StringField, validators

from lineadmin import segments
from lineadmin.admin.condition_form import ConditionField
from lineadmin.admin.forms import StaffForm
from lineadmin.errors import DomainError
from lineadmin.friends import tags
from lineadmin.friends.models import Tag
from lineadmin.i18n import _, _l
from lineadmin.segments import tag_rules

LINKS, WHERE, DEED = "links", "where", "deed"
KIND_LABELS: dict[str, Any] = {
    tags.STATIC: _l("Static: set by people, forms and imports"),
    tags.DYNAMIC: _l("Dynamic: set by what friends do"),
}
HOW_LABELS: dict[str, Any] = {
    LINKS: _l("Links in messages: who opens one gets the tag"),
    WHERE: _l("Conditions: whoever they fit carries the tag"),
    DEED: _l("Something that happens: whoever does it carries the tag for some days"),
}


def _deeds() -> list[tuple[str, str]]:
    """Kinds of facts, and those about one coupon, tag or source by themselves."""
    facts = next(
        field
        for group in segments.catalogue()
        for field in group["fields"]
        if field["name"] == "fact"
    )
    choices = [("", _("Choose…"))]
    for subject in facts["subjects"]:
        choices.append((subject["key"], subject["label"]))
        for key, label in subject["choices"]:
            choices.append((f"{subject['key']}:{key}", f"{subject['label']}：{label}"))
    return choices


class TagForm(StaffForm):
    """A tag. The fields from `how` on are a dynamic tag's; a static one hides them."""

    name = StringField(
        _l("Tag"), [validators.InputRequired(), validators.Length(max=tags.LONGEST_NAME)]
    )
    color = StringField(_l("Colour"), default=tags.COLORS[0], render_kw={"type": "color"})
    how = RadioField(_l("What sets it"), choices=list(HOW_LABELS.items()), default=LINKS)
    deed = SelectField(_l("What happens"), choices=_deeds, validate_choice=False)
    days = IntegerField(
        _l("Days it lasts"),
        [validators.Optional(), validators.NumberRange(1, tag_rules.MOST_DAYS)],
        description=_l("After the last time. Empty: for good."),
    )
    where = ConditionField(_l("Conditions"), empty_is=_l("everyone"))

    def __init__(self, formdata: Any = None, obj: Tag | None = None, **kwargs: Any) -> None:
        if obj is not None:
            kwargs = {**_ruled(tag_rules.rule_of(obj.id)), **kwargs}
        super().__init__(formdata, obj, **kwargs)

    def rule(self) -> dict[str, Any] | None:
        """The rule in the form of the shop file; None where links alone set the tag.

        :raises DomainError: what the rule is about was not chosen
        """
        if self.how.data == LINKS:
            return None
        tree = self.where.data
        narrowed = tree is not None and self.where.tree != segments.EVERYONE
        if self.how.data == WHERE:
            if not narrowed:
                raise DomainError(_l("Add a condition first."), field="where")
            return {"where": tree}
        kind, _colon, about = (self.deed.data or "").partition(":")
        if not kind:
            raise DomainError(_l("Choose what has to happen."), field="deed")
        rule: dict[str, Any] = {"on": kind}
        if about:
            rule["about"] = about
        if self.days.data:
            rule["days"] = self.days.data
        return {**rule, "where": tree} if narrowed else rule


class NewTagForm(TagForm):
    """The kind is chosen once."""

    kind = RadioField(_l("Kind"), choices=list(KIND_LABELS.items()), default=tags.STATIC)


def _ruled(rule: dict[str, Any] | None) -> dict[str, Any]:
    """The values of the rule's fields."""
    if rule is None:
        return {"how": LINKS}
    if "on" not in rule:
        return {"how": WHERE, "where": rule["where"]}
    deed = f"{rule['on']}:{rule['about']}" if rule.get("about") else rule["on"]
    return {"how": DEED, "deed": deed, "days": rule.get("days"), "where": rule.get("where")}
