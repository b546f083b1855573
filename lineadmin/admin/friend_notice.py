"""A notice to one friend from a template: choose it, fill it in, see what it costs, send it."""

from __future__ import annotations

import secrets
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, config
from lineadmin.admin import friend_cells as cells
from lineadmin.admin.friend_answer import find_friend, price_of_one
from lineadmin.admin.gate import current_staff, needs
from lineadmin.errors import DomainError
from lineadmin.friends.models import BLOCKED, Friend
from lineadmin.i18n import _, _l
from lineadmin.messages import names, notice
from lineadmin.messages.models import MessageTemplate
from lineadmin.messages.parts import Text, bubbles, parse_parts
from lineadmin.messages.preview import preview
from lineadmin.messages.summary import summarise
from lineadmin.replies import greeting, staff_answer
from lineadmin.tasks import doorbell

FIELD = "value-"  # before a variable's name


class FriendNotice:
    """The notice page of a friend, of the friends screen."""

    render: Any
    get_url: Any
    confirm: Any
    confirmed: Any

    @expose("/<int:friend_id>/notice/", methods=("GET", "POST"))
    @needs("send")
    def notice(self, friend_id: int) -> Response | str | tuple[str, int]:
        """Nothing is planned before every variable is filled in and the price was confirmed."""
        friend = find_friend(friend_id)
        template = _template(request.values.get("template", type=int))
        if request.method == "GET" or template is None:
            return self._notice_page(friend, template)
        try:
            return self._send(friend, template)
        except DomainError as error:
            return self._notice_page(friend, template, error), 400

    def _send(self, friend: Friend, template: MessageTemplate) -> Response | str:
        """:raises DomainError: something is missing or cannot be sent"""
        number = request.form.get("number", 0, type=int)
        if not 0 < number < 2**31:
            raise DomainError(_l("Please send it again."))
        if friend.status == BLOCKED:
            raise DomainError(_l("She has blocked the account: LINE delivers nothing to her."))
        if request.form.get("version", type=int) != template.version:
            raise DomainError(_l("The template was changed meanwhile. Look at it once more."))
        values = _typed(template)
        parts = greeting.checked(
            "messages",
            notice.filled(template, values),
            now=clock.now(),
            public_url=config.current().public_url,
        )
        if not self.confirmed():
            page: str = self.confirm(
                _("Send %(name)s this message?", name=cells.name_of(friend)),
                text=_("It goes as a push: this %(price)s.", price=price_of_one(clock.now())),
                lines=_lines(parts, friend),
                label=_("Send"),
                kind="primary",
                hidden={
                    "template": template.id,
                    "version": template.version,
                    "number": number,
                    **{f"{FIELD}{name}": value for name, value in values.items()},
                },
                cancel_url=self.get_url(".notice", friend_id=friend.id, template=template.id),
            )
            return page
        staff_answer.answer_push(
            friend,
            parts,
            number=number,
            staff=current_staff(),
            now=clock.now(),
            wall=clock.wall(),
        )
        doorbell.ring()
        flash(_("The message is on its way; the timeline shows what becomes of it."), "success")
        return redirect(self.get_url(".page", friend_id=friend.id))

    def _notice_page(
        self, friend: Friend, template: MessageTemplate | None, error: DomainError | None = None
    ) -> str:
        fields = [] if template is None else notice.variables_of(template)
        field = None if error is None or error.field not in fields else error.field
        page: str = self.render(
            "admin/friend_notice.html",
            friend=friend,
            name=cells.name_of(friend),
            templates=list(MessageTemplate.select().order_by(MessageTemplate.name)),
            chosen=template,
            fields=[
                {
                    "id": f"{FIELD}{one}",
                    "name": one,
                    "value": request.form.get(f"{FIELD}{one}", ""),
                    "error": str(error) if field == one else "",
                }
                for one in fields
            ],
            error="" if error is None or field else str(error),
            most=notice.LONGEST_VALUE,
            number=request.form.get("number", 0, type=int) or secrets.randbelow(2**31 - 1) + 1,
            price=price_of_one(clock.now()),
            messages=[] if template is None else _shown(template, friend),
        )
        return page


def _template(template_id: int | None) -> MessageTemplate | None:
    if template_id is None:
        return None
    found: MessageTemplate | None = MessageTemplate.get_or_none(MessageTemplate.id == template_id)
    return found or abort(404)


def _typed(template: MessageTemplate) -> dict[str, str]:
    return {name: request.form.get(f"{FIELD}{name}", "") for name in notice.variables_of(template)}


def _lines(parts: list[dict[str, Any]], friend: Friend) -> list[str]:
    """Every bubble as she will read it."""
    return [
        names.substitute(part.text, friend.display_name)
        if isinstance(part, Text)
        else summarise([part])
        for part in bubbles(parse_parts(parts))
    ]


def _shown(template: MessageTemplate, friend: Friend) -> list[dict[str, Any]]:
    shown = preview(
        template.parts,
        now=clock.now(),
        public_url=config.current().public_url,
        name=friend.display_name or None,
        variables=True,
    )
    return shown.messages
