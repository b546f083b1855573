"""A whole shop as one YAML file, in and out."""
