"""`flask staff`: people who may sign in."""

from __future__ import annotations

import sys

import click

from lineadmin import clock
from lineadmin.cli.session import open_shop, plain_errors
from lineadmin.errors import DomainError
from lineadmin.staff import actions
from lineadmin.staff.models import Staff
from lineadmin.staff.permissions import OWNER, ROLES

password_option = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input instead of making one up.",
)


@click.group()
def staff() -> None:
    """Add people and give new passwords."""


@staff.command("create")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default=OWNER, show_default=True)
@click.option("--name", default="", help="The name others see; the address's first part if empty.")
@password_option
@plain_errors
def create(email: str, role: str, name: str, password_stdin: bool) -> None:
    """Let EMAIL sign in."""
    given = _read_password() if password_stdin else None
    with open_shop():
        person, password = actions.create(
            email, name, role, by=None, wall=clock.wall(), password=given
        )
        click.echo(f"{person.email} may sign in as {role}")
        _print_once(None if given else password)


@staff.command("password")
@click.argument("email")
@password_option
@plain_errors
def password_command(email: str, password_stdin: bool) -> None:
    """Give EMAIL a new password; every session of theirs ends."""
    given = _read_password() if password_stdin else None
    with open_shop():
        person = Staff.get_or_none(Staff.email == email.strip().lower())
        if person is None:
            raise DomainError(f"nobody here has the address {email}")
        password = actions.reset_password(person.id, by=None, wall=clock.wall(), password=given)
        click.echo(f"{person.email} has a new password")
        _print_once(None if given else password)


def _read_password() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise DomainError("there is no password on standard input")
    return password


def _print_once(password: str | None) -> None:
    if password is not None:
        click.echo(f"password: {password}")
        click.echo("It is shown only now and has to be changed at the first sign-in.")
