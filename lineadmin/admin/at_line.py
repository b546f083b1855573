"""A call to LINE while somebody waits for the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lineadmin import config
from lineadmin.line.gateway import Gateway


@contextmanager
def at_line() -> Iterator[Gateway]:
    """A gateway for this request. Never within a transaction: LINE may take its time."""
    gateway = Gateway(config.current())
    try:
        yield gateway
    finally:
        gateway.close()
