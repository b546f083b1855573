"""In which sequences friends move: the one condition that planning, sending and reports share."""

from __future__ import annotations

from typing import Any

from lineadmin.sequences.actions import FINISH
from lineadmin.sequences.models import Sequence


def moving() -> Any:
    """A condition on Sequence: enabled, or switched off so that those underway finish."""
    going = (Sequence.enabled == True) | (Sequence.when_off == FINISH)  # noqa: E712
    return Sequence.archived_at.is_null() & going
