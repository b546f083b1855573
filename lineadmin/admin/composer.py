"""Writing messages: a form field with the parts of a message and the phone beside it.

`parts = PartsField(_l("Messages"))` in a form, `{{ form.parts() }}` in its template; the form's
`parts.data` is the JSON form of the parts (messages/parts.py), `parts.parts` the parts themselves.
What staff wrote survives every error.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import render_template
from markupsafe import Markup
from wtforms import Field, Form, ValidationError

from lineadmin import clock, config, settings
from lineadmin.admin.base import current_staff
from lineadmin.admin.friend_answer import price_of_one
from lineadmin.coupons.queries import pickable
from lineadmin.friends.models import Tag
from lineadmin.friends.tags import DYNAMIC
from lineadmin.i18n import _
from lineadmin.line import limits
from lineadmin.line_coupons import actions as line_coupons
from lineadmin.lottery import queries as lotteries
from lineadmin.members.pages import PAGES
from lineadmin.messages import films, rich, uploads
from lineadmin.messages.check import Problem, check_parts, located
from lineadmin.messages.names import FALLBACK
from lineadmin.messages.parts import Part, PartsError, dump_parts, parse_parts
from lineadmin.messages.preview import SAMPLE_NAME, preview, problem_of
from lineadmin.messages.references import look_up
from lineadmin.messages.stickers import PACKS
from lineadmin.surveys import queries as surveys
from lineadmin.topics import queries as topics

OPT_OUT = "opt_out"  # the postback that inbox/dispatch.py reads as 不再通知


class PartsWidget:
    """Draws the whole composer: parts, quick replies, phone."""

    def __call__(self, field: PartsField, **_attributes: Any) -> Markup:
        shown = preview(
            field.json_form,
            now=clock.now(),
            public_url=config.current().public_url,
            variables=field.variables,
        )
        return Markup(  # noqa: S704 - our own template, which escapes
            render_template(
                "admin/_composer.html",
                field=field,
                state=_state(field, shown.to_json()),
                coupons=pickable(clock.now()),
                lotteries=lotteries.pickable(),
                topics=topics.live(),
                my_pages=PAGES.values(),
                surveys=surveys.pickable(clock.now()),
                line_coupons=line_coupons.sendable(clock.wall()),
                packs=PACKS,
                limits=limits,
                shop_name=settings.shop().name,
                messages=shown.messages,
                sample_name=SAMPLE_NAME,
                fallback=FALLBACK,
                problem_texts=[located(problem) for problem in field.problems],
            )
        )


class PartsField(Field):
    """The parts of a message. With `required=False` an empty composer means no message at all; with
    `variables=True` it is a template in which words in braces are filled in later."""

    widget = PartsWidget()
    data: list[dict[str, Any]]

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        required: bool = True,
        variables: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.required = required
        self.variables = variables
        self.parts: list[Part] = []
        self.problems: list[Problem] = []
        self.json_form: Any = []  # what the browser sent, also when it cannot be read

    def process_data(self, value: Any) -> None:
        """`value`: parts, or their JSON form."""
        listed = list(value or [])
        self.json_form = dump_parts(listed) if listed and isinstance(listed[0], Part) else listed
        self.parts = parse_parts(self.json_form)
        self.data = dump_parts(self.parts)

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.parts, self.data, self.problems = [], [], []
        try:
            self.json_form = json.loads(valuelist[0] or "[]")
            self.parts = parse_parts(self.json_form)
        except PartsError as error:
            self.problems = [problem_of(error)]
            raise ValueError(str(error)) from None
        except (ValueError, RecursionError):
            self.json_form = []
            raise ValueError(_("The message could not be read. Please write it again.")) from None
        self.data = dump_parts(self.parts)

    def pre_validate(self, form: Form) -> None:
        """Everything LINE would refuse, beside the part it concerns."""
        if self.process_errors or (not self.parts and not self.required):
            return
        self.problems = check_parts(
            self.parts,
            references=look_up(self.parts),
            now=clock.now(),
            public_url=config.current().public_url,
            variables=self.variables,
        )
        if self.problems:
            raise ValidationError(located(self.problems[0]))


def summary_of(problems: Sequence[Problem]) -> list[str]:
    """The problems as sentences with their places, for an error list."""
    return [located(problem) for problem in problems]


def _state(field: PartsField, shown: dict[str, Any]) -> dict[str, Any]:
    """What composer.js starts from."""
    parts = field.json_form if isinstance(field.json_form, list) else []
    linked = current_staff().friend_id is not None
    return {
        "parts": [part for part in parts if isinstance(part, dict)],
        "shown": shown,
        # After a refused save every problem shows at once, otherwise as staff leave each field.
        "refused": bool(field.problems),
        "optional": not field.required,
        "limits": {
            "bubbles": limits.MESSAGES_PER_REQUEST,
            "text": limits.TEXT_UNITS,
            "replies": limits.QUICK_REPLIES,
            "file": uploads.FILE_BYTES,
            "film": films.FILE_BYTES,
            "cards": limits.FLEX_CAROUSEL_BUBBLES,
            "rich": {
                "width": rich.WIDTH,
                "lowest": rich.HEIGHT_LOWEST,
                "highest": rich.HEIGHT_HIGHEST,
            },
        },
        "linked": linked,
        "price": price_of_one(clock.now()) if linked else "",
        "fallback": FALLBACK,
        "sample": SAMPLE_NAME,
        "optOut": OPT_OUT,
        "stickerPictures": not config.current().line_is_loopback,
        "tags": _dynamic_tags(),
        "packs": [{"package": pack.package_id, "ids": pack.sticker_ids} for pack in PACKS],
    }


def _dynamic_tags() -> list[str]:
    """Tags a link may add: those that people do not set by hand."""
    rows = Tag.select(Tag.name).where(Tag.kind == DYNAMIC, Tag.archived_at.is_null())
    return [row.name for row in rows.order_by(Tag.name)]
