"""Everything that is LINE's: its limits, its signatures, its errors, and the one way out to it."""
