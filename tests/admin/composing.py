"""A page with nothing but a composer, for its tests: the real screens have more to them."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, flash, render_template_string, request
from wtforms import StringField

from lineadmin.admin.composer import PartsField
from lineadmin.admin.forms import StaffForm
from lineadmin.i18n import _l

PAGE = """{% extends "admin/base.html" %}
{% block title %}訊息{% endblock %}
{% block main_class %}wide{% endblock %}
{% block body %}{{ m.page_head('訊息') }}
{{ m.form_open(guard=true) }}{{ m.errors(form) }}
{{ form.parts() }}
{{ m.actions('儲存') }}{{ m.form_close() }}
<pre data-raw id="saved">{{ saved }}</pre>{% endblock %}"""


class TrialForm(StaffForm):
    """One message."""

    title = StringField(_l("Title"))
    parts = PartsField(_l("Messages"))


def mount(app: Flask, parts: Any = ()) -> None:
    """Serve the trial page at /trial; it starts with `parts` and shows what it was sent."""

    def trial() -> str:
        form = TrialForm(request.form if request.method == "POST" else None, parts=parts)
        saved = ""
        if request.method == "POST" and form.validate():
            saved = json.dumps(form.parts.data, ensure_ascii=False)
            flash("已儲存", "success")
        return render_template_string(PAGE, form=form, saved=saved)

    app.add_url_rule("/trial", "trial", trial, methods=("GET", "POST"))
