"""What holds back all sending: the red button, and a LINE that does not accept our access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineadmin import settings
from lineadmin.db import atomic, from_ms, to_ms
from lineadmin.line.errors import LineAuthFailed
from lineadmin.settings.models import Setting
from lineadmin.staff import audit
from lineadmin.staff.models import Staff

STOPPED = "outbox.stopped"
LINE_PAUSE = "outbox.line_pause"


@dataclass(frozen=True)
class Pauses:
    """What is in force. Screens show a red banner while either is."""

    stopped_at: datetime | None = None
    stopped_by: str = ""
    line_since: datetime | None = None
    line_status: int = 0  # 401 or 403
    line_message: str = ""  # LINE's words

    @property
    def nothing_leaves(self) -> bool:
        """No request may start."""
        return self.stopped_at is not None or self.line_since is not None


def current() -> Pauses:
    """One cheap question; the sender asks it before every claim."""
    rows = Setting.select(Setting.key, Setting.value).where(Setting.key.in_((STOPPED, LINE_PAUSE)))
    found: dict[str, Any] = {row.key: row.value for row in rows}
    stopped, line = found.get(STOPPED) or {}, found.get(LINE_PAUSE) or {}
    return Pauses(
        stopped_at=from_ms(stopped["at"]) if stopped else None,
        stopped_by=stopped.get("by", ""),
        line_since=from_ms(line["at"]) if line else None,
        line_status=line.get("status", 0),
        line_message=line.get("message", ""),
    )


def stop_all(*, staff: Staff | None, wall: datetime) -> bool:
    """Stop all sending, free replies included; False where it already was stopped.

    Requests that are on their way to LINE at this moment can't be called back.
    """
    if settings.get(STOPPED) is not None:
        return False
    value = {"at": to_ms(wall), "by": "" if staff is None else staff.name}
    return settings.put(STOPPED, value, staff=staff, wall=wall, action="sending.stop")


def resume_all(*, staff: Staff | None, wall: datetime) -> bool:
    """Let sending go on: what became useless meanwhile is left out, the rest is sent."""
    if settings.get(STOPPED) is None:
        return False
    return settings.put(STOPPED, None, staff=staff, wall=wall, action="sending.resume")


def pause_for_line(error: LineAuthFailed, *, wall: datetime) -> None:
    """LINE answered 401 or 403: nothing leaves until the connection was tested."""
    if settings.get(LINE_PAUSE) is None:
        value = {"at": to_ms(wall), "status": error.status, "message": error.message[:500]}
        settings.mark(LINE_PAUSE, value, wall=wall)


def line_is_well(*, staff: Staff | None, wall: datetime) -> bool:
    """The connection was tested and LINE accepts our access: sending goes on."""
    with atomic():
        before = settings.get(LINE_PAUSE)
        if before is None or not settings.clear(LINE_PAUSE):
            return False
        audit.record(staff, "line.resume", "setting", 0, LINE_PAUSE, before, None, wall=wall)
    return True
