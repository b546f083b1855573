"""The people who run the shop: signing in, roles, and the record of what they changed."""
