"""Friends, their tags, sources and attributes."""
