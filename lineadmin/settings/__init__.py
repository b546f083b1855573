"""What the shop edits about itself, and the marks processes leave for each other."""
