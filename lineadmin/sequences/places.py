"""How a delivery names the run, branch and step it belongs to, in one number."""

from __future__ import annotations

RUN_FACTOR, BRANCH_FACTOR = 1_000, 100


def origin_run(run: int, branch: int, step: int) -> int:
    """How a delivery names its place: enrolment run, branch and step (from 1)."""
    return run * RUN_FACTOR + branch * BRANCH_FACTOR + step


def place_of(run_number: int) -> tuple[int, int]:
    """Branch and step (from 1) of a delivery's `origin_run`."""
    return run_number % RUN_FACTOR // BRANCH_FACTOR, run_number % BRANCH_FACTOR
