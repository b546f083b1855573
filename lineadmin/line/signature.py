"""Is this webhook really from LINE? HMAC-SHA256 over the raw bytes, in constant time.

Source: https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/ (2026-08-07)
"""

from __future__ import annotations

import base64
import hashlib
import hmac


def sign(body: bytes, secret: str) -> str:
    """The value of `x-line-signature` for `body`."""
    digest = hmac.new(secret.encode("utf-8"), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def verify(body: bytes, signature: str | None, secret: str) -> bool:
    """True when `signature` was made over exactly these bytes with our channel secret.

    A missing header, a missing secret and any nonsense in the header are simply False.
    """
    if not signature or not secret:
        return False
    return hmac.compare_digest(sign(body, secret).encode("ascii"), signature.encode("utf-8"))
