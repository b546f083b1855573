"""Coupons, the copies friends hold, and their redemption."""
