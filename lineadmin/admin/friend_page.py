"""One friend's page: being written (timeline, answer box, data card)."""
