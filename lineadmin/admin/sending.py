"""Sending as a whole: stop and resume it, the month's messages, and what waits."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for
from flask_admin import expose
from werkzeug.wrappers import Response

from lineadmin import clock, settings
from lineadmin.admin import shell
from lineadmin.admin.gate import AdminPage, current_staff, flash_refusals, needs
from lineadmin.i18n import _, _l, format_datetime
from lineadmin.outbox import pauses, queries, quota
from lineadmin.reports.home import free_replies


class SendingView(AdminPage):
    """Anyone may read it; stopping and resuming is for those who may send."""

    menu_icon = "broadcast"

    @expose("/")
    def index(self) -> str:
        """The state of sending, the month, and what waits."""
        now = clock.now()
        return self.render(
            "admin/sending.html",
            pauses=pauses.current(),
            meter=quota.meter(now),
            live=queries.live(),
            free_replies=free_replies(clock.now(), settings.shop_zone()),
            may_stop=self.may("send"),
        )

    @expose("/stop/", methods=("GET", "POST"))
    @needs("send")
    @flash_refusals
    def stop(self) -> Response | str:
        """Ask, then stop all sending."""
        if not self.confirmed():
            return self.confirm(
                _("Stop all sending?"),
                text=_(
                    "Nothing leaves until somebody resumes it: no broadcasts, no step messages, "
                    "no free replies. What LINE has already been given cannot be called back."
                ),
                label=_("Stop all sending"),
            )
        pauses.stop_all(staff=current_staff(), wall=clock.wall())
        flash(_("All sending is stopped."), "warning")
        return redirect(url_for(".index"))

    @expose("/resume/", methods=("GET", "POST"))
    @needs("send")
    @flash_refusals
    def resume(self) -> Response | str:
        """Ask, then let sending go on."""
        if not self.confirmed():
            waiting = queries.live().queued
            return self.confirm(
                _("Resume sending?"),
                text=_(
                    "%(count)s messages wait. What has become useless meanwhile is left out with "
                    "its reason, the rest is sent now.",
                    count=f"{waiting:,}",
                ),
                label=_("Resume sending"),
                kind="primary",
            )
        pauses.resume_all(staff=current_staff(), wall=clock.wall())
        flash(_("Sending goes on."), "success")
        return redirect(url_for(".index"))


def views() -> list[tuple[Any, str, int]]:
    """The screen and its place in the menu."""
    shell.provide("stop", _stop_state)
    shell.provide("quota", _quota)
    shell.provide("banners", _banners)
    return [(SendingView(_l("Sending"), endpoint="sending"), "results", 15)]


def _stop_state() -> shell.StopState | None:
    stopped = settings.get(pauses.STOPPED) is not None
    route = "sending.resume" if stopped else "sending.stop"
    return shell.StopState(stopped=stopped, url=url_for(route))


def _quota() -> shell.Quota:
    meter = quota.meter(clock.now())
    return shell.Quota(used=meter.taken, limit=meter.limit, url=url_for("sending.index"))


def _banners() -> list[shell.Banner]:
    now = pauses.current()
    found = []
    if now.stopped_at is not None:
        found.append(
            shell.Banner(
                "bad",
                _(
                    "All sending has been stopped since %(time)s by %(name)s.",
                    time=format_datetime(now.stopped_at),
                    name=now.stopped_by or _("the program"),
                ),
                url_for("sending.resume"),
                _("Resume sending"),
            )
        )
    if now.line_since is not None:
        found.append(
            shell.Banner(
                "bad",
                _(
                    "LINE has refused our access since %(time)s, so nothing is sent. "
                    "Nothing is lost: test the connection, and it goes on.",
                    time=format_datetime(now.line_since),
                ),
                url_for("connection.index"),
                _("LINE connection"),
            )
        )
    return found
