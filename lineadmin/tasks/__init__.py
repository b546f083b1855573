"""How time comes in: the doorbell, the tick, Huey's timetable and the worker that runs them."""

from lineadmin.tasks.doorbell import ring
from lineadmin.tasks.tick import Counts, tick

__all__ = ["Counts", "ring", "tick"]
