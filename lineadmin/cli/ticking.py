"""`flask tick`: everything that is due, once, for tests, cron jobs and the curious."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from lineadmin import clock, i18n, settings
from lineadmin.cli.session import open_shop, plain_errors
from lineadmin.config import Config
from lineadmin.errors import DomainError
from lineadmin.tasks import tick


@click.command("tick")
@click.option("--now", "moment", metavar="ISO", help="Shop time of this run (test servers only).")
@plain_errors
def tick_command(moment: str | None) -> None:
    """Do everything that is due, wait for what is on its way to LINE, and print the counts."""
    with open_shop() as config:
        given = None if moment is None else _moment(moment, config)
        # Messages are the shop's, whatever language this terminal speaks.
        i18n.set_locale(i18n.DEFAULT_LOCALE)
        with clock.fixed_at(given):
            counts = tick(clock.now(), clock.wall())
    click.echo(counts.line())
    if counts.failed:
        sys.exit(1)


def _moment(text: str, config: Config) -> datetime:
    """:raises DomainError: not a moment, or a real LINE would be told about it"""
    if not config.line_is_loopback:
        raise DomainError(
            "--now is for test servers: it needs LINE_API_BASE to be an address of this machine"
        )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DomainError(
            f"--now {text}: expected a moment such as 2026-11-23T11:30:00+08:00"
        ) from None
    # Without an offset it is meant on the shop's clock, as everything else people write.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=settings.shop_zone())
