"""`flask shop`: the whole set-up of a shop as one file."""

from __future__ import annotations

from pathlib import Path

import click

from lineadmin import clock, shopfile
from lineadmin.cli.session import open_shop, plain_errors
from lineadmin.errors import DomainError
from lineadmin.shopfile.errors import ShopFileError, ShopFileErrors
from lineadmin.staff.models import Staff
from lineadmin.staff.permissions import OWNER


@click.group()
def shop() -> None:
    """Write the shop's set-up to a YAML file, or load it from one."""


@shop.command("load")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@plain_errors
def load_command(file: Path, dry_run: bool) -> None:
    """Load FILE: adds and changes, deletes nothing. Any mistake, and nothing changes."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DomainError(f"{file} is not UTF-8") from None
    with open_shop() as config:
        try:
            report = shopfile.load(
                text,
                staff=owner(),
                now=clock.now(),
                wall=clock.wall(),
                public_url=config.public_url,
                dry_run=dry_run,
            )
        except ShopFileErrors as errors:
            lines = [f"{file}: {error}" for error in errors.errors]
            raise DomainError("\n".join([*lines, "Nothing was changed."])) from None
        except ShopFileError as error:
            raise DomainError(f"{file}: {error}\nNothing was changed.") from None
    for line in report.lines():
        click.echo(line)
    if dry_run:
        click.echo("Nothing was changed: this was a dry run.")


@shop.command("dump")
@plain_errors
def dump_command() -> None:
    """Write the shop's set-up to standard output."""
    with open_shop():
        click.echo(shopfile.dump(), nl=False)


def owner() -> Staff | None:
    """The first owner: a file counts as confirmed and approved by the shop's owner."""
    found: Staff | None = (
        Staff.select().where(Staff.role == OWNER, Staff.active).order_by(Staff.id).first()
    )
    return found
