"""Choosing friends: a form field that edits a condition tree, for any screen, many times a page.

In a form::

    where = ConditionField(_l("Who gets it"))           # must hold at least one condition
    where = ConditionField(_l("Whom"), empty_is=_l("everyone"))   # no condition means everyone

and in its template `{{ form.where() }}` (it draws its own errors, so not through `m.field`).
`form.where.data` is the tree in the form of the shop file (what actions take and rows store), None
where nothing was posted; `form.where.tree` the parsed one. Options: `without="name"` leaves one
saved segment out of the choices (a segment cannot lead to itself), `count=False` asks for no live
count. Every word, control and choice comes from the registry (segments/fields.py).

Without a form, for screens whose JSON is put together by a script of their own: write
`{{ condition_parts() }}` into the page once, and make or clone as many
`<condition-editor label="…">` elements as wanted. `editor.value` is the tree (read and write);
an "input" event on the element says that it changed; `editor.problems` lists what is still wrong
with it (`[{path, sentence}]`, as of the last answer) and `editor.showProblems()` marks them all.
The same elements may be drawn by the server inside a `<template>`, with `{{ condition_parts() }}`
outside of it.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response, abort, g, render_template, request
from flask_admin import expose
from markupsafe import Markup
from wtforms import Field, Form, ValidationError

from lineadmin import clock, segments, settings
from lineadmin.admin.base import AdminPage, needs
from lineadmin.i18n import _, _n, format_count
from lineadmin.segments.tree import AllOf, AnyOf, Leaf, Not, Tree, TreeError

ASKED_BYTES = 64 * 1024


def views() -> list[tuple[Any, str, int]]:
    """The door the editor's script knocks at; it has no page of its own."""
    doors = ConditionDoors("conditions", endpoint="conditions", url="/admin/segments/conditions")
    return [(doors, "", 0)]


def init_app(app: Flask) -> None:
    """Let templates write `{{ condition_parts() }}`."""
    app.jinja_env.globals["condition_parts"] = condition_parts


def condition_parts() -> Markup:
    """What every editor of the page shares: templates, words, choices, style and script; once."""
    if "condition_parts" in g:
        return Markup("")
    g.condition_parts = True
    return Markup(  # noqa: S704 - our own template, which escapes
        render_template("admin/_condition_parts.html", groups=segments.catalogue())
    )


class ConditionWidget:
    """Draws one editor."""

    def __call__(self, field: ConditionField, **_attributes: Any) -> Markup:
        return Markup(  # noqa: S704 - our own template, which escapes
            render_template("admin/_condition.html", field=field, sentence=_told(field.shown))
        )


class ConditionField(Field):
    """A condition tree; see the head of this file."""

    widget = ConditionWidget()
    data: dict[str, Any] | None

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        empty_is: Any = None,
        without: str = "",
        count: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.empty_is = empty_is  # None: an empty tree is a mistake
        self.without = without
        self.count = count
        self.tree: Tree | None = None
        self.json_form: Any = {"all": []}  # what was posted

    @property
    def shown(self) -> Any:
        """What the editor starts from: what was posted, also where it cannot be; else the data."""
        return self.json_form if self.raw_data is not None else (self.data or {"all": []})

    def process_data(self, value: Any) -> None:
        """`value`: a tree, or its JSON form; None starts empty."""
        raw = segments.dump(value) if isinstance(value, Leaf | AllOf | AnyOf | Not) else value
        self.data = raw
        self.tree = None if raw is None else segments.parse(raw)

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.data, self.tree = None, None
        try:
            raw = json.loads(valuelist[0] or '{"all": []}')
            if not isinstance(raw, dict):
                raise ValueError
            self.json_form = raw
            self.tree = segments.parse(raw)
            segments.check_names(self.tree)
        except TreeError as error:
            raise ValueError(str(error)) from None
        except (ValueError, RecursionError):
            self.json_form = {"all": []}
            raise ValueError(
                _("The conditions could not be read. Please choose them again.")
            ) from None
        self.data = segments.dump(self.tree)

    def pre_validate(self, form: Form) -> None:
        """An empty tree is a mistake where the screen did not say what it means."""
        if self.process_errors or self.empty_is is not None:
            return
        if self.tree is None or self.tree == segments.EVERYONE:
            raise ValidationError(_("Add a condition first."))


class ConditionDoors(AdminPage):
    """The live answer to a tree that is being edited."""

    in_menu = False

    @expose("/")
    def index(self) -> Response:
        """Flask-Admin wants every view to have a first page."""
        abort(404)

    @expose("/ask", methods=("POST",))
    @needs("compose")
    def ask(self) -> Response | tuple[Response, int]:
        """The tree in words, how many friends it picks, or what is wrong where. Changes nothing."""
        asked = _asked()
        if asked is None:
            sentence = _("The conditions could not be read. Please choose them again.")
            return _json({"error": sentence}), 400
        problems = segments.problems(asked.get("tree"))
        if problems:
            return _json(
                {"problems": [{"path": one.path, "sentence": str(one)} for one in problems]}
            )
        answer: dict[str, Any] = {"problems": []}
        try:
            tree = segments.parse(asked["tree"])
            answer["sentence"] = segments.sentence(tree)
            if asked.get("count") is not False:
                found = segments.where(tree, now=clock.now(), zone=settings.shop_zone())
                answer |= _counted(segments.count(found))
        except TreeError as error:  # a saved segment in it leads back to itself
            answer = {"problems": [{"path": (), "sentence": str(error)}]}
        return _json(answer)


def _counted(count: int) -> dict[str, Any]:
    more = count > segments.COUNT_CAP
    if more:
        told = _("more than %(count)s friends", count=format_count(segments.COUNT_CAP))
    else:
        told = _n("%(count)s friend", "%(count)s friends", count)
    return {"count": min(count, segments.COUNT_CAP), "more": more, "told": told}


def _told(raw: Any) -> str:
    """The sentence for who reads the page without a script; nothing where the tree can't be."""
    try:
        return segments.sentence(raw)
    except (TreeError, ValueError):
        return ""


def _asked() -> dict[str, Any] | None:
    if (request.content_length or 0) > ASKED_BYTES:
        return None
    found = request.get_json(silent=True)
    return found if isinstance(found, dict) else None


def _json(found: dict[str, Any]) -> Response:
    response = Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
