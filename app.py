"""The WSGI application: what `gunicorn "app:create_app()"` and the `flask` command find."""

from __future__ import annotations

import os
import sys

from flask import Flask

from lineadmin import application
from lineadmin.errors import ConfigError


def create_app() -> Flask:
    """The application for this process's environment; a bad setting ends it with one sentence.

    The shell's commands look at migrations themselves: `flask migrate` must start without them.
    """
    try:
        return application.create_app(check_migrations="FLASK_RUN_FROM_CLI" not in os.environ)
    except ConfigError as error:
        sys.exit(f"lineadmin: {error}")
