"""The screen with the phones. It speaks to the simulator's own server, never to its insides."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import urllib3
from flask import Blueprint, Flask, Response, abort, jsonify, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from lineadmin import clock, i18n, settings, tasks
from lineadmin import config as configuration
from lineadmin.admin.identity import current_staff, send_to_sign_in, staff_or_none
from lineadmin.db import from_ms
from lineadmin.friends.models import Source
from lineadmin.i18n import _
from lineadmin.simulator.client import ControlError, SimulatorClient
from lineadmin.staff import audit
from lineadmin.tasks import horizon
from lineadmin.tracking import entry

bp = Blueprint("simulator", __name__, url_prefix="/simulator")

DEMO_FRIENDS = (
    {"name": "小明", "os": "ios"},
    {"name": "怡君", "os": "android"},
    {"name": "阿婆", "os": "android"},
    {"name": "阿凱", "os": "ios"},
)
ACTS = ("follow", "block", "unblock", "text", "sticker", "location", "file", "tap", "unsend")
FAULTS = {
    "500": "500",
    "429": "429",
    "accepted_then_lost": "drop_after",
    "quota": "monthly",
}
FAULTY_CALLS = 3
LONGEST_MOVE_HOURS = 24 * 31
CALLS_SHOWN = 12
LINKS_SHOWN = 20
MOVE_SECONDS = 3.0  # of one request; the page asks again until the time is reached
SETTLE_SECONDS = 6.0  # at one moment


def init_app(app: Flask) -> None:
    """Mount the page; only called in simulator mode."""
    app.register_blueprint(bp)


@bp.before_request
def _staff_only() -> BaseResponse | None:
    return None if staff_or_none() is not None else send_to_sign_in()


@bp.get("/")
def index() -> str:
    """Four phones side by side, the clock, and buttons that make LINE fail."""
    problem, links = None, []
    try:
        line = _line()
        links = _entry_links(line.state()["account"]["basic_id"])
        _make_demo_friends(line)
        _set_clock(line)
    except (ControlError, urllib3.exceptions.HTTPError):
        problem = _("The simulator does not answer. Stop lineadmin with Ctrl-C and start it again.")
    return render_template(
        "admin/simulator.html",
        problem=problem,
        words=_words(),
        shop_name=settings.shop().name or "lineadmin",
        public_url=configuration.current().public_url,
        links=links,
    )


@bp.get("/world")
def world() -> BaseResponse:
    """Phones, calls and faults as JSON; 204 while nothing has changed since `after`."""
    line = _line()
    state = line.call("GET", "state")
    version = f"{state['version']}:{clock.now():%d%H%M}"
    if request.args.get("after") == version:
        return Response(status=204)
    listed = line.call("GET", "phones", pinned=1, limit=8)["phones"]
    phones = [line.call("GET", f"phones/{phone['user_id']}", limit=60) for phone in listed]
    calls = line.call("GET", "calls", limit=200)["calls"]
    sends = [call for call in calls if call["endpoint"] in ("reply", "push", "multicast")]
    return jsonify(
        version=version,
        shop_time=i18n.format_datetime(clock.now()),
        phones=[_phone(phone) for phone in phones],
        calls=[_call(call) for call in sends[-CALLS_SHOWN:]][::-1],
        faults=[fault["kind"] for fault in state["faults"]],
        used=state["used"],
    )


@bp.post("/phones/<user_id>/<act>")
def act(user_id: str, act: str) -> BaseResponse:
    """What the person with this phone does; answers what a tap opened, if anything."""
    if act not in ACTS:
        abort(404)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        abort(400)
    return jsonify(_line().call("POST", f"phones/{user_id}/{act}", body))


@bp.post("/phones/<user_id>/scan")
def scan(user_id: str) -> BaseResponse:
    """A link or QR code that LINE itself understands; answers what the phone shows."""
    body = request.get_json(silent=True)
    url = body.get("url") if isinstance(body, dict) else None
    if not isinstance(url, str):
        abort(400)
    running = configuration.current()
    app = {"endpoint": f"{running.public_url}/e", "client_id": running.line_login_channel_id}
    return jsonify(_line().scan(user_id, url, liff={running.liff_id or "": app}))


@bp.post("/clock")
def move_clock() -> BaseResponse:
    """Move shop time by whole `hours`, or on to the `until` that an earlier answer named.

    Goes from one planned moment to the next and gives the worker time at each; answers after
    some seconds, with `until` as long as the way is not done: then the page asks again.
    """
    body = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    before = clock.now()
    until = _wanted(body, before)
    deadline = time.monotonic() + MOVE_SECONDS
    while True:
        now = clock.now()
        if now >= until or time.monotonic() >= deadline:
            break
        clock.move(min(until, horizon.next_moment(now) or until) - now)
        _set_clock(_line())
        tasks.ring()
        _let_things_happen(deadline)
    if "hours" in body:
        audit.record(
            current_staff(),
            "clock.move",
            "clock",
            0,
            _("Shop time"),
            {"time": i18n.format_datetime(before)},
            {"time": i18n.format_datetime(until)},
            wall=clock.wall(),
        )
    done = clock.now() >= until
    return jsonify(
        shop_time=i18n.format_datetime(clock.now()), until=None if done else until.isoformat()
    )


def _wanted(body: dict[str, Any], now: datetime) -> datetime:
    hours, until = body.get("hours"), body.get("until")
    if isinstance(hours, int) and 1 <= hours <= LONGEST_MOVE_HOURS:
        return now + timedelta(hours=hours)
    try:
        moment = datetime.fromisoformat(until) if isinstance(until, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        abort(400)
    if moment - now > timedelta(hours=LONGEST_MOVE_HOURS):
        abort(400)
    return moment


def _let_things_happen(deadline: float) -> None:
    """Wait for the worker; a LINE that is made to fail does not hold time up for ever."""
    give_up = min(deadline + MOVE_SECONDS, time.monotonic() + SETTLE_SECONDS)
    while not horizon.is_settled(clock.now(), clock.wall()) and time.monotonic() < give_up:
        time.sleep(0.05)


@bp.post("/fault/<kind>")
def fault(kind: str) -> BaseResponse:
    """Let LINE fail at the next few sends, or (`none`) behave again."""
    line = _line()
    if kind == "none":
        line.call("DELETE", "faults")
        return jsonify({})
    if kind not in FAULTS:
        abort(404)
    for endpoint in ("push", "multicast"):
        line.call(
            "POST",
            "faults",
            {"kind": FAULTS[kind], "endpoint": endpoint, "times": FAULTY_CALLS},
        )
    return jsonify({})


@bp.post("/redeliver")
def redeliver() -> BaseResponse:
    """Send the latest webhook event once more, as LINE does when it doubts our answer."""
    return jsonify(_line().call("POST", "events/redeliver", {"last": 1}))


@bp.errorhandler(ControlError)
def _refused(error: ControlError) -> tuple[Response, int]:
    return jsonify(error=_("That is not possible on this phone right now.")), 409


@bp.errorhandler(urllib3.exceptions.HTTPError)
def _silent(error: Exception) -> tuple[Response, int]:
    return jsonify(error=_("The simulator does not answer.")), 503


def _line() -> SimulatorClient:
    return SimulatorClient(configuration.current().line_api_base)


def _make_demo_friends(line: SimulatorClient) -> None:
    if line.call("GET", "phones", pinned=1, limit=1)["total"] == 0:
        for friend in DEMO_FRIENDS:
            line.call("POST", "phones", {**friend, "status": "stranger", "pinned": True})


def _set_clock(line: SimulatorClient) -> None:
    """Events carry shop time; LINE's own limits stay on real time."""
    offset = clock.offset() // timedelta(milliseconds=1)
    line.call("POST", "settings", {"clock_offset_ms": offset})


def _phone(phone: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": phone["user_id"],
        "name": phone["name"],
        "status": phone["status"],
        "chat": [
            {**bubble, "time": _moment(bubble["at_ms"])}
            for bubble in phone["chat"]
            if bubble["how"] != "system" or bubble["message"]["type"] != "tap"
        ],
        "quick_replies": phone["quick_replies"],
    }


def _call(call: dict[str, Any]) -> dict[str, Any]:
    return {
        "time": f"{i18n.local(from_ms(call['at_ms'])):%H:%M:%S}",
        "endpoint": call["endpoint"],
        "status": call["status"],
        "recipients": 1 if call["endpoint"] == "reply" else call["recipients"],
    }


def _moment(milliseconds: int) -> str:
    return f"{i18n.local(from_ms(milliseconds)):%m/%d %H:%M}"


def _entry_links(account: str) -> list[dict[str, str]]:
    """The ways in of every source, for the phones to scan."""
    running = configuration.current()
    links = []
    sources = Source.select().where(Source.archived_at.is_null()).order_by(Source.name)
    for source in sources.limit(LINKS_SHOWN):
        if running.liff_configured and running.liff_id is not None:
            label = _("%(name)s: entry link", name=source.name)
            links.append({"label": label, "url": entry.liff_link(running.liff_id, source.code)})
        label = _("%(name)s: text to send", name=source.name)
        links.append({"label": label, "url": entry.code_link(account, source.code)})
    return links


def _words() -> dict[str, str]:
    return {
        "follow": _("Added as a friend"),
        "unfollow": _("Blocked the account"),
        "stranger": _("Not a friend yet"),
        "blocked": _("Blocked"),
        "friend": _("Friend"),
        "add": _("Add friend"),
        "block": _("Block"),
        "unblock": _("Unblock"),
        "send": _("Send"),
        "write": _("Write a message…"),
        "unsent": _("Message taken back"),
        "sticker": _("Sticker"),
        "reply": _("Reply (free)"),
        "push": _("Push"),
        "multicast": _("Multicast"),
        "people": _("%(count)s people", count="{count}"),
        "failed": _("That did not work. Try again."),
        "nothing": _("No calls yet."),
        "faulty": _("LINE will fail at the next sends."),
        "copied": _("Copied: {text}"),
        "location": _("Location"),
        "image": _("Picture"),
        "demo_place": _("Zhongshan District, Taipei"),
    }
