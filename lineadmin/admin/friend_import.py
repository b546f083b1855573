"""Friends from a file: upload, see what it would do, do it, see what became of every row."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, abort, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response as BaseResponse

from lineadmin import clock
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.errors import DomainError
from lineadmin.friends import csv_form, csv_job, fields
from lineadmin.friends.csv_columns import guess
from lineadmin.friends.csv_preview import CHECKED_ROWS, preview_csv, read_head
from lineadmin.friends.models import FriendImport as WaitingFile
from lineadmin.i18n import _l
from lineadmin.staff.audit_words import field_name
from lineadmin.tasks import doorbell

AT_ONCE_ROWS = CHECKED_ROWS  # more takes longer than anybody waits for a page
_TOKEN = re.compile(r"[0-9a-f]{32}")


class FriendImport:
    """The import's pages of the friends screen. The file waits in the database for an hour."""

    render: Any
    get_url: Any

    @expose("/import/")
    @needs("import")
    def import_form(self) -> str:
        """Choose a file."""
        page: str = self.render(
            "admin/friend_import.html",
            columns=_columns(),
            preview=None,
            recent=csv_job.recent(staff=current_staff()),
            states=_STATES,
        )
        return page

    @expose("/import/template.csv")
    @needs("import")
    def import_template(self) -> Response:
        """An empty file with the right header and one row to copy."""
        row = ["U" + "0" * 32, "王小明", "", "male", "1998", "台北市", "ios", "常客|愛吃雙拼"]
        lines = [
            ",".join(one.key for one in _columns()),
            ",".join(row + [""] * (len(_columns()) - len(row))),
        ]
        return Response(
            "\ufeff" + "\r\n".join(lines) + "\r\n",
            mimetype="text/csv",
            headers={"Content-Disposition": "attachment; filename=friends-template.csv"},
        )

    @expose("/import/preview/", methods=("GET", "POST"))
    @needs("import")
    @flash_refusals
    def import_preview(self) -> BaseResponse | str:
        """What the file would do, with what each column holds; nothing is changed yet."""
        if request.method != "POST":
            return redirect(self.get_url(".import_form"))
        job = self._known() or self._uploaded()
        try:
            header, sample = read_head(io.BytesIO(bytes(job.data)))
        except DomainError:
            csv_job.forget(job)
            raise
        columns = _chosen(len(header)) or guess(header, fields.all_fields())
        preview, refusal = None, ""
        try:
            preview = preview_csv(io.BytesIO(bytes(job.data)), now=clock.now(), columns=columns)
        except DomainError as error:
            refusal = str(error)
        page: str = self.render(
            "admin/friend_import.html",
            columns=_columns(),
            header=header,
            chosen=columns,
            sample=sample,
            preview=preview,
            refusal=refusal,
            token=job.token,
            name=job.name,
            nothing=preview is not None and preview.checked == preview.failed,
        )
        return page

    @expose("/import/run/", methods=("GET", "POST"))
    @needs("import")
    @flash_refusals
    def import_run(self) -> BaseResponse:
        """Do it: at once, or a large file by the worker."""
        if request.method != "POST":
            return redirect(self.get_url(".import_form"))
        token = _token()
        staff, wall = current_staff(), clock.wall()
        waiting = csv_job.find(token, staff=staff)
        columns = _chosen(len(request.form.getlist("column")))
        rows = 0
        if waiting is not None and waiting.state == csv_job.UPLOADED:
            file = io.BytesIO(bytes(waiting.data))
            rows = preview_csv(file, now=clock.now(), columns=columns).rows
        job = csv_job.start(token, columns, rows, staff=staff, wall=wall)
        if rows <= AT_ONCE_ROWS:
            csv_job.run(job, now=clock.now(), wall=wall)
        else:
            doorbell.ring()
        return redirect(self.get_url(".import_state", token=job.token))

    @expose("/import/<token>/")
    @needs("import")
    def import_state(self, token: str) -> str:
        """How far it is, and then what became of every row."""
        job = csv_job.find(token, staff=current_staff()) if _TOKEN.fullmatch(token) else None
        if job is None or job.state == csv_job.UPLOADED:
            abort(404)
        page: str = self.render(
            "admin/friend_import_result.html",
            job=job,
            result=csv_job.result_of(job),
            name=job.name,
            running=job.state == csv_job.WAITING,
            problem=job.problem,
            percent=100 * job.rows_done // max(1, job.rows_total),
        )
        return page

    def _known(self) -> WaitingFile | None:
        """The file that was uploaded before, where only its columns are chosen anew."""
        if not request.form.get("token"):
            return None
        job = csv_job.find(_token(), staff=current_staff())
        if job is None or job.state != csv_job.UPLOADED:
            raise DomainError(
                _l("This file has been imported already, or its hour is over. Upload it again.")
            )
        return job

    def _uploaded(self) -> WaitingFile:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise DomainError(_l("Choose a file first."))
        name = Path(file.filename.replace("\\", "/")).name
        return csv_job.keep(file.stream.read(), name, staff=current_staff(), wall=clock.wall())


@dataclass(frozen=True)
class _Column:
    """What a column can hold: its key, its name and what may stand in it."""

    key: str
    label: Any
    meaning: Any


_STATES: dict[str, tuple[str, Any]] = {
    csv_job.WAITING: ("info", _l("Under way")),
    csv_job.DONE: ("ok", _l("Imported")),
    csv_job.FAILED: ("bad", _l("Failed")),
}
_MEANINGS: dict[str, Any] = {
    "line_user_id": _l("Needed. U and 32 of 0-9 and a-f, as LINE gives it"),
    "display_name": _l("A name; one that LINE told us is kept"),
    "source": _l("The code of a gained-through path"),
    "gender": _l("male or female (男, 女)"),
    "birth_year": _l("Four digits, such as 1998"),
    "region": _l("tw_01 to tw_22, or a name such as 台北市"),
    "os": _l("ios, android or other"),
    "tags": _l("Tags with | between them; new ones are made"),
}


def _columns() -> list[_Column]:
    own = [_Column(field.key, field.name, field.name) for field in fields.all_fields()]
    return [_Column(key, field_name(key), _MEANINGS[key]) for key in csv_form.COLUMNS] + own


def _token() -> str:
    token = request.form.get("token", "")
    if not _TOKEN.fullmatch(token):
        abort(400)
    return token


def _chosen(width: int) -> list[str]:
    """What staff chose for each column; empty where nothing was chosen yet."""
    chosen = request.form.getlist("column")
    return chosen if chosen and len(chosen) == width else []
