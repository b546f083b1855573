"""LINE's audiences of user ids: create, add, list, one, delete. Who is in one is never told."""

from __future__ import annotations

import unicodedata
from typing import Any

from lineadmin.simulator.checks import error_body
from lineadmin.simulator.exchange import Context, Refusal, ok, parse_body
from lineadmin.simulator.line_api import LineApi
from lineadmin.simulator.shapes import (
    USER_ID,
    Details,
    boolean,
    integer,
    items,
    known_only,
    note,
    text,
)
from lineadmin.simulator.wire import Response

MOST = 1000
MOST_IDS = 10_000
LIFE_SECONDS = 180 * 86_400
FIRST_ID = 4_000_000_000_001
STATUSES = ("IN_PROGRESS", "READY", "FAILED", "EXPIRED", "INACTIVE", "ACTIVATING")
ROUTES = ("OA_MANAGER", "MESSAGING_API", "POINT_AD", "AD_MANAGER")
_PATH = "audience"


def create(api: LineApi, context: Context) -> Response:
    """Make one; in this world it is ready at once."""
    body = parse_body(context)
    details: Details = []
    optional = ("isIfaAudience", "uploadDescription", "audiences")
    if known_only(body, _PATH, ("description",), optional, details):
        _check(body, details)
        text(body, "description", _PATH, details, most=120)
        name = body.get("description")
        if isinstance(name, str) and (
            not name.strip() or any(unicodedata.category(one) == "Cc" for one in name)
        ):
            note(details, f"{_PATH}.description", "invalid property")
    _refuse(details)
    world, now = api.world, context.now_ms // 1000
    with world.lock:
        if len(world.audiences) >= MOST:
            raise Refusal(400, "The maximum number of audiences has been reached")
        audience_id = max([FIRST_ID, *world.audiences]) + 1
        world.audiences[audience_id] = {
            "audienceGroupId": audience_id,
            "description": body["description"],
            "created": now,
            "ids": sorted({one["id"] for one in body.get("audiences") or ()}),
        }
        world.save_audience(audience_id)
        world.touch()
    return ok(
        {
            "audienceGroupId": audience_id,
            "createRoute": "MESSAGING_API",
            "type": "UPLOAD",
            "description": body["description"],
            "created": now,
            "permission": "READ_WRITE",
            "expireTimestamp": now + LIFE_SECONDS,
            "isIfaAudience": False,
        },
        202,
    )


def add(api: LineApi, context: Context) -> Response:
    """Add people; nobody can be taken out."""
    body = parse_body(context)
    details: Details = []
    needed = ("audienceGroupId", "audiences")
    if known_only(body, _PATH, needed, ("uploadDescription",), details):
        _check(body, details)
        integer(body, "audienceGroupId", _PATH, details, most=2**63 - 1)
    _refuse(details)
    world = api.world
    with world.lock:
        found = _known(api, body["audienceGroupId"])
        found["ids"] = sorted({*found["ids"], *(one["id"] for one in body["audiences"])})
        world.save_audience(found["audienceGroupId"])
        world.touch()
    return ok(None, 202)


def listed(api: LineApi, context: Context) -> Response:
    """Page by page, the newest first; a name is looked for within theirs, whatever its case."""
    args = context.request.args()
    page, size = args.get("page", ""), args.get("size", "20")
    if not page.isdigit() or int(page) < 1 or not size.isdigit() or not 1 <= int(size) <= 40:
        raise Refusal(400, "The value for the 'page' or 'size' parameter is invalid")
    status, route = args.get("status"), args.get("createRoute")
    if status not in (None, *STATUSES) or route not in (None, *ROUTES):
        raise Refusal(400, "The value for the 'status' or 'createRoute' parameter is invalid")
    wanted = args.get("description", "").casefold()
    now = context.now_ms // 1000
    with api.world.lock:
        groups = [_shown(one, now) for one in list(api.world.audiences.values())[::-1]]
    fitting = [
        one
        for one in groups
        if wanted in one["description"].casefold()
        and status in (None, one["status"])
        and route in (None, one["createRoute"])
    ]
    first, last = (int(page) - 1) * int(size), int(page) * int(size)
    return ok(
        {
            "audienceGroups": fitting[first:last],
            "hasNextPage": last < len(fitting),
            "totalCount": len(fitting),
            "readWriteAudienceGroupTotalCount": len(fitting),
            "page": int(page),
            "size": int(size),
        }
    )


def detail(api: LineApi, context: Context) -> Response:
    """One of them."""
    with api.world.lock:
        found = _known(api, int(context.params[0]))
    return ok({"audienceGroup": _shown(found, context.now_ms // 1000), "jobs": []})


def delete(api: LineApi, context: Context) -> Response:
    """For good."""
    with api.world.lock:
        found = _known(api, int(context.params[0]))
        del api.world.audiences[found["audienceGroupId"]]
        api.world.save_audience(found["audienceGroupId"])
        api.world.touch()
    return ok()


def _known(api: LineApi, audience_id: int) -> dict[str, Any]:
    found = api.world.audiences.get(audience_id)
    if found is None:
        raise Refusal(404, "Not found")
    return found


def _shown(one: dict[str, Any], now: int) -> dict[str, Any]:
    return {
        "audienceGroupId": one["audienceGroupId"],
        "type": "UPLOAD",
        "description": one["description"],
        "status": "EXPIRED" if one["created"] + LIFE_SECONDS <= now else "READY",
        "audienceCount": len(one["ids"]),
        "created": one["created"],
        "isIfaAudience": False,
        "permission": "READ_WRITE",
        "createRoute": "MESSAGING_API",
    }


def _check(body: dict[str, Any], out: Details) -> None:
    text(body, "uploadDescription", _PATH, out, most=300)
    boolean(body, "isIfaAudience", _PATH, out)
    if body.get("isIfaAudience"):
        note(out, f"{_PATH}.isIfaAudience", "this account may not use IFAs")
    for one in items(body, "audiences", _PATH, out, least=0, most=MOST_IDS):
        user = one.get("id") if isinstance(one, dict) and set(one) == {"id"} else None
        if not isinstance(user, str) or not USER_ID.fullmatch(user):
            note(out, f"{_PATH}.audiences", "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT")
            break


def _refuse(details: Details) -> None:
    if details:
        named = [{**one, "property": one["property"].removeprefix(f"{_PATH}.")} for one in details]
        raise Refusal(400, error_body(named)["message"], details=named)
