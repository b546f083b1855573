"""Topics friends subscribe to, and the ledger of what they agreed to."""
