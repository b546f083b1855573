"""A pretend LINE platform behind HTTP, with its own database, its own limits and its own phones."""
