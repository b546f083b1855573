"""What every command starts with: settings, the database, and errors told in one sentence."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from peewee import InterfaceError, OperationalError, PeeweeException, ProgrammingError

from lineadmin import clock, i18n, migrate
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin.config import Config
from lineadmin.errors import ConfigError, DomainError


def plain_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Whatever goes wrong in `command` ends it with one sentence and exit code 1."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (ConfigError, DomainError) as error:
            raise click.ClickException(str(error)) from None
        except (OperationalError, InterfaceError) as error:
            raise click.ClickException(
                f"the database does not answer: {_first_line(error)}"
            ) from None
        except (PeeweeException, ProgrammingError) as error:
            raise click.ClickException(f"the database refused: {_first_line(error)}") from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from None
        except KeyboardInterrupt:
            sys.exit(130)

    return run


class OneLine(logging.Formatter):
    """A database that is down, locked, full or read-only is a line, as everything said here.

    Anything else that is logged with a traceback is a mistake of ours, which needs it.
    """

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, (OperationalError, InterfaceError)):
            return super().format(record)
        plain = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
        return f"{super().format(plain)}: {_first_line(error)}"


def read_config() -> Config:
    """This process's settings.

    :raises ConfigError: one is wrong
    """
    config = configuration.current()
    # Answers in words on the terminal; staff's screens have their own language each.
    i18n.set_locale("en")
    return config


@contextmanager
def open_shop(*, check_migrations: bool = True) -> Iterator[Config]:
    """The database, connected and up to date, for the length of a command.

    :raises ConfigError: a setting is wrong or a migration is pending
    """
    config = read_config()
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    database.open_database(config.database_url)
    clock.allow_moving(config.simulator)
    database.ensure_connection()
    try:
        if check_migrations:
            migrate.refuse_if_pending()
        yield config
    finally:
        if not database.db.is_closed():
            database.db.close()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
