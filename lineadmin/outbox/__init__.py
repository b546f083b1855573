"""Deliveries and shipments: the promise that each friend gets each message once."""
