"""Questions asked of everything, changing nothing."""
