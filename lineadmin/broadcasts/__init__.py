"""One message to many friends, now or at a set time."""
