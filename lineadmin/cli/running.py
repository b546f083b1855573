"""Commands that serve: all on one dyno, or web and worker apart."""

from __future__ import annotations

import os
import sys

import click

from lineadmin import db as database
from lineadmin import migrate
from lineadmin.cli.processes import command_of
from lineadmin.cli.session import open_shop, plain_errors, read_config
from lineadmin.config import Config


@click.command()
@plain_errors
def serve() -> None:
    """Migrate, then run web server and worker together."""
    config = read_config()
    database.open_database(config.database_url)
    _migrate(quiet=True)
    _first_start(config)
    database.db.close()
    _become([sys.executable, "-m", "lineadmin.cli.supervisor"])


@click.command()
@plain_errors
def web() -> None:
    """Run the web server alone."""
    with open_shop() as config:
        _first_start(config)
    _become(command_of("web"))


@click.command()
@plain_errors
def worker() -> None:
    """Run the worker alone."""
    with open_shop():
        pass
    _become(command_of("worker"))


@click.command(hidden=True)
@plain_errors
def simulator() -> None:
    """Run the pretend LINE alone (simulator mode)."""
    config = read_config()
    if not config.simulator:
        raise click.ClickException("there is a simulator in simulator mode only")
    _become(command_of("simulator"))


@click.command("migrate")
@plain_errors
def migrate_command() -> None:
    """Apply pending migrations. Safe to run twice, or from two machines at once."""
    config = read_config()
    database.open_database(config.database_url)
    _migrate(quiet=False)


def _migrate(*, quiet: bool) -> None:
    names = migrate.migrate()
    for name in names:
        click.echo(f"applied {name}")
    if not names and not quiet:
        click.echo("nothing to migrate")


def _first_start(config: Config) -> None:
    # Half the house, which `flask migrate` has no use for.
    from lineadmin.cli.first_start import first_start
    from lineadmin.staff.models import Staff

    first_start(config)
    if not Staff.select().exists():
        click.echo(
            "lineadmin: nobody can sign in yet. Run: flask staff create EMAIL --role owner",
            err=True,
        )


def _become(command: list[str]) -> None:
    """Replace this process, so that signals reach the one that serves."""
    environment = {key: value for key, value in os.environ.items() if key != "FLASK_RUN_FROM_CLI"}
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # noqa: S606
