"""Every command, in the order of the manual."""

from __future__ import annotations

from flask import Flask

from lineadmin.cli import people, running
from lineadmin.cli.backup import backup
from lineadmin.cli.restore import restore
from lineadmin.cli.shop import shop


def attach(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (
        running.serve,
        running.web,
        running.worker,
        running.simulator,
        running.migrate_command,
        people.staff,
        shop,
        backup,
        restore,
    ):
        app.cli.add_command(command)
