"""Weeks of a shop's life in a second: real ticks, from one planned moment to the next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lineadmin import clock as shop_clock
from lineadmin.friends.models import Friend
from lineadmin.tasks import horizon, tick
from tests.factories import make_friend


def play(start: datetime, until: datetime, gateway: Any = None) -> datetime:
    """Let the worker do what it does from `start` to `until`; the last moment something was due."""
    moment = start
    while True:
        tick(moment, shop_clock.wall(), gateway=gateway)
        coming = horizon.next_moment(moment)
        if coming is None or coming > until:
            return moment
        moment = coming


def phone(line: Any, name: str, **fields: Any) -> Friend:
    """A friend on both sides: a phone in the pretend LINE, and a row of ours."""
    return make_friend(name, line_user_id=line.client.add_phone(name)["user_id"], **fields)


def texts_on(line: Any, friend: Friend) -> list[str]:
    """Every text that arrived on her phone, in order."""
    got = line.client.received().get(friend.line_user_id, [])
    return [message for item in got for message in texts(item)]


def texts(item: list[Any]) -> list[str]:
    return [message["text"] for message in item[-1] if message["type"] == "text"]
