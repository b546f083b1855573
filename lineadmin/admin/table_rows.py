"""What is done to rows of a table: deleting, and buttons over the ticked ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from peewee import IntegrityError
from werkzeug.wrappers import Response

from lineadmin.admin.gate import needs
from lineadmin.admin.identity import staff_or_none
from lineadmin.admin.table import Table, is_key
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.i18n import _, _l, _n
from lineadmin.staff import permissions

BULK_LIMIT = 500  # ticked rows of one page
NAMED_ROWS = 10  # on a confirm page


def bulk_action(
    name: str, label: Any, *, verb: str, confirm: Any = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A button over the list for the ticked rows; the method gets their ids as a list of int.

    `confirm` is a question: it is asked on a page of its own before the method runs.
    """

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        method._action = (name, label, confirm)  # type: ignore[attr-defined]
        method.bulk_verb = verb  # type: ignore[attr-defined]
        return method

    return mark


class TableRows(Table):
    """Override `delete_record` where a room has an action for it."""

    def delete_record(self, record: Any) -> None:
        """Delete the row; what hangs on it is the database's decision. Runs in a transaction."""
        self._record("delete", record, record.__data__, None)
        record.delete_instance(recursive=False)

    @expose("/delete/", methods=("GET", "POST"))
    @needs("edit")
    def delete_view(self) -> Response | str:
        """Ask, then delete; no JavaScript involved."""
        if not self.deletable:
            abort(404)
        record = self.get_one(request.values.get("id")) or abort(404)
        if not self.confirmed():
            return self.confirm(
                _("Delete “%(name)s”?", name=self.row_label(record)),
                text=self.delete_text(record),
                label=_("Delete"),
                hidden={"id": self.get_pk_value(record)},
            )
        if self._delete_rows([record]):
            flash(_("“%(name)s” was deleted.", name=self.row_label(record)), "success")
        return redirect(self.get_url(".index_view"))

    @bulk_action("delete", _l("Delete"), verb="edit", confirm=_l("Delete these rows?"))
    def action_delete(self, ids: list[int]) -> None:
        """Delete the ticked rows, all or none."""
        rows = list(self.get_query().where(self.model._meta.primary_key.in_(ids)))
        if self._delete_rows(rows):
            flash(_n("%(count)s row deleted.", "%(count)s rows deleted.", len(rows)), "success")

    def _delete_rows(self, rows: Iterable[Any]) -> bool:
        try:
            with atomic():
                for row in rows:
                    self.delete_record(row)
        except DomainError as error:
            flash(str(error), "error")
        except IntegrityError:
            flash(_("It is still used elsewhere and cannot be deleted."), "error")
        else:
            return True
        return False

    @expose("/action/", methods=("POST",))
    @needs("view")
    def action_view(self) -> Response | str:
        """A button over the list."""
        name = request.form.get("action", "")
        if name not in self._actions_data or (name == "delete" and not self.deletable):
            abort(404)
        verb = self._bulk_verb(name)
        permissions_of = staff_or_none()
        if not permissions.may(permissions_of, verb):
            abort(403, permissions.refusal(permissions_of, verb))
        ids = sorted({int(key) for key in request.form.getlist("rowid") if is_key(key)})
        if not ids:
            flash(_("Tick at least one row first."), "warning")
            return redirect(self.back_url())
        method, label, question = self._actions_data[name]
        if question and not self.confirmed():
            return self._ask_bulk(name, ids[:BULK_LIMIT], str(label), str(question))
        try:
            answer = method(ids[:BULK_LIMIT])
        except DomainError as error:
            flash(str(error), "error")
            answer = None
        return answer if answer is not None else redirect(self.back_url())

    def _ask_bulk(self, name: str, ids: list[int], label: str, question: str) -> str:
        key = self.model._meta.primary_key
        rows = list(self.get_query().where(key.in_(ids[:NAMED_ROWS])).order_by(key))
        lines = [self.row_label(row) for row in rows]
        if len(ids) > NAMED_ROWS:
            lines.append(_("and %(count)s more", count=len(ids) - NAMED_ROWS))
        kept = {
            field: values
            for field, values in request.form.lists()
            if field not in ("csrf_token", "rowid", "confirmed")
        }
        return self.confirm(
            question,
            label=label,
            lines=lines,
            kind="danger" if name == "delete" else "primary",
            hidden={**kept, "rowid": ids},
        )

    @expose("/ajax/update/", methods=("POST",))
    @needs("edit")
    def ajax_update(self) -> Response:
        """Flask-Admin's editing inside the list: not used."""
        abort(404)
