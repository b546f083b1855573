"""LINE's Coupon API: create, list, one, close. Nothing can be changed, and nobody is told who has
one or used it."""

import re
from typing import Any
from urllib.parse import parse_qsl

from lineadmin.simulator import ids
from lineadmin.simulator.checks import error_body
from lineadmin.simulator.exchange import Context, Refusal, ok, parse_body
from lineadmin.simulator.line_api import LineApi
from lineadmin.simulator.shapes import Details, integer, known_only, media_url, note, one_of, text
from lineadmin.simulator.wire import Response

ZONES = (
    *("ETC_GMT_MINUS_12", "ETC_GMT_MINUS_11", "PACIFIC_HONOLULU", "AMERICA_ANCHORAGE"),
    *("AMERICA_LOS_ANGELES", "AMERICA_PHOENIX", "AMERICA_CHICAGO", "AMERICA_NEW_YORK"),
    *("AMERICA_CARACAS", "AMERICA_SANTIAGO", "AMERICA_ST_JOHNS", "AMERICA_SAO_PAULO"),
    *("ETC_GMT_MINUS_2", "ATLANTIC_CAPE_VERDE", "EUROPE_LONDON", "EUROPE_PARIS"),
    *("EUROPE_ISTANBUL", "EUROPE_MOSCOW", "ASIA_TEHRAN", "ASIA_TBILISI", "ASIA_KABUL"),
    *("ASIA_TASHKENT", "ASIA_COLOMBO", "ASIA_KATHMANDU", "ASIA_ALMATY", "ASIA_RANGOON"),
    *("ASIA_BANGKOK", "ASIA_TAIPEI", "ASIA_TOKYO", "AUSTRALIA_DARWIN", "AUSTRALIA_SYDNEY"),
    *("ASIA_VLADIVOSTOK", "ETC_GMT_PLUS_12", "PACIFIC_TONGATAPU"),
)
REQUIRED = (
    *("title", "acquisitionCondition", "maxUseCountPerTicket", "startTimestamp"),
    *("endTimestamp", "timezone", "visibility", "reward"),
)
OPTIONAL = ("description", "imageUrl", "barcodeImageUrl", "couponCode", "usageCondition")
PRICES: dict[str, tuple[str, ...]] = {
    "discount": ("fixed", "percentage", "explicit"),
    "cashBack": ("fixed", "percentage"),
    "free": (),
    "gift": (),
    "others": (),
}
PRICE_FIELDS = {
    "fixed": ("fixedAmount",),
    "percentage": ("percentage",),
    "explicit": ("originalPrice", "priceAfterDiscount"),
}
STATUSES = ("DRAFT", "RUNNING", "CLOSED")
MOST_VALID = 5_000
_NUMBER = re.compile(r"\d{1,9}")


def create(api: LineApi, context: Context) -> Response:
    """Make a coupon; it runs at once."""
    body = parse_body(context)
    details: Details = []
    now = context.now_ms // 1000
    if known_only(body, "coupon", REQUIRED, OPTIONAL, details):
        _check(body, now, details)
    details = [{**one, "property": one["property"].removeprefix("coupon.")} for one in details]
    if details:
        raise Refusal(400, error_body(details)["message"], details=details)
    world = api.world
    with world.lock:
        running = sum(_status(one, now) == "RUNNING" for one in world.coupons.values())
        if running >= MOST_VALID:
            raise Refusal(400, "The maximum number of valid coupons has been reached")
        coupon_id = ids.coupon_id()
        world.coupons[coupon_id] = {
            **body,
            "couponId": coupon_id,
            "createdTimestamp": now,
            "closed": False,
        }
        world.save_coupon(coupon_id)
        world.touch()
    return ok({"couponId": coupon_id})


def listed(api: LineApi, context: Context) -> Response:
    """Ids and titles, page by page, the newest first."""
    args = context.request.args()
    # A repeated name means "one of these".
    wanted = [value for name, value in parse_qsl(context.request.query) if name == "status"]
    limit, start = args.get("limit", "20"), args.get("start", "0")
    if any(one not in STATUSES for one in wanted):
        raise Refusal(400, "The value for the 'status' parameter is invalid")
    if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= 100 or not _NUMBER.fullmatch(start):
        raise Refusal(400, "The value for the 'limit' or 'start' parameter is invalid")
    now = context.now_ms // 1000
    with api.world.lock:
        coupons = list(api.world.coupons.values())[::-1]
    fitting = [one for one in coupons if not wanted or _status(one, now) in wanted]
    first, last = int(start), int(start) + int(limit)
    page: dict[str, Any] = {
        "items": [
            {"couponId": one["couponId"], "title": one["title"]} for one in fitting[first:last]
        ]
    }
    if last < len(fitting):
        page["next"] = str(last)
    return ok(page)


def detail(api: LineApi, context: Context) -> Response:
    """Everything about one."""
    coupon = _known(api, context)
    now = context.now_ms // 1000
    shown = {name: value for name, value in coupon.items() if name != "closed"}
    condition = dict(shown["acquisitionCondition"])
    most = condition.pop("maxAcquireCount", None)
    if most is not None:
        shown["maxAcquireCount"] = most
        condition["maxAcquireCount"] = most
    reward = dict(shown["reward"])
    if "priceInfo" in reward:
        reward["priceInfo"] = {**reward["priceInfo"], "currency": "TWD"}
    return ok(
        {
            **shown,
            "acquisitionCondition": condition,
            "reward": reward,
            "maxTicketPerUser": 1,
            "status": _status(coupon, now),
        }
    )


def close(api: LineApi, context: Context) -> Response:
    """End one for good: 404 where there is none, 410 where that was done before."""
    coupon = _known(api, context)
    with api.world.lock:
        if coupon["closed"]:
            raise Refusal(410, "The coupon has already been closed")
        coupon["closed"] = True
        api.world.save_coupon(coupon["couponId"])
        api.world.touch()
    return ok()


def _known(api: LineApi, context: Context) -> dict[str, Any]:
    with api.world.lock:
        coupon = api.world.coupons.get(context.params[0])
    if coupon is None:
        raise Refusal(404, "Not found")
    return coupon


def _status(coupon: dict[str, Any], now: int) -> str:
    return "CLOSED" if coupon["closed"] or coupon["endTimestamp"] <= now else "RUNNING"


def _check(body: dict[str, Any], now: int, out: Details) -> None:
    text(body, "title", "coupon", out, most=60)
    text(body, "description", "coupon", out, most=1000, least=0)
    text(body, "usageCondition", "coupon", out, most=100, least=0)
    text(body, "couponCode", "coupon", out, most=16)
    media_url(body, "imageUrl", "coupon", out)
    media_url(body, "barcodeImageUrl", "coupon", out)
    one_of(body, "timezone", "coupon", out, ZONES)
    one_of(body, "visibility", "coupon", out, ("PUBLIC", "UNLISTED"))
    integer(body, "startTimestamp", "coupon", out, most=2**40)
    integer(body, "endTimestamp", "coupon", out, most=2**40)
    if body.get("maxUseCountPerTicket") not in (None, 1, -1):
        note(out, "coupon.maxUseCountPerTicket", "must be 1 or -1")
    starts, ends = body.get("startTimestamp"), body.get("endTimestamp")
    if isinstance(starts, int) and isinstance(ends, int) and not max(starts, now) < ends:
        note(out, "coupon.endTimestamp", "must be after startTimestamp and in the future")
    _check_acquisition(body.get("acquisitionCondition"), out)
    _check_reward(body.get("reward"), out)


def _check_acquisition(value: Any, out: Details) -> None:
    path = "coupon.acquisitionCondition"
    if value is None:
        return
    lottery = isinstance(value, dict) and value.get("type") == "lottery"
    needed = ("type", "lotteryProbability", "maxAcquireCount") if lottery else ("type",)
    if not known_only(value, path, needed, (), out):
        return
    one_of(value, "type", path, out, ("normal", "lottery"))
    integer(value, "lotteryProbability", path, out, least=1, most=99)
    if value.get("maxAcquireCount") != -1:
        integer(value, "maxAcquireCount", path, out, least=1, most=999_999)


def _check_reward(value: Any, out: Details) -> None:
    path = "coupon.reward"
    if value is None:
        return
    kind = value.get("type") if isinstance(value, dict) else None
    prices = PRICES.get(kind, ()) if isinstance(kind, str) else ()
    needed = ("type", "priceInfo") if prices else ("type",)
    if not known_only(value, path, needed, (), out):
        return
    one_of(value, "type", path, out, tuple(PRICES))
    price = value.get("priceInfo")
    if price is None or not prices:
        return
    shape = price.get("type") if isinstance(price, dict) else None
    fields = PRICE_FIELDS.get(shape, ()) if isinstance(shape, str) else ()
    if not known_only(price, f"{path}.priceInfo", ("type", *fields), (), out):
        return
    one_of(price, "type", f"{path}.priceInfo", out, prices)
    integer(price, "percentage", f"{path}.priceInfo", out, least=1, most=99)
    integer(price, "fixedAmount", f"{path}.priceInfo", out, least=1)
    integer(price, "originalPrice", f"{path}.priceInfo", out, least=1)
    integer(price, "priceAfterDiscount", f"{path}.priceInfo", out)
