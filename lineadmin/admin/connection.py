"""LINE connection: is everything well, where events go, what to switch off at LINE, own LINE."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, config, tasks
from lineadmin.admin import shell
from lineadmin.admin.at_line import at_line
from lineadmin.admin.base import AdminPage, current_staff, needs
from lineadmin.admin.gate import flash_refusals
from lineadmin.checkup import look as checkup
from lineadmin.checkup.look import BAD, WARN, Finding
from lineadmin.checkup.words import tell
from lineadmin.config import Config
from lineadmin.db import atomic
from lineadmin.errors import DomainError
from lineadmin.friends.models import Friend
from lineadmin.i18n import _, _l
from lineadmin.line.errors import LineError, sentence
from lineadmin.outbox import pauses
from lineadmin.settings.models import Setting
from lineadmin.staff import audit, linking
from lineadmin.staff.models import Staff
from lineadmin.tasks import chores

MANAGER_URL = "https://manager.line.biz/"
CONSOLE_URL = "https://developers.line.biz/console/"


class ConnectionView(AdminPage):
    """Read by whoever writes messages; changed by owners."""

    required_permission = "compose"
    menu_icon = "line"

    @expose("/")
    def index(self) -> str:
        """What the last look found, and the buttons to mend it."""
        wall = clock.wall()
        findings = checkup.kept()
        return self.render(
            "admin/connection.html",
            account=next((f.values for f in findings if f.code == "account"), None),
            told=[tell(finding) for finding in findings],
            looked_at=_looked_at(),
            webhook_url=_webhook_url(config.current()),
            simulator=config.current().simulator,
            own_friend=_own_friend(current_staff()),
            code=linking.waiting_code(current_staff(), wall=wall),
            followers=chores.followers_state(),
            manager_url=MANAGER_URL,
            console_url=CONSOLE_URL,
        )

    @expose("/check", methods=("POST",))
    @needs("line")
    def check(self) -> Response:
        """Ask LINE now; where it accepts our access again, what was paused for it goes on."""
        found = examine(staff=current_staff())
        if any(finding.kind == BAD for finding in found):
            flash(_("Something is not right yet; see below."), "warning")
        else:
            flash(_("Everything is as it should be."), "success")
        return redirect(self.get_url(".index"))

    @expose("/webhook", methods=("POST",))
    @needs("line")
    @flash_refusals
    def set_webhook(self) -> Response:
        """Tell LINE our address, then have LINE try it."""
        staff = current_staff()
        url = _webhook_url(config.current())
        if url is None:
            raise DomainError(_l("Set PUBLIC_URL first: LINE needs an https address."))
        try:
            with at_line() as gateway:
                before = gateway.webhook_endpoint()
                gateway.set_webhook_endpoint(url)
        except LineError as error:
            raise DomainError(sentence(error)) from None
        with atomic():
            audit.record(
                staff,
                "line.webhook",
                "setting",
                0,
                url,
                {"value": before.url if before else ""},
                {"value": url},
                wall=clock.wall(),
            )
        found = examine(staff=staff)
        if any(finding.area == "webhook" and finding.kind == BAD for finding in found):
            flash(_("LINE has our address, but does not reach it yet; see below."), "warning")
        else:
            flash(_("LINE sends events here now."), "success")
        return redirect(self.get_url(".index"))

    @expose("/followers", methods=("POST",))
    @needs("import")
    def import_followers(self) -> Response:
        """Have the worker ask LINE for everybody who is a friend already."""
        chores.want_followers(current_staff(), wall=clock.wall())
        tasks.ring()
        flash(_("LINE is being asked for all friends; this may take a few minutes."), "success")
        return redirect(self.get_url(".index"))

    @expose("/code", methods=("POST",))
    @needs("compose")
    def new_code(self) -> Response:
        """A fresh six-digit code for one's own LINE."""
        linking.issue_code(current_staff(), wall=clock.wall())
        return redirect(self.get_url(".index") + "#own-line")

    @expose("/unlink", methods=("POST",))
    @needs("compose")
    def unlink(self) -> Response:
        """Forget one's own LINE."""
        if linking.unlink(current_staff(), wall=clock.wall()):
            flash(_("Your LINE is no longer linked."), "success")
        return redirect(self.get_url(".index") + "#own-line")


def examine(*, staff: Staff) -> list[Finding]:
    """Look at everything and remember it; a working access ends a pause that LINE had caused."""
    with at_line() as gateway:
        found = list(checkup.examine(config.current(), gateway, now=clock.now, wall=clock.wall()))
    if any(finding.code == "account" for finding in found):
        if pauses.line_is_well(staff=staff, wall=clock.wall()):
            tasks.ring()
        found = [finding for finding in found if finding.code != "line_paused"]
    checkup.keep(found, wall=clock.wall())
    return found


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    shell.provide("line", _line_state)
    return [(ConnectionView(_l("LINE connection"), endpoint="connection"), "settings", 10)]


def _line_state() -> shell.LineState | None:
    """The badge on every page, from the last look and the pauses."""
    url = "/admin/connection/"
    if pauses.current().line_since is not None:
        return shell.LineState("bad", _("LINE: no access"), url)
    if not config.current().line_configured:
        return shell.LineState("bad", _("LINE not connected"), url)
    found = [f for f in checkup.kept() if f.area in ("account", "webhook", "quota")]
    if any(finding.kind == BAD for finding in found):
        return shell.LineState("bad", _("LINE: look here"), url)
    if any(finding.kind == WARN for finding in found):
        return shell.LineState("warn", _("LINE: look here"), url)
    if not found:
        return shell.LineState("warn", _("LINE not checked yet"), url)
    return shell.LineState("ok", _("LINE connected"), url)


def _webhook_url(of: Config) -> str | None:
    return None if of.public_url is None else checkup.webhook_url(of)


def _looked_at() -> datetime | None:
    row = Setting.get_or_none(Setting.key == checkup.KEY)
    return None if row is None else row.changed_at


def _own_friend(staff: Staff) -> Friend | None:
    if staff.friend_id is None:
        return None
    found: Friend | None = Friend.get_or_none(Friend.id == staff.friend_id)
    return found
