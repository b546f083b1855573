"""Running `flask …` as a person would: in this process where that is the same, else in its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from lineadmin import cli, clock, i18n
from lineadmin import config as configuration
from lineadmin import db as database

ROOT = Path(__file__).parent.parent.parent
FLASK = str(Path(sys.executable).parent / "flask")


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Everything it printed."""
        return f"{self.out}\n{self.err}"


@dataclass(frozen=True)
class Shell:
    """A terminal with the environment of one shop."""

    environment: dict[str, str]

    def flask(self, *arguments: str, stdin: str | None = None, **more: str) -> Done:
        """Run a command to its end; `more` are further environment variables.

        Commands that turn into another process are only recorded: `become: …` in `out`.
        """
        became: list[str] = []

        def become(program: str, command: list[str], environment: dict[str, str]) -> None:
            became.append(" ".join(command))
            assert "FLASK_RUN_FROM_CLI" not in environment

        with _environment({**self.environment, **more}), patch("os.execve", become):
            runner = cli.shell_app(arguments[:1]).test_cli_runner()
            result = runner.invoke(args=list(arguments), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        out = result.stdout + "".join(f"become: {line}\n" for line in became)
        return Done(result.exit_code, out, result.stderr)

    def process(self, *arguments: str, **more: str) -> Done:
        """The same in a process of its own."""
        done = subprocess.run(
            [FLASK, *arguments],
            cwd=ROOT,
            env={**self.environment, **more},
            text=True,
            capture_output=True,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, log: Path, **more: str) -> subprocess.Popen[bytes]:
        """Start a command in a process of its own and leave it running."""
        with log.open("wb") as file:
            return subprocess.Popen(
                [FLASK, *arguments],
                cwd=ROOT,
                env={**self.environment, **more},
                stdout=file,
                stderr=subprocess.STDOUT,
            )


def shell(var_dir: Path, database_url: str, **more: str) -> Shell:
    """A terminal of a shop that talks to no LINE, with nothing else of this test run's settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LINE_", "PYTEST_", "TEST_", "DATABASE", "REDIS", "OWNER"))
    }
    return Shell(
        {
            **kept,
            "VAR_DIR": str(var_dir),
            "DATABASE_URL": database_url,
            "SECRET_KEY": "a-secret-key-for-the-tests-only",
            "SIMULATOR": "0",
            "LINE_CHANNEL_SECRET": "channel-secret",
            "LINE_CHANNEL_ACCESS_TOKEN": "channel-token",
            "LINE_API_BASE": "http://127.0.0.1:9",
            "LINE_DATA_API_BASE": "http://127.0.0.1:9",
            "PUBLIC_URL": "https://shop.example",
            **more,
        }
    )


@contextmanager
def _environment(environment: dict[str, str]) -> Iterator[None]:
    """A fresh process's view: these variables, nothing configured, no open database."""
    before = getattr(database.db, "obj", None)
    if before is not None and not before.is_closed():
        before.close()
    previous = configuration._current
    configuration._current = None
    try:
        with patch.dict(os.environ, environment, clear=True):
            yield
    finally:
        configuration._current = previous
        clock.allow_moving(False)
        i18n.set_locale(i18n.DEFAULT_LOCALE)
        if before is not None:
            database.db.initialize(before)
