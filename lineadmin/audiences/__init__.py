"""Audiences at LINE: segments handed over to it, and those that were made in its own manager."""
