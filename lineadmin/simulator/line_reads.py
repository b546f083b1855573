"""LINE's other endpoints: profile, account, quota, webhook settings, tokens, content, insight."""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from lineadmin.simulator import ids, line_api
from lineadmin.simulator.checks import error_body
from lineadmin.simulator.line_api import Context, LineApi, Refusal, Route, iso_time, ok, parse_body
from lineadmin.simulator.shapes import USER_ID
from lineadmin.simulator.wire import Response
from lineadmin.simulator.world import LINE_ZONE

STATELESS_SECONDS = 900
SHORT_LIVED_SECONDS = 30 * 86_400
_DATE = re.compile(r"\d{8}")


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


def _day_argument(context: Context) -> str:
    day = context.request.args().get("date", "")
    try:
        if not _DATE.fullmatch(day):
            raise ValueError
        datetime.strptime(day, "%Y%m%d").replace(tzinfo=LINE_ZONE)
    except ValueError:
        raise Refusal(400, "The value for the 'date' parameter is invalid") from None
    return day


def narrowcast_progress(api: LineApi, context: Context) -> Response:
    """How a narrowcast is doing: in this world it is done when it is accepted."""
    found = api.world.narrowcasts.get(context.request.args().get("requestId", ""))
    if found is None:
        raise Refusal(404, "Not found")
    return ok(found)


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
    _refuse_unknown(body, ("chatId", "loadingSeconds"))
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
        _refuse_unknown(body, ("markAsReadToken",))
        phone = world.phones[said.user_id]
        phone.read_upto = max(phone.read_upto or "", said.message_id)
        world.save_phone(phone)
        world.touch()
    return ok()


def _refuse_unknown(body: dict[str, Any], known: tuple[str, ...]) -> None:
    details = [
        {"message": "unknown property", "property": name} for name in body if name not in known
    ]
    if details:
        raise Refusal(400, error_body(details)["message"], details=details)


# webhook settings


def get_endpoint(api: LineApi, context: Context) -> Response:
    """Where events go; 404 while nothing is set."""
    account = api.world.account
    if account.endpoint is None:
        raise Refusal(404, "Not found")
    return ok({"endpoint": account.endpoint, "active": account.webhook_active})


def put_endpoint(api: LineApi, context: Context) -> Response:
    """Set where events go: https, at most 500 characters."""
    body = parse_body(context)
    endpoint = body.get("endpoint") if isinstance(body, dict) else None
    _check_endpoint(endpoint)
    _refuse_unknown(body, ("endpoint",))
    with api.world.lock:
        api.world.account.endpoint = endpoint
        api.world.save_account()
    return ok()


def _check_endpoint(endpoint: Any) -> None:
    if (
        not isinstance(endpoint, str)
        or len(endpoint) > 500
        or urlsplit(endpoint).scheme != "https"
        or not urlsplit(endpoint).hostname
    ):
        raise Refusal(400, "Invalid webhook endpoint URL")


def test_endpoint(api: LineApi, context: Context) -> Response:
    """POST an empty signed webhook and tell what came back."""
    body = parse_body(context) if context.request.body else {}
    endpoint = body.get("endpoint") if isinstance(body, dict) else None
    if endpoint is None:
        endpoint = api.world.account.endpoint
        if endpoint is None:
            raise Refusal(404, "Not found")
    else:
        _check_endpoint(endpoint)
    attempt = api.webhooks.test(endpoint)
    return ok(
        {
            "success": attempt.reason == "OK",
            "timestamp": iso_time(attempt.at_ms),
            "statusCode": attempt.status,
            "reason": attempt.reason,
            "detail": str(attempt.status) if attempt.status else attempt.reason,
        }
    )


# tokens


class OAuthRefusal(Refusal):
    """An error in the other shape: OAuth's."""

    def __init__(self, description: str, error: str = "invalid_request") -> None:
        super().__init__(400, "")
        self.body = {"error": error, "error_description": description}


def issue_stateless(api: LineApi, context: Context) -> Response:
    """A token of 15 minutes for channel id and secret."""
    token = _issue(api, context, STATELESS_SECONDS)
    return ok({"token_type": "Bearer", "access_token": token, "expires_in": STATELESS_SECONDS - 1})


def issue_short_lived(api: LineApi, context: Context) -> Response:
    """A token of 30 days for channel id and secret."""
    token = _issue(api, context, SHORT_LIVED_SECONDS)
    return ok({"access_token": token, "expires_in": SHORT_LIVED_SECONDS, "token_type": "Bearer"})


def _issue(api: LineApi, context: Context, seconds: int) -> str:
    form = context.request.form()
    world = api.world
    if form.get("grant_type") != "client_credentials":
        raise OAuthRefusal("invalid grant_type", "unsupported_grant_type")
    if form.get("client_id") != world.channel_id:
        raise OAuthRefusal("invalid client_id", "invalid_client")
    if form.get("client_secret") != world.channel_secret:
        raise OAuthRefusal("invalid client_secret", "invalid_client")
    token = ids.reply_token() + ids.reply_token()
    ends = context.now_ms + seconds * 1000
    with world.lock:
        world.tokens[token] = ends
    world.store.put("access_token", token, lambda: ends)
    return token


def verify_token(api: LineApi, context: Context) -> Response:
    """Whom an access token belongs to and how long it lasts."""
    given = context.request.args() if context.request.method == "GET" else context.request.form()
    token = given.get("access_token", "")
    world = api.world
    if token == world.access_token:
        left = 3_000_000_000
    else:
        left = (world.tokens.get(token, 0) - context.now_ms) // 1000
    if left <= 0:
        raise OAuthRefusal("access token expired or invalid")
    return ok({"client_id": world.channel_id, "expires_in": left, "scope": "P CM"})


def verify_id_token(api: LineApi, context: Context) -> Response:
    """The payload of a LINE Login id token made through the control API."""
    form = context.request.form()
    found = api.world.id_tokens.get(form.get("id_token", ""))
    if found is None or found["exp"] * 1000 < context.now_ms:
        raise OAuthRefusal("Invalid IdToken.")
    if found["aud"] != form.get("client_id"):
        raise OAuthRefusal("Invalid IdToken Audience.")
    if form.get("user_id") not in (None, found["sub"]):
        raise OAuthRefusal("Invalid IdToken Subject Identifier.")
    return ok(found)


# insight


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


_JSON = ("application/json",)
_FORM = ("application/x-www-form-urlencoded",)


def routes() -> list[Route]:
    """Every endpoint of this LINE."""
    message = "/v2/bot/message"
    table: list[tuple[str, str, str, line_api.Handler]] = [
        ("POST", f"{message}/reply", "reply", line_api.reply),
        ("POST", f"{message}/push", "push", line_api.push),
        ("POST", f"{message}/multicast", "multicast", line_api.multicast),
        ("POST", f"{message}/broadcast", "broadcast", line_api.broadcast),
        ("POST", f"{message}/narrowcast", "narrowcast", line_api.narrowcast),
        (
            "POST",
            f"{message}/validate/(?:reply|push|multicast|broadcast|narrowcast)",
            "validate",
            line_api.validate,
        ),
        ("GET", f"{message}/progress/narrowcast", "narrowcast_progress", narrowcast_progress),
        ("GET", f"{message}/quota", "quota", quota),
        ("GET", f"{message}/quota/consumption", "consumption", consumption),
        (
            "GET",
            f"{message}/delivery/(reply|push|multicast|broadcast)",
            "delivery",
            delivery_count,
        ),
        ("GET", f"{message}/aggregation/info", "aggregation_info", aggregation_info),
        ("GET", f"{message}/aggregation/list", "aggregation_list", aggregation_list),
        ("GET", f"{message}/([^/]+)/content", "content", content),
        ("GET", f"{message}/([^/]+)/content/preview", "content", content),
        ("GET", f"{message}/([^/]+)/content/transcoding", "content", transcoding),
        ("GET", "/v2/bot/profile/([^/]+)", "profile", profile),
        ("GET", "/v2/bot/followers/ids", "followers", followers),
        ("GET", "/v2/bot/info", "bot_info", bot_info),
        ("POST", "/v2/bot/chat/loading/start", "loading", loading),
        ("POST", "/v2/bot/chat/markAsRead", "mark_as_read", mark_as_read),
        ("GET", "/v2/bot/channel/webhook/endpoint", "webhook_get", get_endpoint),
        ("PUT", "/v2/bot/channel/webhook/endpoint", "webhook_put", put_endpoint),
        ("POST", "/v2/bot/channel/webhook/test", "webhook_test", test_endpoint),
        ("GET", "/v2/bot/insight/message/delivery", "insight_delivery", insight_delivery),
        ("GET", "/v2/bot/insight/followers", "insight_followers", insight_followers),
        ("GET", "/v2/bot/insight/demographic", "insight_demographic", insight_demographic),
    ]
    made = [
        Route(
            method,
            re.compile(path),
            endpoint,
            handler,
            content_types=_JSON if method in ("POST", "PUT") else (),
        )
        for method, path, endpoint, handler in table
    ]
    for method, path, endpoint, handler in (
        ("POST", "/oauth2/v3/token", "token", issue_stateless),
        ("POST", "/v2/oauth/accessToken", "token_short", issue_short_lived),
        ("POST", "/v2/oauth/verify", "verify_token", verify_token),
        ("GET", "/oauth2/v2.1/verify", "verify_token", verify_token),
        ("POST", "/oauth2/v2.1/verify", "verify_id_token", verify_id_token),
    ):
        forms = _FORM if method == "POST" else ()
        made.append(Route(method, re.compile(re.escape(path)), endpoint, handler, False, forms))
    return made
