"""The part of the control API that is about people: listing them, and acting for them."""

import base64
import binascii
from collections.abc import Callable
from html import escape
from typing import Any

from lineadmin.simulator import scanning
from lineadmin.simulator.exchange import iso_time
from lineadmin.simulator.phones import People, chat, quick_replies, summary
from lineadmin.simulator.records import Phone
from lineadmin.simulator.webhooks import Delivery
from lineadmin.simulator.wire import Response
from lineadmin.simulator.world import World

MAX_WAIT_MS = 60_000
ACTS = "follow|block|unblock|text|sticker|file|location|unsend|tap"
PHONE_FACTS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "picture_url": (str, type(None)),
    "status_message": (str, type(None)),
    "language": (str, type(None)),
    "os": str,
    "pinned": bool,
    "status": str,
    "estimates": (dict, type(None)),
}
STATUSES = ("friend", "blocked", "stranger")


class BadControl(Exception):
    """A control call that makes no sense; the text says why."""


class PhoneControl:
    """Answers ``/sim/phones…`` and ``/sim/id_tokens``."""

    def __init__(self, world: World, people: People) -> None:
        self._world = world
        self._people = people

    def routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        """Method, path pattern and handler of each call."""
        phone = "/sim/phones/(U[0-9a-f]{32})"
        return [
            ("GET", "/sim/phones", self._phones),
            ("POST", "/sim/phones", self._add_phone),
            ("POST", "/sim/phones/bulk", self._add_phones),
            ("GET", phone, self._phone),
            ("PATCH", phone, self._change_phone),
            ("GET", phone + r"/picture\.svg", self._picture),
            ("POST", f"{phone}/({ACTS})", self._act),
            ("POST", phone + "/scan", self._scan),
            ("POST", "/sim/id_tokens", self._id_token),
        ]

    def _phones(self, args: dict[str, str]) -> Any:
        offset, limit = int(args.get("offset", "0")), int(args.get("limit", "100"))
        wanted = args.get("q", "").lower()
        with self._world.lock:
            chosen = [
                phone
                for phone in self._world.phones.values()
                if args.get("status", phone.status) == phone.status
                and ("pinned" not in args or phone.pinned == (args["pinned"] == "1"))
                and (not wanted or wanted in phone.name.lower() or wanted in phone.user_id)
            ]
            page = chosen[offset : offset + limit]
            return {
                "total": len(chosen),
                "phones": [summary(self._world, phone) for phone in page],
            }

    def _add_phone(self, body: dict[str, Any]) -> Any:
        facts = dict(body)
        name = facts.pop("name")
        user_id = facts.pop("user_id", None)
        _expect_facts({"name": name, **facts})
        phone = self._people.add(name, user_id=user_id, **facts)
        return summary(self._world, phone)

    def _add_phones(self, body: dict[str, Any]) -> Any:
        facts = dict(body)
        how_many = int(facts.pop("count"))
        seed = str(facts.pop("seed", "friend"))
        want_ids = bool(facts.pop("want_ids", True))
        _expect_facts(facts)
        made = self._people.add_many(how_many, seed=seed, **facts)
        return {"count": len(made), "user_ids": made if want_ids else []}

    def _phone(self, args: dict[str, str], user_id: str) -> Any:
        with self._world.lock:
            phone = self._people.phone(user_id)
            after, limit = int(args.get("after", "0")), int(args.get("limit", "200"))
            return {
                **summary(self._world, phone),
                "version": self._world.version,
                "chat": chat(phone, after=after, limit=limit),
                "quick_replies": quick_replies(phone),
            }

    def _change_phone(self, body: dict[str, Any], user_id: str) -> Any:
        _expect_facts(body)
        with self._world.lock:
            phone = self._people.phone(user_id)
            for name, value in body.items():
                setattr(phone, name, value)
            phone.ever_followed = phone.ever_followed or phone.status != "stranger"
            self._world.save_phone(phone)
            self._world.touch()
            return summary(self._world, phone)

    def _picture(self, _args: dict[str, str], user_id: str) -> Response:
        phone = self._people.phone(user_id)
        return Response(200, _draw_face(phone).encode(), "image/svg+xml; charset=utf-8")

    def _act(self, body: dict[str, Any], user_id: str, act: str) -> Any:
        people = self._people
        wait_ms = int(body.pop("wait_ms", 0))
        delivery: Delivery
        if act == "tap":
            return people.tap(user_id, **body)
        if act == "follow":
            delivery = people.follow(user_id, **body)
        elif act == "unblock":
            delivery = people.unblock(user_id)
        elif act == "block":
            delivery = people.block(user_id)
        elif act == "text":
            delivery = people.send_text(user_id, **body)
        elif act == "sticker":
            delivery = people.send_sticker(user_id, **body)
        elif act == "location":
            delivery = people.send_location(user_id, **body)
        elif act == "file":
            try:
                data = base64.b64decode(body["base64"], validate=True)
            except binascii.Error:
                raise BadControl("base64 is not base64") from None
            delivery = people.send_file(user_id, body["kind"], body["type"], data)
        else:
            delivery = people.unsend(user_id, **body)
        if wait_ms:
            delivery.done.wait(wait_seconds(wait_ms))
        return delivery.record()

    def _id_token(self, body: dict[str, Any]) -> Any:
        world = self._world
        phone = self._people.phone(body["user_id"])
        seconds = int(body.get("seconds", scanning.TOKEN_SECONDS))
        token = scanning.id_token(world, phone, str(body["client_id"]), seconds)
        return {"id_token": token, "expires": iso_time(world.real_ms() + seconds * 1000)}

    def _scan(self, body: dict[str, Any], user_id: str) -> Any:
        liff = body.get("liff", {})
        expect("liff", liff, dict)
        return scanning.scan(self._world, self._people, user_id, str(body["url"]), liff)


def wait_seconds(wait_ms: Any) -> float:
    """How long a call may wait, at most a minute."""
    return min(int(wait_ms), MAX_WAIT_MS) / 1000


def expect(name: str, value: Any, kinds: type | tuple[type, ...]) -> None:
    """Whether a setting has its type.

    :raises BadControl: it has not
    """
    if not isinstance(value, kinds) or (kinds is int and isinstance(value, bool)):
        raise BadControl(f"{name} has the wrong type")


def _expect_facts(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if name not in PHONE_FACTS:
            raise BadControl(f"unknown property: {name}")
        expect(name, value, PHONE_FACTS[name])
    if facts.get("status", "friend") not in STATUSES:
        raise BadControl(f"status must be one of {', '.join(STATUSES)}")


def _draw_face(phone: Phone) -> str:
    """A round picture with the first letter of the name, coloured by the id."""
    hue = int(phone.user_id[1:5], 16) % 360
    letter = escape(phone.name[:1] or "?")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" role="img">'
        f'<rect width="96" height="96" fill="hsl({hue} 45% 42%)"/>'
        '<text x="48" y="52" font-size="44" font-family="sans-serif" fill="#fff" '
        f'text-anchor="middle" dominant-baseline="middle">{letter}</text></svg>'
    )
