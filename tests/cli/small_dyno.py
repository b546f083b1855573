"""A supervisor whose children are small: `python -m tests.cli.small_dyno FOLDER ROLE=BEHAVIOUR …`.

Children write their process id to FOLDER/ROLE.pid and count signals in FOLDER/ROLE.signals.
Behaviours: obey (end on SIGTERM), stubborn (ignore it).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from unittest.mock import patch

from lineadmin.cli import supervisor
from lineadmin.config import load_config
from lineadmin.family import end_with_supervisor


def be_a_child(folder: Path, role: str, behaviour: str) -> None:
    """What a child does."""
    stopping = []

    def note(number: int, _frame: object) -> None:
        with (folder / f"{role}.signals").open("a") as file:
            file.write(f"{signal.Signals(number).name}\n")
        if behaviour == "obey":
            stopping.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    end_with_supervisor()
    written = folder / f"{role}.pid.new"
    written.write_text(str(os.getpid()))
    written.rename(folder / f"{role}.pid")  # whoever sees it sees the whole number
    while not stopping:
        time.sleep(0.02)


def be_the_supervisor(folder: Path, behaviours: dict[str, str]) -> int:
    """A supervisor that starts them in place of web, worker and simulator."""

    def command_of(role: str) -> list[str]:
        behaviour = behaviours.get(role, "obey")
        return [
            sys.executable,
            "-m",
            "tests.cli.small_dyno",
            "--child",
            str(folder),
            role,
            behaviour,
        ]

    with (
        patch.object(supervisor, "command_of", command_of),
        patch.object(supervisor, "GRACE_SECONDS", 2.0),
    ):
        return supervisor.Supervisor(load_config()).run()


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        be_a_child(Path(sys.argv[2]), sys.argv[3], sys.argv[4])
        sys.exit(0)
    sys.exit(be_the_supervisor(Path(sys.argv[1]), dict(one.split("=") for one in sys.argv[2:])))
