"""Imports go downstairs only; only one room knows the LINE SDK; rooms know no web framework."""

import subprocess
import sys
from pathlib import Path


def test_the_floors_hold():
    # A process of its own: the linter switches off the loggers of the one it runs in.
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint], cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
