"""Names the platform hands out: user ids, event ids, tokens."""

import base64
import hashlib
import hmac
import secrets
import time
from uuid import uuid4

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def user_id(seed: str) -> str:
    """A user id that is the same for the same seed."""
    return "U" + hashlib.blake2b(seed.encode(), digest_size=16).hexdigest()


def new_user_id() -> str:
    """A user id nobody had before."""
    return "U" + secrets.token_hex(16)


def ulid(at_ms: int) -> str:
    """A webhook event id: 48 bits of time, 80 random bits."""
    value = (at_ms << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def reply_token() -> str:
    """A token that buys one reply."""
    return secrets.token_hex(16)


def coupon_id() -> str:
    """The id of one of LINE's coupons."""
    return ulid(time.time_ns() // 1_000_000)


def request_id() -> str:
    """The value of ``x-line-request-id``."""
    return str(uuid4())


def chat_token(secret: str, purpose: str, user: str, message_id: str) -> str:
    """A token bound to one message in one chat (quote, mark as read); made again to check."""
    digest = hmac.new(secret.encode(), f"{purpose}|{user}|{message_id}".encode(), "sha256").digest()
    return f"{message_id}.{base64.urlsafe_b64encode(digest[:18]).decode()}"


def signature(secret: str, body: bytes) -> str:
    """The value of ``x-line-signature`` for a webhook body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
