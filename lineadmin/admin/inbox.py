"""Messages nobody answered: being written (list, mark as done)."""
