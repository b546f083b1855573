"""Friends from a file: upload, see what it would do, do it, see what became of every row."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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


@dataclass(frozen=True)
class Column:
    """What a column can hold: its key, its name and what may stand in it."""

    key: str
    label: Any
    meaning: Any


class FriendImport:
    """The import's pages of the friends screen. The file waits in the database for an hour.

    What else comes from files overrides the lower half.
    """

    render: Any
    get_url: Any
    import_kind = csv_job.FRIENDS
    import_form_page = "admin/friend_import.html"
    import_result_page = "admin/friend_import_result.html"

    @expose("/import/")
    @needs("import")
    def import_form(self) -> str:
        """Choose a file."""
        page: str = self.render(
            self.import_form_page,
            columns=self.import_columns(),
            preview=None,
            recent=csv_job.recent(staff=current_staff(), kind=self.import_kind),
            states=_STATES,
        )
        return page

    @expose("/import/template.csv")
    @needs("import")
    def import_template(self) -> Response:
        """An empty file with the right header and one row to copy."""
        keys = [one.key for one in self.import_columns()]
        row = self.import_example()
        lines = [",".join(keys), ",".join(row + [""] * (len(keys) - len(row)))]
        return Response(
            "\ufeff" + "\r\n".join(lines) + "\r\n",
            mimetype="text/csv",
            headers={
                "Content-Disposition": f"attachment; filename={self.import_kind}-template.csv"
            },
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
        columns = _chosen(len(header)) or self.guess_columns(header)
        preview, refusal = None, ""
        try:
            preview = self.preview_file(io.BytesIO(bytes(job.data)), columns)
        except DomainError as error:
            refusal = str(error)
        page: str = self.render(
            self.import_form_page,
            columns=self.import_columns(),
            header=header,
            chosen=columns,
            sample=sample,
            preview=preview,
            refusal=refusal,
            token=job.token,
            name=job.name,
            names=self._column_names(),
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
        waiting = csv_job.find(token, staff=staff, kind=self.import_kind)
        columns = _chosen(len(request.form.getlist("column")))
        rows = 0
        if waiting is not None and waiting.state == csv_job.UPLOADED:
            file = io.BytesIO(bytes(waiting.data))
            rows = self.preview_file(file, columns).rows
        job = csv_job.start(token, columns, rows, staff=staff, wall=wall, kind=self.import_kind)
        if rows <= AT_ONCE_ROWS:
            csv_job.run(job, now=clock.now(), wall=wall)
        else:
            doorbell.ring()
        return redirect(self.get_url(".import_state", token=job.token))

    @expose("/import/<token>/")
    @needs("import")
    def import_state(self, token: str) -> str:
        """How far it is, and then what became of every row."""
        job = None
        if _TOKEN.fullmatch(token):
            job = csv_job.find(token, staff=current_staff(), kind=self.import_kind)
        if job is None or job.state == csv_job.UPLOADED:
            abort(404)
        page: str = self.render(
            self.import_result_page,
            job=job,
            result=csv_job.result_of(job),
            name=job.name,
            names=self._column_names(),
            running=job.state == csv_job.WAITING,
            problem=job.problem,
            percent=100 * job.rows_done // max(1, job.rows_total),
        )
        return page

    def _known(self) -> WaitingFile | None:
        """The file that was uploaded before, where only its columns are chosen anew."""
        if not request.form.get("token"):
            return None
        job = csv_job.find(_token(), staff=current_staff(), kind=self.import_kind)
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
        return csv_job.keep(
            file.stream.read(),
            name,
            staff=current_staff(),
            wall=clock.wall(),
            kind=self.import_kind,
        )

    # --- what the file holds --------------------------------------------------------------

    def import_columns(self) -> list[Column]:
        """What a column can hold."""
        own = [Column(field.key, field.name, field.name) for field in fields.all_fields()]
        return [Column(key, field_name(key), _MEANINGS[key]) for key in csv_form.COLUMNS] + own

    def _column_names(self) -> dict[str, Any]:
        """The names of what a column can hold, for the list of mistakes."""
        return {one.key: one.label for one in self.import_columns()}

    def import_example(self) -> list[str]:
        """A row to copy."""
        return ["U" + "0" * 32, "王小明", "", "male", "1998", "台北市", "ios", "常客|愛吃雙拼"]

    def guess_columns(self, header: list[str]) -> list[str]:
        """What the columns of a file most likely hold."""
        return guess(header, fields.all_fields())

    def preview_file(self, file: IO[bytes], columns: list[str]) -> Any:
        """What importing it would do."""
        return preview_csv(file, now=clock.now(), columns=columns)


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
    "home_branch": _l("The code of a branch"),
    "tags": _l("Tags with | between them; new ones are made"),
}


def _token() -> str:
    token = request.form.get("token", "")
    if not _TOKEN.fullmatch(token):
        abort(400)
    return token


def _chosen(width: int) -> list[str]:
    """What staff chose for each column; empty where nothing was chosen yet."""
    chosen = request.form.getlist("column")
    return chosen if chosen and len(chosen) == width else []
