"""LINE's sending endpoints: who is reached, who is dropped in silence, and what it costs."""

from typing import Any

from lineadmin.simulator import ids
from lineadmin.simulator.checks import MAX_MULTICAST, check_send, error_body
from lineadmin.simulator.exchange import (
    QUOTA_MESSAGE,
    UNKNOWN_MESSAGE,
    Context,
    Refusal,
    ok,
    parse_body,
)
from lineadmin.simulator.line_api import LineApi
from lineadmin.simulator.records import NON_FRIEND_MS, Phone
from lineadmin.simulator.retry_keys import answered_before, close_retry_key
from lineadmin.simulator.shapes import CHAT_ID, USER_ID
from lineadmin.simulator.wire import Response
from lineadmin.simulator.world import World

QUOTABLE = ("text", "textV2", "sticker", "image", "video", "template", "flex")


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


# reply, push, multicast, broadcast; narrowcast is narrowcasts.py


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
        _count_units(world, body, reached)
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
        _count_units(world, body, reached)
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


def validate(api: LineApi, context: Context) -> Response:
    """Check messages and send nothing."""
    checked_body("validate", context)
    return ok()


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


def _count_units(world: World, body: dict[str, Any], reached: list[Phone]) -> None:
    """Aggregation units: from the 1,001st name of a month on, LINE drops the name silently."""
    for unit in body.get("customAggregationUnits") or ():
        if len(world.units) < 1000:
            world.units.add(unit)
        if unit in world.units:
            people = world.unit_reach.setdefault(unit, {}).setdefault(world.day(), set())
            people.update(phone.user_id for phone in reached)
            world.unit_bubbles[unit] = len(body["messages"])
