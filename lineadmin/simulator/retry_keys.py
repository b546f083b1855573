"""X-Line-Retry-Key: a request is accepted once per key, for 24 hours.

Source: Messaging API reference, "Retry a failed API request".
"""

import hashlib
import json
import re
from uuid import UUID

from lineadmin.simulator.exchange import Context, Refusal
from lineadmin.simulator.records import RETRY_KEY_MS, RetryKey
from lineadmin.simulator.wire import Request
from lineadmin.simulator.world import World

RETRY_MESSAGE = "The retry key is already accepted"
SENDS = ("push", "multicast", "broadcast", "narrowcast")
_RETRY_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def note_retry_key(world: World, context: Context) -> None:
    """Remember the key from its first request on, even one that a fault will swallow.

    The same key with another body or other recipients is what LINE tells senders never to do: it
    would answer 409 for a message nobody got. Here it is refused, and noted as an abuse.
    """
    given = context.call.retry_key
    if given is None:
        return
    if context.endpoint not in SENDS:
        world.report_abuse(
            "retry_key_not_supported", endpoint=context.endpoint, request_id=context.request_id
        )
        context.retry_refusal = Refusal(400, "The retry key can't be used with this endpoint")
        return
    if not _RETRY_KEY.fullmatch(given):
        context.retry_refusal = Refusal(
            400, "The value of the X-Line-Retry-Key header is not a valid UUID"
        )
        return
    key = str(UUID(given))
    fingerprint = _fingerprint(context.request)
    with world.lock:
        known = world.retry_keys.get(key)
        if known is not None and context.now_ms - known.first_ms > RETRY_KEY_MS:
            world.report_abuse("retry_key_expired", key=key, request_id=context.request_id)
            known = None
        if known is None:
            known = RetryKey(key, context.endpoint, fingerprint, context.now_ms)
            world.retry_keys[key] = known
            world.save_retry_key(known)
        elif known.fingerprint != fingerprint or known.endpoint != context.endpoint:
            world.report_abuse(
                "retry_key_other_body",
                key=key,
                request_id=context.request_id,
                first_request_id=known.request_id,
            )
            context.retry_refusal = Refusal(400, "The retry key was used with another request body")
    context.retry = known


def _fingerprint(request: Request) -> str:
    try:
        content = json.dumps(request.json(), sort_keys=True).encode()
    except ValueError:
        content = request.body
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def answered_before(context: Context) -> None:
    """Refuse with 409 when this key was accepted; the caller holds the world's lock.

    :raises Refusal: 409, with the id of the request that was accepted
    """
    retry = context.retry
    if retry is None or retry.request_id is None:
        return
    refusal = Refusal(409, RETRY_MESSAGE)
    if retry.sent_messages is not None:
        refusal.body["sentMessages"] = retry.sent_messages
    refusal.headers["x-line-accepted-request-id"] = retry.request_id
    context.call.accepted_request_id = retry.request_id
    raise refusal


def close_retry_key(
    world: World, context: Context, sent_messages: list[dict[str, str]] | None
) -> None:
    """The request is accepted: from now on its key answers 409."""
    retry = context.retry
    if retry is not None:
        retry.request_id = context.request_id
        retry.sent_messages = sent_messages
        world.save_retry_key(retry)
