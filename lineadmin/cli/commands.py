"""Every command, in the order of the manual."""

from __future__ import annotations

from flask import Flask

from lineadmin.cli import running


def attach(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (
        running.serve,
        running.web,
        running.worker,
        running.simulator,
        running.migrate_command,
    ):
        app.cli.add_command(command)
