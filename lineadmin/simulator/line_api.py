"""LINE's endpoints: what the Messaging API answers, and the order in which it refuses.

Sources: Messaging API reference; the rules about recipients, retry keys, reply tokens and quota
are spelled out at the functions that keep them.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from lineadmin.simulator import ids
from lineadmin.simulator.checks import MAX_MULTICAST, check_send, error_body
from lineadmin.simulator.faults import Fault
from lineadmin.simulator.shapes import CHAT_ID, USER_ID
from lineadmin.simulator.webhooks import Webhooks
from lineadmin.simulator.wire import Hangup, Request, Response, json_response
from lineadmin.simulator.world import NON_FRIEND_MS, RETRY_KEY_MS, Call, Phone, RetryKey, World

MAX_BODY_BYTES = 2 * 1024 * 1024

RATE_MESSAGE = "The API rate limit has been exceeded. Try again later."
QUOTA_MESSAGE = "You have reached your monthly limit."
RETRY_MESSAGE = "The retry key is already accepted"
UNKNOWN_MESSAGE = "Failed to send messages"
UNAUTHORIZED = (
    "Authentication failed due to the following reason: invalid token. "
    "Confirm that the access token in the authorization header is valid."
)

SENDS = ("push", "multicast", "broadcast", "narrowcast")
QUOTABLE = ("text", "textV2", "sticker", "image", "video", "template", "flex")

_RETRY_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Refusal(Exception):
    """An error answer in LINE's shape."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, **more}
        self.headers: dict[str, str] = {}


@dataclass(slots=True)
class Context:
    """One call on its way through: the request, what it matched and what the log will say."""

    request: Request
    endpoint: str
    params: tuple[str, ...]
    call: Call
    now_ms: int
    retry: RetryKey | None = None
    retry_refusal: Refusal | None = None

    @property
    def request_id(self) -> str:
        """The value of ``x-line-request-id``."""
        return self.call.request_id


Handler = Callable[["LineApi", Context], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint."""

    method: str
    pattern: re.Pattern[str]
    endpoint: str
    handler: Handler
    needs_token: bool = True
    content_types: tuple[str, ...] = ()


class LineApi:
    """Answers as LINE does. ``on_request`` sees every request and its answer (for tests)."""

    def __init__(
        self,
        world: World,
        webhooks: Webhooks,
        routes: list[Route],
        on_request: Callable[[Request, Response | None], None] | None = None,
    ) -> None:
        self.world = world
        self.webhooks = webhooks
        self.on_request = on_request
        self._fixed: dict[tuple[str, str], Route] = {}
        self._open: list[Route] = []
        for route in routes:
            if "(" in route.pattern.pattern:
                self._open.append(route)
            else:
                path = route.pattern.pattern.replace("\\", "")
                self._fixed[route.method, path] = route

    def __call__(self, request: Request) -> Response:
        """Answer one request, log it, and let the faults in force do their work."""
        began = monotonic()
        route, params = self._match(request)
        endpoint = route.endpoint if route else "unknown"
        world = self.world
        call = Call(
            n=0,
            at_ms=world.real_ms(),
            endpoint=endpoint,
            method=request.method,
            path=request.path,
            status=0,
            request_id=ids.request_id(),
            retry_key=request.headers.get("x-line-retry-key"),
        )
        context = Context(request, endpoint, params, call, call.at_ms)
        response: Response | None = None
        try:
            response = self._answer(route, context)
            return response
        finally:
            call.took_ms = round((monotonic() - began) * 1000, 2)
            if response is not None:
                call.status = response.status
            world.log(call)
            if self.on_request is not None:
                self.on_request(request, response)

    def _match(self, request: Request) -> tuple[Route | None, tuple[str, ...]]:
        route = self._fixed.get((request.method, request.path))
        if route is not None:
            return route, ()
        for candidate in self._open:
            found = candidate.pattern.fullmatch(request.path)
            if found and candidate.method == request.method:
                return candidate, found.groups()
        return None, ()

    def _answer(self, route: Route | None, context: Context) -> Response:
        world = self.world
        wait = world.faults.wait_seconds(context.endpoint)
        if wait:
            sleep(wait)
        fault = world.faults.draw(context.endpoint) if route else None
        try:
            if route is None:
                raise Refusal(404, "Not found")
            note_retry_key(world, context)
            if fault is not None:
                context.call.fault = fault.kind
                if not fault.after:
                    _fail_before(fault)
            self._admit(route, context)
            if context.retry_refusal is not None:
                raise context.retry_refusal
            response = route.handler(self, context)
        except Refusal as refusal:
            context.call.error = refusal.body.get("message") or refusal.body.get("error")
            response = json_response(refusal.status, refusal.body)
            response.headers.update(refusal.headers)
        if fault is not None and fault.after and (response.status < 300 or response.status == 409):
            if fault.kind != "accept_500":
                raise Hangup(fault.hold_seconds)
            response = json_response(500, {"message": "Internal server error"})
        response.headers["x-line-request-id"] = context.request_id
        return response

    def _admit(self, route: Route, context: Context) -> None:
        """Token, rate, size and media type, before anything reads the body."""
        request = context.request
        if route.needs_token:
            self._check_token(request)
        if not self.world.buckets.take(route.endpoint):
            raise Refusal(429, RATE_MESSAGE)
        if len(request.body) > MAX_BODY_BYTES:
            raise Refusal(413, "Payload too large")
        if route.content_types and (request.body or route.endpoint != "webhook_test"):
            given = request.headers.get("content-type", "").split(";")[0].strip().lower()
            if given not in route.content_types:
                raise Refusal(415, "Unsupported media type")

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(
                401,
                "Authentication failed due to the following reason: missing or malformed "
                "authorization header.",
            )
        if token == self.world.access_token:
            return
        ends = self.world.tokens.get(token)
        if ends is None or ends <= self.world.real_ms():
            raise Refusal(401, UNAUTHORIZED)


def _fail_before(fault: Fault) -> None:
    """Fail without accepting anything."""
    if fault.kind.endswith("_before"):
        raise Hangup(fault.hold_seconds)
    status, message = {
        "500": (500, "Internal server error"),
        "429": (429, RATE_MESSAGE),
        "monthly": (429, QUOTA_MESSAGE),
        "401": (401, UNAUTHORIZED),
        "400": (400, UNKNOWN_MESSAGE),
        "403": (403, "Not available for your plan or account"),
    }[fault.kind]
    raise Refusal(status, message)


def ok(value: Any = None, status: int = 200) -> Response:
    """A success; most of LINE's are an empty object."""
    return json_response(status, {} if value is None else value)


def parse_body(context: Context) -> Any:
    """The JSON body.

    :raises Refusal: it is not JSON
    """
    try:
        return context.request.json()
    except ValueError:
        raise Refusal(
            400, "The request body could not be parsed as JSON (line: 1, column: 1)"
        ) from None


def checked_body(kind: str, context: Context) -> dict[str, Any]:
    """The JSON body of a send request without problems.

    :raises Refusal: 400 with the problems
    """
    body = parse_body(context)
    details = check_send(kind, body)
    if details:
        answer = error_body(details)
        raise Refusal(400, answer["message"], details=details)
    checked: dict[str, Any] = body
    context.call.messages = len(checked["messages"])
    return checked


# reply, push, multicast, broadcast, narrowcast


def reply(api: LineApi, context: Context) -> Response:
    """Answer an event for free. The token works once, for a minute from the webhook's receipt."""
    world = api.world
    body = checked_body("reply", context)
    if not isinstance(body["replyToken"], str):
        raise Refusal(400, "Invalid reply token")
    with world.lock:
        token = world.reply_tokens.get(body["replyToken"])
        if token is None or not token.alive(context.now_ms):
            if token is not None and token.used:
                world.report_abuse("reply_token_reused", request_id=context.request_id)
            raise Refusal(400, "Invalid reply token")
        phone = world.phones[token.user_id]
        _check_quotes(world, phone, body["messages"])
        token.used = True
        world.save_reply_token(token)
        reached = [phone] if phone.status != "blocked" else []
        return ok({"sentMessages": _send(api, context, body, reached, [phone])})


def push(api: LineApi, context: Context) -> Response:
    """Send to one person. 200 and silence for people who blocked; 400 for ids unknown here."""
    body = checked_body("push", context)
    world = api.world
    to = body["to"]
    if not isinstance(to, str) or not CHAT_ID.fullmatch(to):
        raise Refusal(
            400, "The property, 'to', in the request body is invalid (line: -, column: -)"
        )
    context.call.recipients = 1
    with world.lock:
        answered_before(context)
        phone = world.phones.get(to)
        if phone is None:
            raise Refusal(400, UNKNOWN_MESSAGE)
        _check_quotes(world, phone, body["messages"])
        reached = [phone] if _push_reaches(world, phone) else []
        _spend(world, len(reached))
        sent_messages = _send(api, context, body, reached, [phone])
        close_retry_key(api.world, context, sent_messages)
        _count_units(world, body)
    return ok({"sentMessages": sent_messages})


def multicast(api: LineApi, context: Context) -> Response:
    """Send to up to 500 friends. One unknown id fails the whole call and nobody is messaged."""
    body = checked_body("multicast", context)
    world = api.world
    to = body["to"]
    if not isinstance(to, list):
        raise Refusal(
            400, "The property, 'to', in the request body is invalid (line: -, column: -)"
        )
    if not 1 <= len(to) <= MAX_MULTICAST:
        _refuse_to(f"Size must be between 1 and {MAX_MULTICAST}")
    for index, user_id in enumerate(to):
        if not isinstance(user_id, str) or not USER_ID.fullmatch(user_id):
            raise Refusal(
                400,
                f"The property, 'to[{index}]', in the request body is invalid (line: -, column: -)",
            )
    if len(set(to)) != len(to):
        _refuse_to("must not contain the same user ID twice")
    context.call.recipients = len(to)
    with world.lock:
        answered_before(context)
        phones = [world.phones.get(user_id) for user_id in to]
        if None in phones:
            raise Refusal(400, UNKNOWN_MESSAGE)
        reached = [phone for phone in phones if phone is not None and phone.status == "friend"]
        _spend(world, len(reached))
        _send(api, context, body, reached, [])
        close_retry_key(api.world, context, None)
        _count_units(world, body)
    return ok()


def _refuse_to(message: str) -> None:
    details = [{"message": message, "property": "to"}]
    raise Refusal(400, error_body(details)["message"], details=details)


def broadcast(api: LineApi, context: Context) -> Response:
    """Send to every friend."""
    body = checked_body("broadcast", context)
    world = api.world
    with world.lock:
        answered_before(context)
        reached = [phone for phone in world.phones.values() if phone.status == "friend"]
        context.call.recipients = len(reached)
        _spend(world, len(reached))
        _send(api, context, body, reached, [])
        close_retry_key(api.world, context, None)
    return ok()


def narrowcast(api: LineApi, context: Context) -> Response:
    """Accept a send to all friends (no audiences or attributes in this world) and do it at once."""
    body = checked_body("narrowcast", context)
    if body.get("recipient") is not None or body.get("filter") is not None:
        raise Refusal(400, "audiences and attribute filters are not part of this simulator")
    limit = body.get("limit") or {}
    most = limit.get("max") if isinstance(limit, dict) else 0
    if most is not None and (not isinstance(most, int) or most < 1):
        details = [{"message": "must be greater than or equal to 1", "property": "limit.max"}]
        raise Refusal(400, error_body(details)["message"], details=details)
    world = api.world
    with world.lock:
        answered_before(context)
        reached = [phone for phone in world.phones.values() if phone.status == "friend"][:most]
        context.call.recipients = len(reached)
        _spend(world, len(reached))
        _send(api, context, body, reached, [])
        close_retry_key(api.world, context, None)
        world.narrowcasts[context.request_id] = {
            "phase": "succeeded",
            "successCount": len(reached),
            "failureCount": 0,
            "targetCount": len(reached),
            "acceptedTime": iso_time(context.now_ms),
            "completedTime": iso_time(context.now_ms),
        }
    return ok(status=202)


def validate(api: LineApi, context: Context) -> Response:
    """Check messages and send nothing."""
    checked_body("validate", context)
    return ok()


# what sending has in common


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


def _push_reaches(world: World, phone: Phone) -> bool:
    """Friends, and people who wrote within 7 days; everyone else gets silence."""
    if phone.status == "friend":
        return True
    if phone.status == "blocked" or phone.spoke_ms is None:
        return False
    return world.real_ms() - phone.spoke_ms <= NON_FRIEND_MS


def _spend(world: World, people: int) -> None:
    """Count people against the month; too little left fails the whole call."""
    if not world.fits_quota(people):
        raise Refusal(429, QUOTA_MESSAGE)
    world.use(people)


def _send(
    api: LineApi,
    context: Context,
    body: dict[str, Any],
    reached: list[Phone],
    chat: list[Phone],
) -> list[dict[str, str]]:
    """Deliver, and name the messages for the answer (``chat`` = the one chat they went to)."""
    world = api.world
    sent = world.deliver(
        context.endpoint,
        context.request_id,
        body["messages"],
        reached,
        silent=bool(body.get("notificationDisabled")),
    )
    context.call.delivered = len(reached)
    named = []
    for index, message in enumerate(sent.messages if chat else ()):
        name = {"id": str(sent.message_id + index)}
        if message["type"] in QUOTABLE:
            name["quoteToken"] = ids.chat_token(
                world.channel_secret, "quote", chat[0].user_id, name["id"]
            )
        named.append(name)
    return named


def _check_quotes(world: World, phone: Phone, messages: list[dict[str, Any]]) -> None:
    """A quote token works only in the chat it came from."""
    for index, message in enumerate(messages):
        token = message.get("quoteToken")
        if token is None:
            continue
        message_id = token.partition(".")[0]
        if token != ids.chat_token(world.channel_secret, "quote", phone.user_id, message_id):
            details = [
                {"message": "invalid quote token", "property": f"messages[{index}].quoteToken"}
            ]
            raise Refusal(400, error_body(details)["message"], details=details)


def _count_units(world: World, body: dict[str, Any]) -> None:
    """Aggregation units: from the 1,001st name of a month on, LINE drops the name silently."""
    for unit in body.get("customAggregationUnits") or ():
        if len(world.units) < 1000:
            world.units.add(unit)


def iso_time(at_ms: int) -> str:
    """ISO-8601 in UTC, as progress answers have it."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
