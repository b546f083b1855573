"""What CI does with a test that fails: few are tried once more and named, promises never."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import run

FAILS_THE_FIRST_TIME = """
from pathlib import Path

def test_it():
    seen = Path("seen")
    seen.write_text(seen.read_text() + "x" if seen.exists() else "x")
    assert seen.read_text() != "x"
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty suite, in the current folder, as CI sees it."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(suite: Path, name: str, words: str) -> None:
    file = suite / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(words)


def tried(suite: Path, environment: dict[str, str]) -> tuple[int, int]:
    code = run._pytest("half", [], environment)
    seen = suite / "seen"
    return code, len(seen.read_text()) if seen.exists() else 0


@pytest.mark.parametrize(
    ("name", "ci", "outcome"),
    [
        ("tests/web/test_page.py", "true", (0, 2)),
        ("tests/web/test_page.py", "", (1, 1)),
        ("tests/outbox/test_once.py", "true", (1, 1)),
        ("tests/test_crash.py", "true", (1, 1)),
    ],
)
def test_one_that_fails_once(
    suite: Path, capfd: pytest.CaptureFixture[str], name: str, ci: str, outcome: tuple[int, int]
) -> None:
    put(suite, name, FAILS_THE_FIRST_TIME)
    assert tried(suite, {"CI": ci}) == outcome
    assert ("UNSTEADY, to be mended:" in capfd.readouterr().out) == (outcome[0] == 0)


def test_one_that_fails_twice_fails(suite: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(suite, "tests/test_page.py", "def test_it():\n    assert False\n")
    assert tried(suite, {"CI": "true"}) == (1, 0)
    said = capfd.readouterr().out
    assert "A second try" in said
    assert "UNSTEADY" not in said


def test_many_that_fail_have_no_second_try(suite: Path) -> None:
    more = "".join(
        f"\ndef test_{number}():\n    assert Path('seen').stat().st_size > 1\n"
        for number in range(3)
    )
    put(suite, "tests/test_page.py", FAILS_THE_FIRST_TIME + more)
    assert tried(suite, {"CI": "true"}) == (1, 1)
