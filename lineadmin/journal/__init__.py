"""Facts about friends, append-only: what triggers, segments, timelines and reports read."""

from lineadmin.journal.record import record, record_each, record_many

__all__ = ["record", "record_each", "record_many"]
