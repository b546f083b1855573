"""Narrowcasts: accepted at once, sent later, with LINE's minimums and its hold on the quota.

Until one is sent LINE keeps messages for the whole target reach, however few it is for, unless
`limit` says that fewer are enough. Source: Messaging API reference, "Send narrowcast message".
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from lineadmin.simulator import estimates
from lineadmin.simulator.checks import error_body
from lineadmin.simulator.exchange import QUOTA_MESSAGE, Context, Refusal, iso_time, ok
from lineadmin.simulator.line_api import LineApi
from lineadmin.simulator.members import FEWEST_ENGAGED, members_of, status_of
from lineadmin.simulator.records import DAY_MS, Phone
from lineadmin.simulator.retry_keys import answered_before, close_retry_key
from lineadmin.simulator.sends import checked_body
from lineadmin.simulator.shapes import Details, boolean, integer, known_only, note
from lineadmin.simulator.wire import Response
from lineadmin.simulator.world import World

LEAST_REACH = 100  # for any attribute filter
MOST_RECIPIENTS = 10  # audiences and redeliveries in one request
KEPT_MS = 14 * DAY_MS
EXEMPT = ("UPLOAD", "CHAT_TAG")
FAILURES = {
    1: "An internal error occurred.",
    2: "There were not enough recipients.",
    3: "The request was already accepted.",
    4: "An audience of less than 50 recipients is included.",
    5: "The delivery was canceled so that it does not reach a part of the audience only.",
}


def narrowcast(api: LineApi, context: Context) -> Response:
    """Accept one; who gets it is decided when it leaves."""
    body = checked_body("narrowcast", context)
    details: Details = []
    _check(body, details)
    if details:
        raise Refusal(400, error_body(details)["message"], details=details)
    world = api.world
    with world.lock:
        answered_before(context)
        asked = _demographic(body)
        reach = len(_friends(world))
        if asked and reach < LEAST_REACH:
            raise Refusal(403, f"Target reach is less than {LEAST_REACH}")
        for leaf in _leaves(body.get("recipient")):
            _require_usable(world, leaf, context.now_ms)
        kept = _reserve(world, body.get("limit") or {}, reach)
        context.call.recipients = kept
        close_retry_key(world, context, None)
        account = world.account
        world.narrowcasts[context.request_id] = {
            "body": body,
            "accepted_ms": context.now_ms,
            "leaves_ms": context.now_ms + account.narrowcast_waiting_ms,
            "ends_ms": (
                context.now_ms + account.narrowcast_waiting_ms + account.narrowcast_sending_ms
            ),
            "error": account.narrowcast_error,
            "reserved": kept,
            "users": None,
            "target": None,
        }
        world.save_narrowcast(context.request_id)
        advance(world)
    return ok(status=202)


def progress(api: LineApi, context: Context) -> Response:
    """How one is doing."""
    request_id = context.request.args().get("requestId", "")
    world = api.world
    with world.lock:
        advance(world)
        one = world.narrowcasts.get(request_id)
        now = world.real_ms()
        if one is None or now - one["accepted_ms"] > KEPT_MS:
            raise Refusal(404, "Not found")
        phase = _phase(one, now)
        answer: dict[str, Any] = {"phase": phase, "acceptedTime": iso_time(one["accepted_ms"])}
        if phase != "waiting":
            reached = len(one["users"] or ())
            answer |= {
                "successCount": reached,
                "failureCount": 0,
                "targetCount": one["target"] or 0,
            }
        if phase == "failed":
            code = one["error"]
            answer |= {"errorCode": code, "failedDescription": FAILURES.get(code, FAILURES[1])}
        if phase in ("succeeded", "failed"):
            answer["completedTime"] = iso_time(one["ends_ms"])
        return ok(answer)


def advance(world: World) -> None:
    """Send whatever has waited long enough; the caller holds the world's lock."""
    now = world.real_ms()
    for request_id, one in list(world.narrowcasts.items()):
        if one["reserved"] and now >= one["leaves_ms"]:
            _leave(world, request_id, one)


def _leave(world: World, request_id: str, one: dict[str, Any]) -> None:
    body, one["reserved"] = one["body"], 0
    one["users"], one["target"] = [], 0
    if not one["error"]:
        chosen = _chosen(world, body)
        limit = body.get("limit") or {}
        one["target"] = len(chosen)
        one["error"] = _too_few(world, body, len(chosen))
        most = limit.get("max") or len(chosen)
        if limit.get("upToRemainingQuota"):
            left = world.left()
            if left is not None and left < min(most, len(chosen)):
                most = left
                one["error"] = one["error"] or (5 if limit.get("forbidPartialDelivery") else 0)
        if not one["error"]:
            reached = _drawn(chosen, most, request_id)
            one["users"] = [phone.user_id for phone in reached]
            world.use(len(reached))
            world.deliver(
                "narrowcast",
                request_id,
                body["messages"],
                reached,
                silent=bool(body.get("notificationDisabled")),
            )
    world.save_narrowcast(request_id)
    world.save_account()
    world.touch()


def _phase(one: Mapping[str, Any], now: int) -> str:
    if one["reserved"]:
        return "waiting"
    if one["error"]:
        return "failed"
    return "sending" if now < one["ends_ms"] else "succeeded"


def _reserve(world: World, limit: Mapping[str, Any], reach: int) -> int:
    """What LINE holds back until it is sent.

    :raises Refusal: the month has less left than that
    """
    kept = min(reach, limit.get("max") or reach)
    left = world.left()
    if left is not None and limit.get("upToRemainingQuota"):
        kept = min(kept, left)
    if (left is not None and kept > left) or (left == 0):
        raise Refusal(429, QUOTA_MESSAGE)
    return max(kept, 1)


def _friends(world: World) -> list[Phone]:
    return [phone for phone in world.phones.values() if phone.status == "friend"]


def _chosen(world: World, body: Mapping[str, Any]) -> list[Phone]:
    named = _named(world, body.get("recipient"))
    wanted, shop_ms = _demographic(body), world.shop_ms()
    return [
        phone
        for phone in _friends(world)
        if (named is None or named(phone.user_id))
        and (not wanted or estimates.passes(estimates.estimates_of(phone, shop_ms), wanted))
    ]


def _named(world: World, recipient: Any) -> Any:
    """Whether a user belongs to the recipients, as a function; None = everybody does."""
    if not recipient:
        return None
    kind = recipient["type"]
    if kind == "operator":
        if recipient.get("not"):
            inside = _named(world, recipient["not"])
            return lambda user: not inside(user)
        name = "and" if recipient.get("and") else "or"
        parts = [_named(world, one) for one in recipient[name]]
        whole = all if name == "and" else any
        return lambda user: whole(part(user) for part in parts)
    if kind == "audience":
        users = members_of(world, world.audiences[recipient["audienceGroupId"]])
    else:
        users = set(world.narrowcasts[recipient["requestId"]]["users"] or ())
    return users.__contains__


def _too_few(world: World, body: Mapping[str, Any], chosen: int) -> int:
    """LINE's errorCode where a minimum is missed: those of user ids alone have none."""
    groups = [
        world.audiences[leaf["audienceGroupId"]]
        for leaf in _leaves(body.get("recipient"))
        if leaf["type"] == "audience"
    ]
    small = [
        group
        for group in groups
        if group["type"] not in EXEMPT and len(members_of(world, group)) < FEWEST_ENGAGED
    ]
    if small:
        return 4
    inferred = bool(_demographic(body)) or any(one["type"] not in EXEMPT for one in groups)
    if chosen == 0 or (inferred and chosen < FEWEST_ENGAGED):
        return 2
    return 0


def _drawn(chosen: list[Phone], most: int, request_id: str) -> list[Phone]:
    """As many of them, by chance."""

    def lot(phone: Phone) -> bytes:
        return hashlib.blake2b(f"{request_id}{phone.user_id}".encode(), digest_size=8).digest()

    return sorted(chosen, key=lot)[:most] if most < len(chosen) else chosen


def _require_usable(world: World, leaf: Mapping[str, Any], now_ms: int) -> None:
    """:raises Refusal: an audience that is not READY, or a narrowcast that cannot be sent again"""
    if leaf["type"] == "audience":
        group = world.audiences.get(leaf["audienceGroupId"])
        if group is None or status_of(world, group, now_ms) != "READY":
            raise Refusal(400, "The audience can't be used: it is not READY")
        return
    earlier = world.narrowcasts.get(leaf["requestId"])
    if (
        earlier is None
        or _phase(earlier, now_ms) != "succeeded"
        or now_ms - earlier["accepted_ms"] >= KEPT_MS
    ):
        raise Refusal(400, "The narrowcast of this request ID can't be delivered again")


def _demographic(body: Mapping[str, Any]) -> Any:
    return (body.get("filter") or {}).get("demographic")


def _leaves(recipient: Any) -> Iterator[Any]:
    if not recipient:
        return
    if recipient["type"] != "operator":
        yield recipient
        return
    for inner in (*(recipient.get("and") or ()), *(recipient.get("or") or ())):
        yield from _leaves(inner)
    yield from _leaves(recipient.get("not"))


def _check(body: Mapping[str, Any], out: Details) -> None:
    recipient = body.get("recipient")
    if recipient is not None and _check_recipient(recipient, "recipient", out) > MOST_RECIPIENTS:
        note(out, "recipient", f"must hold at most {MOST_RECIPIENTS} audiences")
    if body.get("filter") is not None and known_only(
        body["filter"], "filter", ("demographic",), (), out
    ):
        estimates.check_filter(body["filter"].get("demographic"), "filter.demographic", out)
    limit = body.get("limit")
    if limit is None:
        return
    names = ("max", "upToRemainingQuota", "forbidPartialDelivery")
    if known_only(limit, "limit", (), names, out):
        integer(limit, "max", "limit", out, least=1)
        for name in names[1:]:
            boolean(limit, name, "limit", out)
        if limit.get("forbidPartialDelivery") and not limit.get("upToRemainingQuota"):
            note(out, "limit.forbidPartialDelivery", "needs upToRemainingQuota")


def _check_recipient(value: Any, path: str, out: Details) -> int:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "operator":
        return estimates.check_operator(value, path, out, _check_recipient)
    if kind == "audience":
        known_only(value, path, ("type", "audienceGroupId"), (), out)
        integer(value, "audienceGroupId", path, out, most=2**63 - 1)
    elif kind == "redelivery":
        known_only(value, path, ("type", "requestId"), (), out)
        if not isinstance(value.get("requestId"), str):
            note(out, f"{path}.requestId", "must be a string")
    else:
        kinds = ["operator", "audience", "redelivery"]
        note(out, f"{path}.type", f"Must be one of the following values: {kinds}")
    return 1
