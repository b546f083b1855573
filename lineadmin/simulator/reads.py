"""LINE's other endpoints: profile, followers, account, quota, content, chat and insight."""

import re
from datetime import datetime, timedelta
from typing import Any

from lineadmin.simulator import ids
from lineadmin.simulator.exchange import Context, Refusal, ok, parse_body, refuse_unknown
from lineadmin.simulator.line_api import LineApi
from lineadmin.simulator.records import LINE_ZONE
from lineadmin.simulator.shapes import USER_ID
from lineadmin.simulator.wire import Response

FEWEST = 20  # fewer people than this are not told

_DATE = re.compile(r"\d{8}")
_UNIT = re.compile(r"[a-zA-Z0-9_]{1,30}")


def profile(api: LineApi, context: Context) -> Response:
    """A person's profile: friends and people who wrote; 404 for those who blocked."""
    user_id = context.params[0]
    if not USER_ID.fullmatch(user_id):
        raise Refusal(400, "The value for the 'userId' parameter is invalid")
    phone = api.world.phones.get(user_id)
    if phone is None or phone.status == "blocked":
        raise Refusal(404, "Not found")
    if phone.status == "stranger" and phone.spoke_ms is None:
        raise Refusal(404, "Not found")
    found = {
        "userId": phone.user_id,
        "displayName": phone.name,
        "pictureUrl": phone.picture_url,
        "statusMessage": phone.status_message,
        "language": phone.language,
    }
    return ok({name: value for name, value in found.items() if value is not None})


def followers(api: LineApi, context: Context) -> Response:
    """Ids of all friends, page by page; verified accounts only."""
    world = api.world
    if not world.account.verified:
        raise Refusal(403, "Access to this API is not available for your account")
    args = context.request.args()
    limit = args.get("limit", "300")
    start = args.get("start", "0")
    if not limit.isdecimal() or not 1 <= int(limit) <= 1000 or not start.isdecimal():
        raise Refusal(400, "The value for the 'limit' or 'start' parameter is invalid")
    with world.lock:
        users = sorted(p.user_id for p in world.phones.values() if p.status == "friend")
    first, last = int(start), int(start) + int(limit)
    page: dict[str, Any] = {"userIds": users[first:last]}
    if last < len(users):
        page["next"] = str(last)
    return ok(page)


def bot_info(api: LineApi, context: Context) -> Response:
    """The official account itself."""
    account = api.world.account
    return ok(
        {
            "userId": account.user_id,
            "basicId": account.basic_id,
            "displayName": account.display_name,
            "chatMode": account.chat_mode,
            "markAsReadMode": account.mark_as_read_mode,
        }
    )


def quota(api: LineApi, context: Context) -> Response:
    """The month's allowance."""
    account = api.world.account
    if account.quota_type == "none":
        return ok({"type": "none"})
    return ok({"type": "limited", "value": account.quota_value})


def consumption(api: LineApi, context: Context) -> Response:
    """What of it is used."""
    return ok({"totalUsage": api.world.used()})


def delivery_count(api: LineApi, context: Context) -> Response:
    """People reached by one API on one day; ready the day after."""
    world = api.world
    day = _day_argument(context)
    if day >= world.day():
        return ok({"status": "unready"})
    return ok({"status": "ready", "success": world.day_counts[f"{context.params[0]}:{day}"]})


def _day_argument(context: Context, name: str = "date") -> str:
    day = context.request.args().get(name, "")
    try:
        if not _DATE.fullmatch(day):
            raise ValueError
        datetime.strptime(day, "%Y%m%d").replace(tzinfo=LINE_ZONE)
    except ValueError:
        raise Refusal(400, f"The value for the '{name}' parameter is invalid") from None
    return day


def aggregation_info(api: LineApi, context: Context) -> Response:
    """How many aggregation unit names are used this month."""
    return ok({"numOfCustomAggregationUnits": len(api.world.units)})


def aggregation_list(api: LineApi, context: Context) -> Response:
    """Their names."""
    return ok({"customAggregationUnits": sorted(api.world.units)[:100]})


def content(api: LineApi, context: Context) -> Response:
    """The bytes of a picture, film or sound someone sent."""
    found = api.world.contents.get(context.params[0])
    if found is None:
        raise Refusal(404, "Not found")
    return Response(200, found[1], found[0])


def transcoding(api: LineApi, context: Context) -> Response:
    """Content is ready at once in this world."""
    if context.params[0] not in api.world.contents:
        raise Refusal(404, "Not found")
    return ok({"status": "succeeded"})


def loading(api: LineApi, context: Context) -> Response:
    """Show the loading dots: 5 to 60 seconds in fives; 202 for people who blocked, too."""
    body = parse_body(context)
    chat = body.get("chatId") if isinstance(body, dict) else None
    if not isinstance(chat, str) or not USER_ID.fullmatch(chat):
        raise Refusal(400, "The property, 'chatId', in the request body is invalid")
    seconds = body.get("loadingSeconds", 20)
    if (
        not isinstance(seconds, int)
        or isinstance(seconds, bool)
        or not 5 <= seconds <= 60
        or seconds % 5
    ):
        raise Refusal(400, "The property, 'loadingSeconds', in the request body is invalid")
    refuse_unknown(body, ("chatId", "loadingSeconds"))
    with api.world.lock:
        phone = api.world.phones.get(chat)
        if phone is not None and phone.status == "friend":
            phone.loading_until_ms = context.now_ms + seconds * 1000
            api.world.touch()
    return ok(status=202)


def mark_as_read(api: LineApi, context: Context) -> Response:
    """Mark a message and all before it as read."""
    body = parse_body(context)
    token = body.get("markAsReadToken") if isinstance(body, dict) else None
    world = api.world
    with world.lock:
        said = world.said.get(str(token).partition(".")[0])
        if said is None or token != ids.chat_token(
            world.channel_secret, "read", said.user_id, said.message_id
        ):
            raise Refusal(400, "The property, 'markAsReadToken', in the request body is invalid")
        refuse_unknown(body, ("markAsReadToken",))
        phone = world.phones[said.user_id]
        phone.read_upto = max(phone.read_upto or "", said.message_id)
        world.save_phone(phone)
        world.touch()
    return ok()


def insight_delivery(api: LineApi, context: Context) -> Response:
    """Messages of a day by kind."""
    world = api.world
    day = _day_argument(context)
    if day >= world.day():
        return ok({"status": "unready"})
    kinds = {"apiPush": "push", "apiMulticast": "multicast", "apiBroadcast": "broadcast"}
    kinds |= {"apiNarrowcast": "narrowcast", "apiReply": "reply"}
    counts = {name: world.day_counts[f"{kind}:{day}"] for name, kind in kinds.items()}
    return ok({"status": "ready", **counts})


def insight_aggregation(api: LineApi, context: Context) -> Response:
    """What happened to the messages of an aggregation unit; below 20 people LINE says nothing.

    Everybody who gets a message opens it in this world, and nobody's taps are told to LINE.
    """
    world = api.world
    unit = context.request.args().get("customAggregationUnit", "")
    if not _UNIT.fullmatch(unit):
        raise Refusal(400, "The value for the 'customAggregationUnit' parameter is invalid")
    first, last = (_day_argument(context, name) for name in ("from", "to"))
    span = datetime.strptime(last, "%Y%m%d") - datetime.strptime(first, "%Y%m%d")  # noqa: DTZ007
    if not timedelta() <= span <= timedelta(days=30):
        raise Refusal(400, "The value for the 'to' parameter is invalid")
    with world.lock:
        days = world.unit_reach.get(unit, {})
        people = set().union(*(days[day] for day in days if first <= day <= last))
        bubbles = world.unit_bubbles.get(unit, 0) if people else 0
    opened = len(people) if len(people) >= FEWEST else None
    return ok(
        {
            "overview": {
                "uniqueImpression": opened,
                "uniqueClick": None,
                "uniqueMediaPlayed": None,
                "uniqueMediaPlayed100Percent": None,
            },
            "messages": [
                {"seq": number + 1, "impression": opened, "mediaPlayed": None}
                for number in range(bubbles)
            ],
            "clicks": [],
        }
    )


def insight_event(api: LineApi, context: Context) -> Response:
    """What happened to a broadcast or narrowcast; of fewer than 20 people LINE tells nothing."""
    world = api.world
    request_id = context.request.args().get("requestId", "")
    with world.lock:
        sent = world.mass_sends.get(request_id)
        taps = world.taps.get(request_id, set())
    if sent is None:
        raise Refusal(404, "Not found")
    opened = _told(len(sent.users))
    uris = sorted({uri for _user, uri in taps})
    people = [len({user for user, uri in taps if uri == one}) for one in uris]
    return ok(
        {
            "overview": {
                "requestId": request_id,
                "timestamp": sent.at_ms // 1000,
                "delivered": len(sent.users),
                "uniqueImpression": opened,
                "uniqueClick": _told(len({user for user, _uri in taps})),
                "uniqueMediaPlayed": None,
                "uniqueMediaPlayed100Percent": None,
            },
            "messages": [
                {"seq": number + 1, "impression": opened} for number in range(len(sent.messages))
            ],
            "clicks": [
                {"seq": 1, "url": uri, "click": _told(number), "uniqueClick": _told(number)}
                for uri, number in zip(uris, people, strict=True)
            ],
        }
    )


def _told(people: int) -> int | None:
    return people if people >= FEWEST else None


def insight_followers(api: LineApi, context: Context) -> Response:
    """Friends of a day; this world knows only today's numbers and gives them for any past day."""
    world = api.world
    if "date" in context.request.args():
        day = _day_argument(context)
    else:
        yesterday = datetime.strptime(world.day(), "%Y%m%d").replace(tzinfo=LINE_ZONE)
        day = (yesterday - timedelta(days=1)).strftime("%Y%m%d")
    if day >= world.day():
        return ok({"status": "unready"})
    with world.lock:
        ever = sum(phone.ever_followed for phone in world.phones.values())
        blocked = sum(phone.status == "blocked" for phone in world.phones.values())
    return ok(
        {"status": "ready", "followers": ever, "targetedReaches": ever - blocked, "blocks": blocked}
    )


def insight_demographic(api: LineApi, context: Context) -> Response:
    """Estimates are not available in this world."""
    return ok({"available": False})
