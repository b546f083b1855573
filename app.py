"""The WSGI application: what the web server and the `flask` command find."""

from __future__ import annotations

import multiprocessing
import os
import sys

from flask import Flask

from lineadmin import cli
from lineadmin.errors import ConfigError
from lineadmin.family import PARENT, end_with_supervisor


def create_app() -> Flask:
    """The application for this process's environment; a bad setting ends it with one sentence.

    Our own shell commands get an application without screens: they start sooner, and
    `flask migrate` must work before the tables exist.
    """
    if multiprocessing.parent_process() is not None and os.environ.get(PARENT):
        end_with_supervisor(os.getppid())  # the web server's worker must not outlive it
    commands = cli.asked_for(sys.argv)
    if commands:
        return cli.shell_app(commands)
    from lineadmin import application

    try:
        return application.create_app(check_migrations="FLASK_RUN_FROM_CLI" not in os.environ)
    except ConfigError as error:
        sys.exit(f"lineadmin: {error}")
