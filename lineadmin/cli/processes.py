"""The command lines of our processes. None carries a secret: those stay in the environment."""

from __future__ import annotations

import sys

MODULES = {
    "web": "lineadmin.cli.web_server",
    "worker": "lineadmin.tasks.worker",
    "simulator": "lineadmin.simulator.serve",
}


def command_of(role: str) -> list[str]:
    """What to execute for web, worker or simulator."""
    return [sys.executable, "-m", MODULES[role]]
