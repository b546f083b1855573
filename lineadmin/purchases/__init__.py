"""What friends bought: receipts and orders, what is asked about them, and notices on their way."""
