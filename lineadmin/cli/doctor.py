"""`flask doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import click

from lineadmin import clock
from lineadmin import db as database
from lineadmin.checkup import look as checkup
from lineadmin.checkup.look import BAD, INFO, OK, WARN, Finding
from lineadmin.checkup.words import tell
from lineadmin.cli.session import plain_errors, read_config
from lineadmin.errors import ConfigError
from lineadmin.line.gateway import Gateway

SIGNS = {OK: "ok", INFO: "note", WARN: "warn", BAD: "BAD"}


@click.command()
@plain_errors
def doctor() -> None:
    """Check settings, database, worker and the LINE connection. Exit code 1: something is bad."""
    logging.basicConfig(level=logging.ERROR)
    worst = False
    for finding in _examine():
        told = tell(finding)
        click.echo(f"{SIGNS[finding.kind]:<5}{told.area}: {told.found}")
        if told.todo:
            click.echo(f"     -> {told.todo}")
        worst = worst or finding.kind == BAD
    if worst:
        sys.exit(1)


def _examine() -> Iterator[Finding]:
    try:
        config = read_config()
    except ConfigError as error:
        raise ConfigError(error.variable, f"{error.problem} (nothing else was checked)") from None
    database.open_database(config.database_url)
    clock.allow_moving(config.simulator)
    yield from checkup.examine(config, Gateway(config), now=clock.now, wall=clock.wall())
