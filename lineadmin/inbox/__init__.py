"""Webhook events: stored before anything else, then dispatched to the rooms."""
