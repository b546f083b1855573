"""The worker's loops: woken, polling, never ended by an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lineadmin.tasks import loops
from lineadmin.tasks.loops import Loop
from tests.conftest import PATIENCE


@pytest.fixture
def started(db: Any) -> Any:
    running: list[Loop] = []

    def start(work: Callable[[], int], **more: Any) -> Loop:
        loop = Loop("test", work, **{"is_due": lambda: False, "poll": 30.0, "full": 60.0, **more})
        running.append(loop)
        loop.start()
        return loop

    yield start
    for loop in running:
        loop.request_stop()
        loop.join(PATIENCE)
        assert not loop.is_alive()


class Work:
    """Counts how often it was called; answers what it is told to."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.called = threading.Condition()

    def __call__(self) -> int:
        with self.called:
            self.calls += 1
            self.called.notify_all()
            answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reaches(self, calls: int, seconds: float = PATIENCE) -> bool:
        with self.called:
            return self.called.wait_for(lambda: self.calls >= calls, seconds)


def test_it_looks_when_it_is_woken_and_not_before(started: Any) -> None:
    work = Work()
    loop = started(work)
    time.sleep(0.2)
    assert work.calls == 0
    loop.wake()
    assert work.reaches(1)
    time.sleep(0.2)
    assert work.calls == 1


def test_it_finds_what_is_due_by_itself(started: Any) -> None:
    work = Work()
    due = [False]
    started(work, is_due=lambda: due[0], poll=0.05)
    assert work.reaches(1)  # the first look is a full one
    time.sleep(0.3)
    assert work.calls == 1
    due[0] = True
    assert work.reaches(3)


def test_a_full_look_comes_even_where_nothing_seems_due(started: Any) -> None:
    work = Work()
    started(work, poll=0.02, full=0.1)
    assert work.reaches(4)


def test_it_goes_on_at_once_while_there_is_more_and_wakes_those_after_it(started: Any) -> None:
    work, after = Work(5, 5, 0), threading.Event()
    loop = started(work)
    loop.wakes = [after.set]
    loop.wake()
    assert work.reaches(3)
    assert after.is_set()
    time.sleep(0.2)
    assert work.calls == 3


def test_an_error_is_survived(started: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE_SECONDS", 0.05)
    work = Work(ValueError("broken"), ValueError("broken"), 1)
    loop = started(work, is_due=lambda: True, poll=0.02)
    assert work.reaches(5)
    assert loop.is_alive()


def test_a_stop_is_quick_even_in_a_pause(started: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE_SECONDS", 120)
    work = Work(*[ValueError("broken")] * 50)
    loop = started(work, is_due=lambda: True, poll=0.02)
    assert work.reaches(1)
    loop.request_stop()
    loop.join(PATIENCE)
    assert not loop.is_alive()
