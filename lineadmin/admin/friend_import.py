"""Friends from a file: upload, see what it would do, do it, see what became of every row."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, abort, redirect, request
from flask_admin import expose
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from lineadmin import clock, config
from lineadmin.admin.gate import current_staff, flash_refusals, needs
from lineadmin.errors import DomainError
from lineadmin.friends import csv_form, fields
from lineadmin.friends.csv_import import import_csv
from lineadmin.friends.csv_preview import Preview, preview_csv
from lineadmin.i18n import _l

KEPT_SECONDS = 3600  # between the preview and the button
_TOKEN = re.compile(r"[0-9a-f]{32}")


class FriendImport:
    """The import's pages of the friends screen. The file waits on this server for an hour."""

    render: Any
    get_url: Any

    @expose("/import/")
    @needs("import")
    def import_form(self) -> str:
        """Choose a file."""
        page: str = self.render("admin/friend_import.html", columns=_columns(), preview=None)
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
        """What the file would do; nothing is changed yet."""
        file = request.files.get("file")
        if request.method != "POST":
            return redirect(self.get_url(".import_form"))
        if file is None or not file.filename:
            raise DomainError(_l("Choose a file first."))
        token = _keep(file, current_staff().id)
        path = _path(token, current_staff().id)
        try:
            with path.open("rb") as kept:
                preview = preview_csv(kept, now=clock.now())
        except DomainError:
            path.unlink()
            raise
        page: str = self.render(
            "admin/friend_import.html",
            columns=_columns(),
            preview=preview,
            token=token,
            name=_file_name(file),
            nothing=_nothing(preview),
        )
        return page

    @expose("/import/run/", methods=("GET", "POST"))
    @needs("import")
    @flash_refusals
    def import_run(self) -> BaseResponse | str:
        """Do it, and tell what became of every row."""
        if request.method != "POST":
            return redirect(self.get_url(".import_form"))
        token, name = request.form.get("token", ""), request.form.get("name", "")[:200]
        path = _path(token, current_staff().id)
        try:
            with path.open("rb") as file:
                path.unlink()  # pressed twice, the file is imported once
                result = import_csv(
                    file, staff=current_staff(), now=clock.now(), wall=clock.wall(), name=name
                )
        except FileNotFoundError:
            raise DomainError(
                _l("This file has been imported already, or its hour is over. Upload it again.")
            ) from None
        page: str = self.render("admin/friend_import_result.html", result=result, name=name)
        return page


@dataclass(frozen=True)
class _Column:
    """A column of the file: its name and what may stand in it."""

    key: str
    meaning: Any


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
    own = [_Column(field.key, field.name) for field in fields.all_fields()]
    return [_Column(key, _MEANINGS[key]) for key in csv_form.COLUMNS] + own


def _nothing(preview: Preview) -> bool:
    return preview.rows == preview.failed


def _file_name(file: FileStorage) -> str:
    return Path((file.filename or "").replace("\\", "/")).name[:200]


def _folder() -> Path:
    folder = config.current().var_dir / "imports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _keep(file: FileStorage, staff_id: int) -> str:
    _forget_old()
    token = secrets.token_hex(16)
    file.save(_folder() / f"{staff_id}-{token}.csv")
    return token


def _path(token: str, staff_id: int) -> Path:
    if not _TOKEN.fullmatch(token):
        abort(400)
    return _folder() / f"{staff_id}-{token}.csv"


def _forget_old() -> None:
    limit = time.time() - KEPT_SECONDS
    for path in _folder().glob("*.csv"):
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
