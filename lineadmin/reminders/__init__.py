"""Reminders before a coupon ends, to those who hold it and have not used it."""
