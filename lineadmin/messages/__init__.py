"""What a message consists of, how it is checked, and how it becomes LINE's JSON."""
