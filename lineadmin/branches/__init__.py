"""The shop's branches, and which of them is nearest to a place a friend sent."""
