"""The list of friends: being written (search, filters, bulk tags, import, export)."""
