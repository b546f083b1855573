"""Free answers by reply token: the greeting, keyword replies, staff's answers."""
