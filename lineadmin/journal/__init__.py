"""Facts about friends, append-only: what triggers, segments, timelines and reports read."""
