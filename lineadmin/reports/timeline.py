"""What happened with one friend, from every source, newest first: being written."""
