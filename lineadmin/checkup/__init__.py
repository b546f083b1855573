"""The doctor: is everything as it must be for messages to come and go, and what to do if not."""
