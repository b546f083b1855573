"""Members of the shop and their points, and the link to each friend's own pages."""

from lineadmin.members import known_to_tills  # noqa: F401  (tells purchases whose a number is)
