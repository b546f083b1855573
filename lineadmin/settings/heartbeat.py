"""Signs of life that processes leave for /healthz and the doctor, on real time."""

from __future__ import annotations

import os
import socket
from datetime import datetime
from typing import Any

from lineadmin.db import atomic, insert_ignore
from lineadmin.settings.models import Heartbeat


def beat(role: str, *, wall: datetime, note: Any = None) -> None:
    """Say that `role` is alive."""
    fields = {"at": wall, "host": socket.gethostname()[:200], "pid": os.getpid(), "note": note}
    with atomic():
        if not Heartbeat.update(**fields).where(Heartbeat.role == role).execute():
            insert_ignore(Heartbeat.insert(role=role, started_at=wall, **fields))


def last_beat(role: str) -> datetime | None:
    """When `role` last said so."""
    row = Heartbeat.get_or_none(Heartbeat.role == role)
    return None if row is None else row.at
