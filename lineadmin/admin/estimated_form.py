"""The part of a broadcast's form that says whom LINE is to choose by its estimates."""

from __future__ import annotations

from typing import Any

from wtforms import (
    BooleanField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    validators,
    widgets,
)

from lineadmin.admin.forms import StaffForm
from lineadmin.audiences import usable
from lineadmin.audiences.actions import THERE
from lineadmin.audiences.models import LineAudience
from lineadmin.broadcasts import estimated as language
from lineadmin.friends.regions import GENDERS, REGIONS, SYSTEMS
from lineadmin.i18n import _, _l, _n, format_count

# Where the value has it -> the field of the form.
PLACES = {
    "gender": "est_gender",
    "age": "est_age_until",
    "friend_days": "est_days_until",
    "regions": "est_regions",
    "os": "est_os",
    "audiences": "est_audiences",
    "without": "est_without",
    "most": "est_most",
}


class Ticked(SelectMultipleField):
    """Ticked boxes."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


def _any(words: Any, codes: Any) -> list[tuple[str, Any]]:
    return [("", _l("Any")), *((code, words[code]) for code in codes)]


def _steps(steps: tuple[int, ...], word: Any) -> list[tuple[str, Any]]:
    return [("", word), *((str(one), format_count(one)) for one in steps)]


def _audiences() -> list[tuple[str, str]]:
    return [(row.name, _told(row)) for row in usable.choices()]


def _told(row: LineAudience) -> str:
    """An audience with how many LINE counts in it, and why it cannot be used where it can't."""
    if row.status != usable.READY or row.state != THERE:
        return _("%(name)s (not ready at LINE)", name=row.name)
    if usable.is_too_small(row):
        return _("%(name)s (too few people)", name=row.name)
    if row.members is None:
        return str(row.name)
    people = _n("%(count)s person", "%(count)s people", row.members)
    return _("%(name)s (%(people)s)", name=row.name, people=people)


class EstimatedFields(StaffForm):
    """Everything is optional; what is left open does not narrow it down."""

    est_gender = SelectField(
        _l("Gender"), [validators.Optional()], choices=_any(GENDERS, ("female", "male"))
    )
    est_age_from = SelectField(
        _l("Age from"),
        [validators.Optional()],
        choices=lambda: _steps(language.AGES, _("no lower end")),
    )
    est_age_until = SelectField(
        _l("Age below"),
        [validators.Optional()],
        choices=lambda: _steps(language.AGES, _("no upper end")),
    )
    est_os = SelectField(
        _l("Phone"), [validators.Optional()], choices=_any(SYSTEMS, language.APP_TYPES)
    )
    est_days_from = SelectField(
        _l("Friend for at least (days)"),
        [validators.Optional()],
        choices=lambda: _steps(language.FRIEND_DAYS, _("no lower end")),
    )
    est_days_until = SelectField(
        _l("Friend for less than (days)"),
        [validators.Optional()],
        choices=lambda: _steps(language.FRIEND_DAYS, _("no upper end")),
    )
    est_regions = Ticked(_l("Region"), choices=list(REGIONS.items()), validate_choice=False)
    est_audiences = Ticked(_l("In one of these LINE audiences"), choices=_audiences)
    est_without = Ticked(_l("But in none of these LINE audiences"), choices=_audiences)
    est_most = IntegerField(
        _l("At most so many people"),
        [validators.Optional(), validators.NumberRange(language.LEAST_RECIPIENTS, 2**31 - 1)],
        description=_l("LINE then picks by chance. Empty: everybody who fits."),
    )
    est_up_to = BooleanField(
        _l("Fewer people are fine if the month runs out"),
        description=_l("Otherwise nobody gets it before enough messages are left."),
    )

    def estimated(self) -> dict[str, Any]:
        """The value as broadcasts keep it.

        :raises DomainError: naming the field that cannot be
        """
        ranges = {
            "age": (self.est_age_from.data, self.est_age_until.data),
            "friend_days": (self.est_days_from.data, self.est_days_until.data),
        }
        raw: dict[str, Any] = {
            "gender": self.est_gender.data or None,
            "regions": self.est_regions.data,
            "os": [self.est_os.data] if self.est_os.data else None,
            "audiences": self.est_audiences.data,
            "without": self.est_without.data,
            "most": self.est_most.data,
            "up_to_remaining": bool(self.est_up_to.data),
        }
        for key, ends in ranges.items():
            named = zip(("from", "until"), ends, strict=True)
            raw[key] = {name: int(end) for name, end in named if end}
        try:
            return language.parse(raw)
        except language.EstimatedError as error:
            error.field = PLACES.get(str(error.path[0])) if error.path else None
            raise


def estimated_choice(estimated: dict[str, Any]) -> dict[str, Any]:
    """How the form draws a stored value."""
    age, days = estimated.get("age", {}), estimated.get("friend_days", {})
    return {
        "est_gender": estimated.get("gender", ""),
        "est_age_from": str(age.get("from", "")),
        "est_age_until": str(age.get("until", "")),
        "est_days_from": str(days.get("from", "")),
        "est_days_until": str(days.get("until", "")),
        "est_os": (estimated.get("os") or [""])[0] if len(estimated.get("os", ())) < 2 else "",
        "est_regions": estimated.get("regions", []),
        "est_audiences": estimated.get("audiences", []),
        "est_without": estimated.get("without", []),
        "est_most": estimated.get("most"),
        "est_up_to": estimated.get("up_to_remaining", False),
    }
