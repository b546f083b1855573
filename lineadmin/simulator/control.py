"""The control API: everything one may do to this world that is not LINE's business.

It answers only on loopback, and changes (POST, PATCH, DELETE) need the header ``x-sim-control``
(any value, or the control token when one is set), so no web page can call it by accident.
Times are ms since 1970. ``client.SimulatorClient`` has a method for each call.

    GET    /sim/state                        counts, account, faults, webhook queue, version
    GET    /sim/changes?after=V&wait_ms=M    long poll: answers when version > V
    POST   /sim/settings {...}               verified, display_name, chat_mode, mark_as_read_mode,
                                             endpoint, webhook_active, webhook_url (where the
                                             panel really listens), webhook_timeout_ms,
                                             redelivery, redelivery_delays_ms, quota_type,
                                             quota_value, used, clock_offset_ms, rate_limits,
                                             narrowcast_waiting_ms, narrowcast_sending_ms,
                                             narrowcast_error, audience_ms,
                                             limits {endpoint: [n, seconds]}, seed
    POST   /sim/age {ms}                     limits see that much more time gone by
    POST   /sim/reset                        an empty world
    GET    /sim/phones?status=&pinned=&q=&offset=&limit=
    POST   /sim/phones {name, user_id?, ...} a person; no event
    POST   /sim/phones/bulk {count, seed, ...}   many; repeatable ids
    GET    /sim/phones/ID?after=SEQ&limit=   the person, the chat, the quick replies
    PATCH  /sim/phones/ID {name, picture_url, status_message, language, os, pinned, status,
                                             estimates {gender, age, area, os, friend_days}}
    POST   /sim/phones/ID/ACT                follow {is_unblocked?} | block | unblock | text {text}
                                             | sticker {package_id, sticker_id} | file {kind, type,
                                             base64} | location {...} | unsend {message_id?}
                                             | tap {label | action, seq?, value?}
                                             (all but tap take wait_ms: wait for the panel's answer)
    POST   /sim/phones/ID/scan {url, liff?}  open a link of LINE; liff {id: {endpoint, client_id}}
    GET    /sim/phones/ID/picture.svg        a drawn face
    GET    /sim/events?limit=                newest first, with every delivery attempt
    POST   /sim/events {events, together}    raw events, exactly as given
    POST   /sim/events/redeliver {event_id? | last?}
    POST   /sim/events/hold, /sim/events/release {order, together, seed}
    POST   /sim/events/wait {timeout_ms}     until nothing is queued
    GET    /sim/faults                       rules and latencies
    POST   /sim/faults {kind, endpoint, times, percent, hold_ms}
    DELETE /sim/faults?endpoint=
    POST   /sim/latency {endpoint, min_ms, max_ms}
    GET    /sim/calls?after=N&endpoint=&status=&limit=   the first after N; without it the newest
    GET    /sim/counters, /sim/abuse
    GET    /sim/received?how=&after=SEQ      {user_id: [[how, request_id, at_ms, messages], ...]}
    GET    /sim/received/counts?how=         {user_id: requests received}
    POST   /sim/id_tokens {user_id, client_id, ...}   a LINE Login id token
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from itertools import takewhile
from typing import Any

from lineadmin.simulator.control_phones import (
    STATUSES,
    BadControl,
    PhoneControl,
    expect,
    wait_seconds,
)
from lineadmin.simulator.phones import Impossible, Nobody, People
from lineadmin.simulator.records import Sent
from lineadmin.simulator.webhooks import Webhooks
from lineadmin.simulator.wire import Request, Response, json_response
from lineadmin.simulator.world import World

LOOPBACK_PEERS = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")

ACCOUNT_SETTINGS: dict[str, type | tuple[type, ...]] = {
    "verified": bool,
    "display_name": str,
    "chat_mode": str,
    "mark_as_read_mode": str,
    "endpoint": (str, type(None)),
    "webhook_active": bool,
    "redelivery": bool,
    "redelivery_delays_ms": list,
    "quota_type": str,
    "quota_value": int,
    "clock_offset_ms": int,
    "narrowcast_waiting_ms": int,
    "narrowcast_sending_ms": int,
    "narrowcast_error": int,
    "audience_ms": int,
}
OTHER_SETTINGS = ("used", "webhook_url", "rate_limits", "limits", "seed", "webhook_timeout_ms")


class Control:
    """Answers ``/sim/…``."""

    def __init__(
        self, world: World, webhooks: Webhooks, people: People, token: str | None = None
    ) -> None:
        self._world = world
        self._webhooks = webhooks
        self._token = token
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = [
            (method, re.compile(path), handler)
            for method, path, handler in (
                ("GET", "/sim/state", self._state),
                ("GET", "/sim/changes", self._changes),
                ("POST", "/sim/settings", self._settings),
                ("POST", "/sim/age", self._age),
                ("POST", "/sim/reset", self._reset),
                *PhoneControl(world, people).routes(),
                ("GET", "/sim/events", self._events),
                ("POST", "/sim/events", self._raw_events),
                ("POST", "/sim/events/redeliver", self._redeliver),
                ("POST", "/sim/events/hold", self._hold),
                ("POST", "/sim/events/release", self._release),
                ("POST", "/sim/events/wait", self._wait),
                ("GET", "/sim/faults", self._faults),
                ("POST", "/sim/faults", self._add_fault),
                ("DELETE", "/sim/faults", self._clear_faults),
                ("POST", "/sim/latency", self._latency),
                ("GET", "/sim/calls", self._calls),
                ("GET", "/sim/counters", self._counters),
                ("GET", "/sim/abuse", self._abuse),
                ("GET", "/sim/received", self._received),
                ("GET", "/sim/received/counts", self._received_counts),
            )
        ]

    def __call__(self, request: Request) -> Response:
        """Answer one control call; errors are ``{"error": sentence}``."""
        host = request.headers.get("host", "").rsplit(":", 1)[0]
        if request.peer not in LOOPBACK_PEERS or host not in LOOPBACK_HOSTS:
            return json_response(403, {"error": "the control API answers only on loopback"})
        given = request.headers.get("x-sim-control")
        if (request.method != "GET" or self._token) and not given:
            return json_response(403, {"error": "the header x-sim-control is missing"})
        if self._token and given != self._token:
            return json_response(403, {"error": "wrong control token"})
        for method, path, handler in self._routes:
            found = path.fullmatch(request.path)
            if found and method == request.method:
                return self._run(handler, request, found.groups())
        return json_response(404, {"error": "no such control call"})

    def _run(
        self, handler: Callable[..., Any], request: Request, params: tuple[str, ...]
    ) -> Response:
        try:
            if request.method == "GET" or request.method == "DELETE":
                answer = handler(request.args(), *params)
            else:
                body = request.json() if request.body else {}
                if not isinstance(body, dict):
                    raise BadControl("the body must be an object")
                answer = handler(body, *params)
        except Nobody as problem:
            return json_response(404, {"error": str(problem)})
        except Impossible as problem:
            return json_response(409, {"error": str(problem)})
        except (BadControl, ValueError, TypeError, KeyError) as problem:
            return json_response(400, {"error": f"{type(problem).__name__}: {problem}"})
        if isinstance(answer, Response):
            return answer
        return json_response(200, answer)

    # the world

    def _state(self, _args: dict[str, str]) -> Any:
        world = self._world
        with world.lock:
            statuses: Counter[str] = Counter(phone.status for phone in world.phones.values())
            return {
                "version": world.version,
                "account": asdict(world.account),
                "channel_id": world.channel_id,
                "used": world.used(),
                "shop_ms": world.shop_ms(),
                "phones": {status: statuses[status] for status in STATUSES},
                "events": {"waiting": self._webhooks.waiting, "held": self._webhooks.held},
                "faults": world.faults.rules(),
                "latency": world.faults.latencies(),
                "limits": world.buckets.overrides(),
                "rate_limits": world.buckets.enabled,
                "counters": dict(world.counters),
            }

    def _changes(self, args: dict[str, str]) -> Any:
        world = self._world
        after = int(args.get("after", "-1"))
        wait = wait_seconds(args.get("wait_ms", 20_000))
        with world.changed:
            changed = world.changed.wait_for(lambda: world.version > after, wait)
            return {"version": world.version, "changed": changed}

    def _settings(self, body: dict[str, Any]) -> Any:
        world = self._world
        rest = {name: value for name, value in body.items() if name not in ACCOUNT_SETTINGS}
        unknown = [name for name in rest if name not in OTHER_SETTINGS]
        if unknown:
            raise BadControl(f"unknown settings: {', '.join(unknown)}")
        for name in body.keys() - rest.keys():
            expect(name, body[name], ACCOUNT_SETTINGS[name])
        with world.lock:
            for name in body.keys() - rest.keys():
                setattr(world.account, name, body[name])
            if "used" in rest:
                world.account.used = int(rest.pop("used"))
                world.account.used_month = world.month()
            if "webhook_url" in rest:
                world.set_webhook_url(rest.pop("webhook_url"))
            if "rate_limits" in rest:
                world.buckets.enabled = bool(rest.pop("rate_limits"))
            if "limits" in rest:
                limits = rest.pop("limits").items()
                world.buckets.override({k: (float(n), float(s)) for k, (n, s) in limits})
            if "seed" in rest:
                world.faults.seed(rest.pop("seed"))
            if "webhook_timeout_ms" in rest:
                self._webhooks.timeout_seconds = int(rest.pop("webhook_timeout_ms")) / 1000
            world.save_account()
            world.touch()
        return self._state({})

    def _age(self, body: dict[str, Any]) -> Any:
        with self._world.lock:
            self._world.account.limits_offset_ms += int(body["ms"])
            self._world.save_account()
        self._world.prune()
        return {"real_ms": self._world.real_ms()}

    def _reset(self, _body: dict[str, Any]) -> Any:
        self._webhooks.forget()
        self._world.reset()
        return self._state({})

    # events

    def _events(self, args: dict[str, str]) -> Any:
        limit = int(args.get("limit", "100"))
        return {"events": [delivery.record() for delivery in self._webhooks.recent(limit)]}

    def _raw_events(self, body: dict[str, Any]) -> Any:
        wait_ms = int(body.get("wait_ms", 0))
        deliveries = self._webhooks.queue_raw(
            body["events"], together=bool(body.get("together", False))
        )
        for delivery in deliveries:
            if wait_ms:
                delivery.done.wait(wait_seconds(wait_ms))
        return {"events": [delivery.record() for delivery in deliveries]}

    def _redeliver(self, body: dict[str, Any]) -> Any:
        if "event_id" in body:
            found = self._webhooks.find(body["event_id"])
            if found is None:
                raise Impossible("no such event")
            chosen = [found]
        else:
            chosen = self._webhooks.recent(int(body.get("last", 1)))[::-1]
            if not chosen:
                raise Impossible("there is no event to redeliver")
        for delivery in chosen:
            self._webhooks.redeliver(delivery)
        wait_ms = int(body.get("wait_ms", 0))
        for delivery in chosen:
            if wait_ms:
                delivery.done.wait(wait_seconds(wait_ms))
        return {"events": [delivery.record() for delivery in chosen]}

    def _hold(self, _body: dict[str, Any]) -> Any:
        self._webhooks.hold()
        return {"held": self._webhooks.held}

    def _release(self, body: dict[str, Any]) -> Any:
        released = self._webhooks.release(
            body.get("order", "same"),
            together=bool(body.get("together", False)),
            seed=int(body.get("seed", 0)),
        )
        return {"released": released}

    def _wait(self, body: dict[str, Any]) -> Any:
        timeout = wait_seconds(body.get("timeout_ms", 5000))
        return {"idle": self._webhooks.wait_idle(timeout)}

    # faults

    def _faults(self, _args: dict[str, str]) -> Any:
        faults = self._world.faults
        return {"faults": faults.rules(), "latency": faults.latencies()}

    def _add_fault(self, body: dict[str, Any]) -> Any:
        fault = self._world.faults.add(**body)
        self._world.touch()
        return asdict(fault)

    def _clear_faults(self, args: dict[str, str]) -> Any:
        self._world.faults.clear(args.get("endpoint"))
        self._world.touch()
        return self._faults({})

    def _latency(self, body: dict[str, Any]) -> Any:
        low = float(body.get("min_ms", 0))
        high = float(body.get("max_ms", low))
        self._world.faults.set_latency(body.get("endpoint", "*"), low, high)
        return self._faults({})

    # what happened

    def _calls(self, args: dict[str, str]) -> Any:
        after, limit = int(args.get("after", "0")), int(args.get("limit", "500"))
        with self._world.lock:
            newer = takewhile(lambda call: call.n > after, reversed(self._world.calls))
            found = [
                call
                for call in newer
                if args.get("endpoint", call.endpoint) == call.endpoint
                and args.get("status", str(call.status)) == str(call.status)
            ]
        chosen = found[-limit:] if "after" in args else found[:limit]
        return {"calls": [asdict(call) for call in reversed(chosen)]}

    def _counters(self, _args: dict[str, str]) -> Any:
        with self._world.lock:
            return dict(self._world.counters)

    def _abuse(self, _args: dict[str, str]) -> Any:
        with self._world.lock:
            return {"abuse": list(self._world.abuse)}

    def _received(self, args: dict[str, str]) -> Any:
        after = int(args.get("after", "0"))
        found: dict[str, list[Any]] = {}
        with self._world.lock:
            for phone in self._world.phones.values():
                rows = [
                    [item.how, item.request_id, item.at_ms, item.messages]
                    for item in phone.items
                    if isinstance(item, Sent)
                    and item.seq > after
                    and args.get("how", item.how) == item.how
                ]
                if rows:
                    found[phone.user_id] = rows
        return found

    def _received_counts(self, args: dict[str, str]) -> Any:
        counts: Counter[str] = Counter()
        with self._world.lock:
            for phone in self._world.phones.values():
                for item in phone.items:
                    if isinstance(item, Sent) and args.get("how", item.how) == item.how:
                        counts[phone.user_id] += 1
        return dict(counts)
