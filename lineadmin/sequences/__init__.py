"""Step messages: where a friend came from, when, and who."""

from lineadmin.sequences import promised  # noqa: F401  (tells the outbox of steps to come)
