"""The command lines of our processes. None carries a secret: those stay in the environment."""

from __future__ import annotations

import sys

from lineadmin.config import Config

THREADS = 4  # more make the webhook's answers later: SQLite has one writer
GRACE_SECONDS = 8


def command_of(role: str, config: Config) -> list[str]:
    """What to execute for web, worker or simulator."""
    if role == "web":
        return web_command(config)
    if role == "worker":
        return [sys.executable, "-m", "lineadmin.tasks.worker"]
    return [sys.executable, "-m", "lineadmin.simulator.serve"]


def web_command(config: Config) -> list[str]:
    """gunicorn with one process of four threads; on a dyno for all the world, else for us alone."""
    host = "0.0.0.0" if config.dyno else "127.0.0.1"  # noqa: S104
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--config=python:lineadmin.cli.gunicorn_settings",
        f"--bind={host}:{config.port}",
        "--worker-class=gthread",
        "--workers=1",
        f"--threads={THREADS}",
        "--timeout=60",
        "--keep-alive=5",
        f"--graceful-timeout={GRACE_SECONDS}",
        "--no-control-socket",
        "--log-level=warning",
        "app:create_app()",
    ]
