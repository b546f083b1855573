"""gunicorn's hooks: its master ends with our supervisor, its worker with the master."""

from __future__ import annotations

import os
from typing import Any

from lineadmin.family import PARENT, end_with_supervisor


def on_starting(server: Any) -> None:
    """The master, before it binds the port."""
    end_with_supervisor()


def post_fork(server: Any, worker: Any) -> None:
    """The serving process."""
    if os.environ.get(PARENT):
        end_with_supervisor(os.getppid())
