"""Commands of the shell: `flask serve`, `flask doctor` and the rest.

They are attached to Flask's own command line. Run as one of them, `app.py` builds `shell_app()`,
which carries the commands and nothing else: no screens, so a second less to wait.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

COMMANDS = frozenset(
    {
        "serve",
        "web",
        "worker",
        "simulator",
        "migrate",
        "tick",
        "staff",
        "shop",
        "friends",
        "backup",
        "restore",
        "doctor",
    }
)


def is_ours(arguments: Sequence[str]) -> bool:
    """True where this process is `flask` with one of our commands (its first plain word)."""
    if "FLASK_RUN_FROM_CLI" not in os.environ:
        return False
    return any(word in COMMANDS for word in arguments[1:2])


def shell_app() -> Flask:
    """An application that knows our commands only."""
    from flask import Flask

    app = Flask("lineadmin", static_folder=None)
    init_app(app)
    return app


def init_app(app: Flask) -> None:
    """Attach every command to `flask`."""
    from lineadmin.cli import commands

    commands.attach(app)
