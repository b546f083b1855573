"""Forms of staff screens: our field types and the language of WTForms' own messages."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from babel.support import NullTranslations, Translations
from flask_admin.contrib.peewee.form import CustomModelConverter
from flask_admin.form import BaseForm
from peewee import AutoField, BigAutoField, CharField, Field, TextField
from wtforms import Form, fields, validators
from wtforms.i18n import messages_path

from lineadmin import i18n, settings
from lineadmin.db import JSONTextField, UTCDateTimeField
from lineadmin.errors import DomainError

# WTForms names its catalogue zh_TW; asked for zh_Hant_TW it would answer in simplified characters.
WTFORMS_LOCALES = {"zh_Hant_TW": "zh_TW", "ja": "ja"}


class _WTFormsWords:
    """Our own wording where a catalogue of ours has the sentence, else WTForms'."""

    def gettext(self, text: str) -> str:
        ours = i18n.translations(i18n.locale()).gettext(text)
        return ours if ours != text else str(_wtforms_catalogue(i18n.locale()).gettext(text))

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        return str(_wtforms_catalogue(i18n.locale()).ngettext(singular, plural, count))


@cache
def _wtforms_catalogue(locale: str) -> NullTranslations:
    name = WTFORMS_LOCALES.get(locale)
    if name is None:
        return NullTranslations()
    return Translations.load(messages_path(), [name], "wtforms")


class StaffForm(BaseForm):
    """The base of every form; its CSRF field is written by the templates (m.form_open, m.csrf)."""

    class Meta(BaseForm.Meta):
        def get_translations(self, form: Form) -> _WTFormsWords:
            return _WTFormsWords()

        def bind_field(self, form: Form, unbound_field: Any, options: dict[str, Any]) -> Any:
            given = unbound_field.kwargs.get("choices")
            if given is not None and not isinstance(given, dict):
                options = {**options, "choices": _as_choices(given)}
            return super().bind_field(form, unbound_field, options)

    def refuse(self, error: DomainError) -> bool:
        """Put a refusal beside the field it names; False where the form has no such field."""
        named = self._fields.get(error.field or "")
        if named is None:
            return False
        named.errors = [*named.errors, str(error)]
        return True


class MomentField(fields.DateTimeLocalField):
    """A moment typed on the shop's clock, an aware UTC moment in Python."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs["format"] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        super().__init__(label, validators, **kwargs)

    data: datetime | None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{i18n.local(self.data):%Y-%m-%dT%H:%M}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist or not valuelist[0]:
            self.data = None
            return
        super().process_formdata(valuelist)
        if self.data is not None:
            self.data = self.data.replace(tzinfo=settings.shop_zone()).astimezone(UTC)


class Converter(CustomModelConverter):
    """From Peewee fields to form fields: keys hidden, moments on the shop's clock."""

    def __init__(self, view: Any, additional: Any = None) -> None:
        super().__init__(view, additional)
        for key in (AutoField, BigAutoField):
            self.converters[key] = self.handle_pk
        self.converters[UTCDateTimeField] = self.handle_moment
        self.converters[JSONTextField] = self.handle_text
        self.defaults[TextField] = fields.TextAreaField

    def handle_moment(self, model: Any, field: Field, **kwargs: Any) -> tuple[str, Any]:
        kwargs.pop("widget", None)
        return field.name, MomentField(**kwargs)

    def handle_text(self, model: Any, field: Field, **kwargs: Any) -> tuple[str, Any]:
        return field.name, fields.TextAreaField(**kwargs)


def _as_choices(given: Any) -> Any:
    """Choices as WTForms wants them: it gives up taking the (value, label) pairs people write."""
    if callable(given):
        return lambda: _as_choices(given())
    return [
        one if isinstance(one, fields.SelectChoice) else fields.SelectChoice(*one)
        for one in ((one, one) if isinstance(one, str) else one for one in given)
    ]


def stripped(value: str | None) -> str | None:
    """A filter for text fields: no blanks around, and no NUL, which PostgreSQL keeps in no text."""
    return value.replace("\x00", "").strip() if isinstance(value, str) else value


def limit_of(field: CharField) -> validators.Length:
    """The longest text a column takes, as a validator."""
    return validators.Length(max=field.max_length)
