"""`flask friends`: friends in and out as CSV."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lineadmin import clock, i18n
from lineadmin.cli.session import open_shop, plain_errors
from lineadmin.friends.csv_export import export_csv
from lineadmin.friends.csv_import import import_csv
from lineadmin.staff import audit

ERRORS_SHOWN = 50


@click.group()
def friends() -> None:
    """Import friends from a CSV, or export them all."""


@friends.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@plain_errors
def import_command(file: Path) -> None:
    """Add and correct friends from FILE. Good rows are kept; exit code 1 if any row was bad."""
    with open_shop(), file.open("rb") as opened:
        result = import_csv(opened, staff=None, now=clock.now(), wall=clock.wall(), name=file.name)
    for line, column, sentence in result.errors[:ERRORS_SHOWN]:
        place = f"{column}: " if column else ""
        click.echo(f"{file}: line {line}: {place}{sentence}", err=True)
    if result.failed > ERRORS_SHOWN:
        click.echo(f"… and {result.failed - ERRORS_SHOWN:,} more", err=True)
    click.echo(
        f"{result.rows:,} rows: {result.created:,} new, {result.updated:,} changed, "
        f"{result.unchanged:,} as they were, {result.failed:,} refused"
    )
    if result.new_tags:
        click.echo(f"new tags: {', '.join(result.new_tags)}")
    if result.failed:
        sys.exit(1)


@friends.command("export")
@plain_errors
def export_command() -> None:
    """Write all friends to standard output, in the form that import takes."""
    with open_shop():
        i18n.set_locale(i18n.DEFAULT_LOCALE)
        for piece in export_csv():
            click.echo(piece, nl=False)
        audit.record(None, "friend.export", "friend", 0, "flask friends export", wall=clock.wall())
