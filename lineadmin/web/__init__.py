"""Doors for LINE and for friends: the webhook, coupons, pictures, health."""
