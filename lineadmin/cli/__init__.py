"""Commands of the shell: `flask serve`, `flask doctor` and the rest.

They are attached to Flask's own command line. Run as one of them, `app.py` builds `shell_app()`,
which carries that command and nothing else: no screens, so a second less to wait.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

# In the order of the manual: the command, and where its function is.
COMMANDS = {
    "serve": "running.serve",
    "web": "running.web",
    "worker": "running.worker",
    "simulator": "running.simulator",
    "migrate": "running.migrate_command",
    "tick": "ticking.tick_command",
    "staff": "people.staff",
    "shop": "shop.shop",
    "friends": "friends.friends",
    "backup": "backup.backup",
    "restore": "restore.restore",
    "doctor": "doctor.doctor",
}


def asked_for(arguments: Sequence[str]) -> tuple[str, ...]:
    """The command of ours that this process, `flask COMMAND …`, is about; all of them for help.

    Empty where it is about something else: a web server, or a command of Flask's own.
    """
    if "FLASK_RUN_FROM_CLI" not in os.environ:
        return ()
    word = next(iter(arguments[1:2]), "--help")
    if word == "--help":
        return tuple(COMMANDS)
    return (word,) if word in COMMANDS else ()


def shell_app(names: Iterable[str] = COMMANDS) -> Flask:
    """An application that knows these commands only."""
    from flask import Flask

    app = Flask("lineadmin", static_folder=None)
    attach(app, names)
    return app


def init_app(app: Flask) -> None:
    """Attach every command to `flask`."""
    if "FLASK_RUN_FROM_CLI" in os.environ:
        attach(app, COMMANDS)


def attach(app: Flask, names: Iterable[str]) -> None:
    """Add commands to the application's command line."""
    for name in names:
        module, _dot, function = COMMANDS[name].partition(".")
        command = getattr(import_module(f"lineadmin.cli.{module}"), function)
        app.cli.add_command(command)
