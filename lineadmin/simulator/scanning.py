"""What a phone does with a link or a QR code that LINE itself understands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from lineadmin.simulator import ids
from lineadmin.simulator.phones import Impossible, People
from lineadmin.simulator.records import Phone
from lineadmin.simulator.world import World

TOKEN_SECONDS = 3600  # DOC liff/using-user-profile: an id token lives an hour


def scan(
    world: World, people: People, user_id: str, url: str, liff: Mapping[str, Any]
) -> dict[str, Any]:
    """`{"type": prefill | profile | liff | page, …}`.

    :param liff: the LIFF apps by their id: {id: {endpoint, client_id}}
    :raises Impossible: LINE shows an error: no such account, no such LIFF app
    """
    phone = people.phone(user_id)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Impossible("that is no address")
    steps = parts.path.strip("/").split("/")
    if parts.hostname == "liff.line.me":
        return _liff(world, phone, steps, parts.query, liff)
    if parts.hostname != "line.me" or steps[:1] != ["R"]:
        return {"type": "page", "open": url}
    if steps[1:2] == ["oaMessage"]:
        _the_account(world, steps[2:3])
        return {"type": "prefill", "text": unquote(parts.query)}
    if steps[1:3] == ["ti", "p"]:
        _the_account(world, steps[3:4])
        return {"type": "profile"}
    raise Impossible("LINE does not know this link")


def id_token(world: World, phone: Phone, client_id: str, seconds: int = TOKEN_SECONDS) -> str:
    """A LINE Login id token about this person, for the channel with that number."""
    now = world.real_ms() // 1000
    token = ids.reply_token()
    world.id_tokens[token] = {
        "iss": "https://access.line.me",
        "sub": phone.user_id,
        "aud": client_id,
        "iat": now,
        "exp": now + seconds,
        "name": phone.name,
    }
    return token


def _liff(
    world: World, phone: Phone, steps: list[str], query: str, liff: Mapping[str, Any]
) -> dict[str, Any]:
    app = liff.get(steps[0]) if steps else None
    if app is None:
        raise Impossible("there is no such LIFF app")
    with world.lock:
        token = id_token(world, phone, str(app["client_id"]))
    # LINE joins what follows the id to the endpoint's own address.
    place = "/".join([str(app["endpoint"]).rstrip("/"), *steps[1:]])
    secret = urlencode({"id_token": token, "phone": phone.user_id})
    kept = {key: values[0] for key, values in parse_qs(query).items()}
    address = f"{place}?{urlencode(kept)}" if kept else place
    return {"type": "liff", "open": f"{address}#{secret}"}


def _the_account(world: World, named: list[str]) -> None:
    if [unquote(one) for one in named] != [world.account.basic_id]:
        raise Impossible("there is no such account")
