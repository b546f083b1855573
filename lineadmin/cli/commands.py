"""Every command, in the order of the manual."""

from __future__ import annotations

from flask import Flask

from lineadmin.cli import people, running
from lineadmin.cli.backup import backup
from lineadmin.cli.doctor import doctor
from lineadmin.cli.friends import friends
from lineadmin.cli.restore import restore
from lineadmin.cli.shop import shop
from lineadmin.cli.ticking import tick_command


def attach(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (
        running.serve,
        running.web,
        running.worker,
        running.simulator,
        running.migrate_command,
        tick_command,
        people.staff,
        shop,
        friends,
        backup,
        restore,
        doctor,
    ):
        app.cli.add_command(command)
