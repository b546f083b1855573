"""LINE's audiences: create, add, list, one, delete. Who is in one is never told."""

from __future__ import annotations

import unicodedata
from typing import Any

from lineadmin.simulator.checks import error_body
from lineadmin.simulator.exchange import Context, Refusal, ok, parse_body
from lineadmin.simulator.line_api import LineApi
from lineadmin.simulator.members import LIFE_SECONDS, members_of, sent_as, status_of
from lineadmin.simulator.records import DAY_MS
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
ENGAGED_DAYS = 60  # a message may be this old
FEWEST_TOLD = 20
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
        _check_name(body, details)
    _refuse(details)
    with api.world.lock:
        ids = sorted({one["id"] for one in body.get("audiences") or ()})
        made = _keep(api, context, "UPLOAD", {"description": body["description"], "ids": ids})
        _job(api, context, made, len(ids))
    return ok(_answer(made), 202)


def click(api: LineApi, context: Context) -> Response:
    """Make one of who opened an address of a broadcast or narrowcast."""
    return _engaged(api, context, "CLICK", ("clickUrl",))


def impression(api: LineApi, context: Context) -> Response:
    """Make one of who saw a broadcast or narrowcast; once per message."""
    return _engaged(api, context, "IMP", ())


def _engaged(api: LineApi, context: Context, kind: str, optional: tuple[str, ...]) -> Response:
    body = parse_body(context)
    details: Details = []
    if known_only(body, _PATH, ("description", "requestId"), optional, details):
        _check_name(body, details)
        text(body, "requestId", _PATH, details, most=100)
        text(body, "clickUrl", _PATH, details, most=2000)
    _refuse(details)
    world = api.world
    with world.lock:
        sent = sent_as(world, body["requestId"])
        if sent is None:
            raise Refusal(400, "REQUEST_NOT_FOUND")
        if world.shop_ms() - sent.at_ms > ENGAGED_DAYS * DAY_MS:
            raise Refusal(400, "TOO_OLD_MESSAGES")
        twin = [
            one
            for one in world.audiences.values()
            if one["type"] == "IMP" and one["requestId"] == body["requestId"]
        ]
        if kind == "IMP" and twin:
            raise Refusal(400, "AUDIENCE_GROUP_REQUESTID_DUPLICATE")
        given = {name: body[name] for name in ("requestId", "clickUrl") if body.get(name)}
        made = _keep(api, context, kind, {"description": body["description"], **given})
    return ok(_answer(made), 202)


def _keep(api: LineApi, context: Context, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    world = api.world
    if len(world.audiences) >= MOST:
        raise Refusal(400, "The maximum number of audiences has been reached")
    audience_id = max([FIRST_ID, *world.audiences]) + 1
    made = {
        "audienceGroupId": audience_id,
        "type": kind,
        "created": context.now_ms // 1000,
        "ready_ms": context.now_ms + world.account.audience_ms,
        "jobs": [],
        **facts,
    }
    world.audiences[audience_id] = made
    world.save_audience(audience_id)
    world.touch()
    return made


def _answer(made: dict[str, Any]) -> dict[str, Any]:
    engaged: dict[str, Any] = {
        name: made[name] for name in ("requestId", "clickUrl") if name in made
    }
    return {
        "audienceGroupId": made["audienceGroupId"],
        "createRoute": "MESSAGING_API",
        "type": made["type"],
        "description": made["description"],
        "created": made["created"],
        "permission": "READ_WRITE",
        "expireTimestamp": made["created"] + LIFE_SECONDS,
        "isIfaAudience": False,
        **engaged,
    }


def _job(api: LineApi, context: Context, group: dict[str, Any], people: int) -> None:
    """LINE works what was handed over in a while later; until then nobody of it is reached."""
    done_ms = context.now_ms + api.world.account.audience_ms
    group["jobs"].append([len(group["jobs"]) + 1, done_ms, people, context.now_ms // 1000])
    api.world.save_audience(group["audienceGroupId"])


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
        if found["type"] != "UPLOAD":
            raise Refusal(400, "AUDIENCE_GROUP_CAN_NOT_UPDATE_STATUS")
        found["ids"] = sorted({*found["ids"], *(one["id"] for one in body["audiences"])})
        _job(api, context, found, len(body["audiences"]))
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
    with api.world.lock:
        newest_first = list(api.world.audiences.values())[::-1]
        groups = [_shown(api, one, context.now_ms) for one in newest_first]
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
        jobs = [
            {
                "audienceGroupJobId": number,
                "audienceGroupId": found["audienceGroupId"],
                "description": "",
                "type": "DIFF_ADD",
                "jobStatus": "FINISHED" if context.now_ms >= done_ms else "WORKING",
                "audienceCount": people,
                "created": created,
            }
            for number, done_ms, people, created in found["jobs"][-50:]
        ]
        return ok({"audienceGroup": _shown(api, found, context.now_ms), "jobs": jobs})


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


def _shown(api: LineApi, one: dict[str, Any], now_ms: int) -> dict[str, Any]:
    people = len(members_of(api.world, one))
    hidden = one["type"] != "UPLOAD" and people < FEWEST_TOLD
    engaged: dict[str, Any] = {name: one[name] for name in ("requestId", "clickUrl") if name in one}
    return {
        "audienceGroupId": one["audienceGroupId"],
        "type": one["type"],
        "description": one["description"],
        "status": status_of(api.world, one, now_ms),
        "audienceCount": 0 if hidden else people,
        "created": one["created"],
        **engaged,
        "isIfaAudience": False,
        "permission": "READ_WRITE",
        "createRoute": "MESSAGING_API",
    }


def _check_name(body: dict[str, Any], out: Details) -> None:
    text(body, "description", _PATH, out, most=120)
    name = body.get("description")
    if isinstance(name, str) and (
        not name.strip() or any(unicodedata.category(one) == "Cc" for one in name)
    ):
        note(out, f"{_PATH}.description", "invalid property")


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
