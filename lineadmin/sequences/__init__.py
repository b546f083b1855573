"""Step messages: where a friend came from, when, and who."""
