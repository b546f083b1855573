"""A typed client of the control API (see ``control.py`` for the calls and their fields).

line = SimulatorClient("http://127.0.0.1:8001")
hana = line.add_phone("Hana")["user_id"]
line.follow(hana, wait_ms=2000)          # {"event", "delivered", "attempts"}
line.texts(hana)                         # every text the shop sent her
line.fail("timeout_after", endpoint="multicast", times=3)
assert line.abuse() == []
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import urllib3


class ControlError(Exception):
    """The simulator refused a control call; the text says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class SimulatorClient:
    """One method per control call. Thread-safe; keeps its connections open."""

    def __init__(self, base_url: str, control_token: str | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = urllib3.PoolManager(maxsize=16, retries=False)
        self._headers = {
            "content-type": "application/json",
            "x-sim-control": control_token or "1",
        }

    def call(self, method: str, path: str, body: Any = None, **args: Any) -> Any:
        """Any control call; ``args`` become the query string.

        :raises ControlError: it was refused
        """
        query = urlencode({name: value for name, value in args.items() if value is not None})
        response = self._http.request(
            method,
            f"{self.base_url}/sim/{path}" + (f"?{query}" if query else ""),
            body=None if body is None else json.dumps(body).encode(),
            headers=self._headers,
            timeout=70.0,
        )
        if response.headers.get("content-type", "").startswith("image/"):
            return response.data
        answer = json.loads(response.data)
        if response.status != 200:
            raise ControlError(response.status, answer.get("error", ""))
        return answer

    # the world

    def state(self) -> dict[str, Any]:
        """Counts, account, faults, webhook queue, version."""
        return _object(self.call("GET", "state"))

    def changes(self, after: int, wait_ms: int = 20_000) -> int:
        """Wait for the world's version to pass ``after``; the version now."""
        return int(self.call("GET", "changes", after=after, wait_ms=wait_ms)["version"])

    def settings(self, **settings: Any) -> dict[str, Any]:
        """Change settings (named in ``control.py``)."""
        return _object(self.call("POST", "settings", settings))

    def quota(self, limit: int | None, *, used: int | None = None) -> None:
        """Set the month's allowance (None = no limit) and what is used of it."""
        body: dict[str, Any] = {"quota_type": "none" if limit is None else "limited"}
        body["quota_value"] = limit or 0
        if used is not None:
            body["used"] = used
        self.call("POST", "settings", body)

    def age(self, ms: int) -> None:
        """Let LINE's limits (reply tokens, retry keys, quota month) see more time gone by."""
        self.call("POST", "age", {"ms": ms})

    def reset(self) -> None:
        """An empty world."""
        self.call("POST", "reset", {})

    # phones

    def phones(self, **filters: Any) -> list[dict[str, Any]]:
        """People; filters: status, pinned (1 or 0), q, offset, limit."""
        found: list[dict[str, Any]] = self.call("GET", "phones", **filters)["phones"]
        return found

    def add_phone(self, name: str, **facts: Any) -> dict[str, Any]:
        """A person who is a friend (or ``status=``), without any event."""
        return _object(self.call("POST", "phones", {"name": name, **facts}))

    def add_phones(self, count: int, *, seed: str = "friend", **facts: Any) -> list[str]:
        """Many people with repeatable ids; their ids."""
        found: list[str] = self.call(
            "POST", "phones/bulk", {"count": count, "seed": seed, **facts}
        )["user_ids"]
        return found

    def phone(self, user_id: str, *, after: int = 0, limit: int = 200) -> dict[str, Any]:
        """A person with chat and quick replies."""
        return _object(self.call("GET", f"phones/{user_id}", after=after, limit=limit))

    def change_phone(self, user_id: str, **facts: Any) -> dict[str, Any]:
        """Change a person's facts, without any event."""
        return _object(self.call("PATCH", f"phones/{user_id}", facts))

    def picture(self, user_id: str) -> bytes:
        """The person's drawn face, SVG."""
        data: bytes = self.call("GET", f"phones/{user_id}/picture.svg")
        return data

    def chat(self, user_id: str, limit: int = 200) -> list[dict[str, Any]]:
        """The bubbles of a chat, oldest first."""
        found: list[dict[str, Any]] = self.phone(user_id, limit=limit)["chat"]
        return found

    def messages(self, user_id: str, how: str | None = None) -> list[dict[str, Any]]:
        """The message objects the shop sent to this phone, oldest first."""
        return [
            bubble["message"]
            for bubble in self.chat(user_id, limit=10_000)
            if bubble["side"] == "shop" and how in (None, bubble["how"])
        ]

    def texts(self, user_id: str, how: str | None = None) -> list[str]:
        """The texts among them."""
        return [m["text"] for m in self.messages(user_id, how) if m["type"] == "text"]

    def follow(
        self, user_id: str, *, is_unblocked: bool | None = None, wait_ms: int = 0
    ) -> dict[str, Any]:
        """Add as a friend, or unblock. ``wait_ms``: wait for the panel's answer."""
        body = {} if is_unblocked is None else {"is_unblocked": is_unblocked}
        return self._act(user_id, "follow", wait_ms, **body)

    def block(self, user_id: str, *, wait_ms: int = 0) -> dict[str, Any]:
        """Block the account."""
        return self._act(user_id, "block", wait_ms)

    def unblock(self, user_id: str, *, wait_ms: int = 0) -> dict[str, Any]:
        """Unblock it."""
        return self._act(user_id, "unblock", wait_ms)

    def text(self, user_id: str, text: str, *, wait_ms: int = 0, **more: Any) -> dict[str, Any]:
        """Send a text; ``more``: emojis, mention, quotedMessageId."""
        return self._act(user_id, "text", wait_ms, text=text, **more)

    def sticker(
        self, user_id: str, package_id: str, sticker_id: str, *, wait_ms: int = 0
    ) -> dict[str, Any]:
        """Send a sticker."""
        names = {"package_id": package_id, "sticker_id": sticker_id}
        return self._act(user_id, "sticker", wait_ms, **names)

    def image(
        self, user_id: str, data: bytes, *, mime: str = "image/jpeg", wait_ms: int = 0
    ) -> dict[str, Any]:
        """Send a picture."""
        encoded = base64.b64encode(data).decode()
        return self._act(user_id, "file", wait_ms, kind="image", type=mime, base64=encoded)

    def location(
        self,
        user_id: str,
        latitude: float,
        longitude: float,
        *,
        title: str = "",
        address: str = "",
        wait_ms: int = 0,
    ) -> dict[str, Any]:
        """Send a place."""
        place = {"latitude": latitude, "longitude": longitude, "title": title, "address": address}
        return self._act(user_id, "location", wait_ms, **place)

    def unsend(
        self, user_id: str, message_id: str | None = None, *, wait_ms: int = 0
    ) -> dict[str, Any]:
        """Take back a message (the last one)."""
        body = {} if message_id is None else {"message_id": message_id}
        return self._act(user_id, "unsend", wait_ms, **body)

    def tap(
        self,
        user_id: str,
        label: str | None = None,
        *,
        action: Mapping[str, Any] | None = None,
        seq: int | None = None,
        value: str | None = None,
    ) -> dict[str, Any]:
        """Tap a button or quick reply; ``{"type", "event"?, "open"?, "copy"?, "prompt"?}``."""
        wish = {"label": label, "action": action, "seq": seq, "value": value}
        body = {name: given for name, given in wish.items() if given is not None}
        return _object(self.call("POST", f"phones/{user_id}/tap", body))

    def _act(self, user_id: str, act: str, wait_ms: int, **body: Any) -> dict[str, Any]:
        path = f"phones/{user_id}/{act}"
        return _object(self.call("POST", path, {"wait_ms": wait_ms, **body}))

    # events

    def events(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest events, newest first, with every attempt."""
        found: list[dict[str, Any]] = self.call("GET", "events", limit=limit)["events"]
        return found

    def send_events(
        self, events: Sequence[Mapping[str, Any]], *, together: bool = False, wait_ms: int = 0
    ) -> list[dict[str, Any]]:
        """Deliver raw events exactly as given."""
        body = {"events": list(events), "together": together, "wait_ms": wait_ms}
        found: list[dict[str, Any]] = self.call("POST", "events", body)["events"]
        return found

    def redeliver(
        self, event_id: str | None = None, *, last: int = 1, wait_ms: int = 0
    ) -> list[dict[str, Any]]:
        """Deliver an event, or the last ones, again."""
        body = {"wait_ms": wait_ms}
        chosen = {"event_id": event_id} if event_id else {"last": last}
        found: list[dict[str, Any]] = self.call("POST", "events/redeliver", {**body, **chosen})[
            "events"
        ]
        return found

    def hold(self) -> None:
        """Keep events back."""
        self.call("POST", "events/hold", {})

    def release(self, order: str = "same", *, together: bool = False, seed: int = 0) -> int:
        """Deliver held events: same, reverse or shuffle order; how many."""
        body = {"order": order, "together": together, "seed": seed}
        return int(self.call("POST", "events/release", body)["released"])

    def wait_for_events(self, timeout_ms: int = 30_000) -> bool:
        """Wait until no event is queued or in the air."""
        return bool(self.call("POST", "events/wait", {"timeout_ms": timeout_ms})["idle"])

    # faults

    def fail(
        self,
        kind: str,
        *,
        endpoint: str = "*",
        times: int | None = None,
        percent: float | None = None,
        hold_ms: int | None = None,
    ) -> dict[str, Any]:
        """Make calls fail; kinds are in ``faults.py``. Neither times nor percent = once."""
        wish = {"times": times, "percent": percent, "hold_ms": hold_ms}
        body = {name: value for name, value in wish.items() if value is not None}
        return _object(self.call("POST", "faults", {"kind": kind, "endpoint": endpoint, **body}))

    def clear_faults(self, endpoint: str | None = None) -> None:
        """Stop failing."""
        self.call("DELETE", "faults", endpoint=endpoint)

    def latency(self, min_ms: float, max_ms: float | None = None, *, endpoint: str = "*") -> None:
        """Answer after a uniform wait; 0 removes it."""
        high = min_ms if max_ms is None else max_ms
        self.call("POST", "latency", {"endpoint": endpoint, "min_ms": min_ms, "max_ms": high})

    # what happened

    def calls(self, **filters: Any) -> list[dict[str, Any]]:
        """The call log, oldest first; filters: after, endpoint, status, limit."""
        found: list[dict[str, Any]] = self.call("GET", "calls", **filters)["calls"]
        return found

    def counters(self) -> dict[str, int]:
        """requests, <endpoint>.requests, <endpoint>.<status>, delivered_bubbles, …"""
        counters: dict[str, int] = self.call("GET", "counters")
        return counters

    def abuse(self) -> list[dict[str, Any]]:
        """What a well-behaved sender never does."""
        found: list[dict[str, Any]] = self.call("GET", "abuse")["abuse"]
        return found

    def received(self, *, how: str | None = None, after: int = 0) -> dict[str, list[list[Any]]]:
        """{user_id: [[how, request_id, at_ms, messages], …]} of every phone that got something."""
        return _object(self.call("GET", "received", how=how, after=after))

    def received_counts(self, *, how: str | None = None) -> dict[str, int]:
        """{user_id: requests that reached this phone}."""
        return _object(self.call("GET", "received/counts", how=how))

    def scan(
        self, user_id: str, url: str, *, liff: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What LINE does with a link or QR code: ``{"type", "open"?, "text"?}``."""
        body = {"url": url, "liff": dict(liff or {})}
        return _object(self.call("POST", f"phones/{user_id}/scan", body))

    def id_token(self, user_id: str, client_id: str, *, seconds: int = 3600) -> str:
        """A LINE Login id token this LINE will verify."""
        body = {"user_id": user_id, "client_id": client_id, "seconds": seconds}
        return str(self.call("POST", "id_tokens", body)["id_token"])


def _object(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer
    return found
