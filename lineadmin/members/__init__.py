"""Members of the shop and their points, and the link to each friend's own pages."""
