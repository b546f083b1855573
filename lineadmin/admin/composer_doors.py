"""What the composer's script knocks at: preview, uploads, templates, the test send."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, abort, request
from flask_admin import expose

from lineadmin import clock, config
from lineadmin.admin.base import AdminPage, current_staff, needs
from lineadmin.admin.friend_answer import price_of_one
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.i18n import _
from lineadmin.messages import films, rich, templates, uploads
from lineadmin.messages.models import MessageTemplate
from lineadmin.messages.preview import SAMPLE_NAME, preview
from lineadmin.messages.rehearsal import send_test
from lineadmin.staff import audit
from lineadmin.tasks import doorbell

DRAFT_BYTES = 512 * 1024

Answer = Response | tuple[Response, int]


def views() -> list[tuple[Any, str, int]]:
    """The composer has no page of its own."""
    return [(ComposerDoors("composer", endpoint="composer", url="/admin/composer"), "", 0)]


class ComposerDoors(AdminPage):
    """Every answer is JSON; a refusal is `{"error": sentence}`."""

    in_menu = False

    @expose("/")
    def index(self) -> Response:
        """Flask-Admin wants every view to have a first page."""
        abort(404)

    @expose("/preview", methods=("POST",))
    @needs("compose")
    def preview(self) -> Answer:
        """What the draft looks like on a phone, and what is wrong with it. Changes nothing."""
        draft = _draft()
        if draft is None:
            return _refused(_("The message could not be read. Please write it again."), 400)
        name = draft.get("name", SAMPLE_NAME)
        shown = preview(
            draft.get("parts"),
            now=clock.now(),
            public_url=config.current().public_url,
            name=name if isinstance(name, str) else None,
            variables="variables" in request.args,
        )
        return _json(shown.to_json())

    @expose("/upload", methods=("POST",))
    @needs("compose")
    def upload(self) -> Answer:
        """Take a picture in; answers its token and where to see it."""
        file = request.files.get("picture")
        if file is None:
            return _refused(_("Choose a picture first."), 400)
        staff, is_rich = current_staff(), request.form.get("use") == rich.RichMessage.key
        try:
            data = file.stream.read(uploads.FILE_BYTES + 1)
            with atomic():
                stored = uploads.store(
                    data, name=file.filename or "", staff_id=staff.id, now=clock.now()
                )
                wrong = rich.check_picture(stored.width, stored.height) if is_rich else None
                if wrong:
                    raise DomainError(wrong, field="image")
                audit.record(
                    staff,
                    "upload.create",
                    "upload",
                    stored.id,
                    stored.name,
                    after={"width": stored.width, "height": stored.height},
                    wall=clock.wall(),
                )
        except DomainError as error:
            return _refused(str(error), 422)
        if is_rich:
            uploads.make_sizes(stored)
        return _json(
            {
                "token": stored.token,
                "name": stored.name,
                "width": stored.width,
                "height": stored.height,
                "preview": f"/media/{stored.token}/preview",
            }
        )

    @expose("/film", methods=("POST",))
    @needs("compose")
    def film(self) -> Answer:
        """Take a film in: the request's body, its name in the address (it is too large for a
        form)."""
        staff = current_staff()
        try:
            data = request.stream.read(films.FILE_BYTES + 1)
            with atomic():
                stored = films.store(
                    data, name=request.args.get("name", ""), staff_id=staff.id, now=clock.now()
                )
                audit.record(
                    staff,
                    "film.create",
                    "film",
                    stored.id,
                    stored.name,
                    after={"bytes": stored.size},
                    wall=clock.wall(),
                )
        except DomainError as error:
            return _refused(str(error), 422)
        return _json({"token": stored.token, "name": stored.name})

    @expose("/templates", methods=("GET", "POST"))
    @needs("compose")
    def templates(self) -> Answer:
        """The templates with their parts; a POST keeps the draft as one."""
        if request.method == "GET":
            rows = MessageTemplate.select().order_by(MessageTemplate.name)
            listed = [
                {"name": row.name, "summary": row.summary, "parts": row.parts} for row in rows
            ]
            return _json({"templates": listed})
        draft = _draft()
        if draft is None:
            return _refused(_("The message could not be read. Please write it again."), 400)
        try:
            made = templates.create(
                str(draft.get("name") or ""),
                draft.get("parts"),
                staff=current_staff(),
                now=clock.now(),
                wall=clock.wall(),
            )
        except DomainError as error:
            return _refused(str(error), 422)
        return _json({"name": made.name})

    @expose("/test", methods=("POST",))
    @needs("compose")
    def test(self) -> Answer:
        """Send the draft to one's own LINE; it counts as a message."""
        draft = _draft()
        if draft is None:
            return _refused(_("The message could not be read. Please write it again."), 400)
        now = clock.now()
        price = price_of_one(now)
        try:
            send_test(
                draft.get("parts"),
                staff=current_staff(),
                now=now,
                wall=clock.wall(),
                public_url=config.current().public_url,
            )
        except DomainError as error:
            return _refused(str(error), 422)
        doorbell.ring()
        return _json({"sentence": _("On its way to your own LINE; it %(price)s.", price=price)})


def _draft() -> dict[str, Any] | None:
    if (request.content_length or 0) > DRAFT_BYTES:
        return None
    found = request.get_json(silent=True)
    return found if isinstance(found, dict) else None


def _json(found: dict[str, Any]) -> Response:
    response = Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _refused(sentence: str, status: int) -> tuple[Response, int]:
    return _json({"error": sentence}), status
