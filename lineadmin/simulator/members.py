"""Who is in one of LINE's audiences, and whether it can be used yet. No answer ever tells who."""

from typing import Any

from lineadmin.simulator.records import Sent
from lineadmin.simulator.world import World

LIFE_SECONDS = 180 * 86_400
FEWEST_ENGAGED = 50  # clicks and impressions; user ids need none


def members_of(world: World, group: dict[str, Any]) -> set[str]:
    """The people in it. In this world whoever gets a message sees it."""
    if group["type"] == "UPLOAD":
        return set(group["ids"])
    if group["type"] == "IMP":
        sent = sent_as(world, group["requestId"])
        return set() if sent is None else set(sent.users)
    wanted = group.get("clickUrl")
    return {
        user
        for user, uri in world.taps.get(group["requestId"], set())
        if wanted is None or uri == wanted
    }


def status_of(world: World, group: dict[str, Any], now_ms: int) -> str:
    """LINE's word. Too small a one of clicks or impressions is never ready."""
    if group["created"] + LIFE_SECONDS <= now_ms // 1000:
        return "EXPIRED"
    if now_ms < group.get("ready_ms", 0):
        return "IN_PROGRESS"
    if group["type"] != "UPLOAD" and len(members_of(world, group)) < FEWEST_ENGAGED:
        return "IN_PROGRESS"
    return "READY"


def sent_as(world: World, request_id: str) -> Sent | None:
    """The broadcast or narrowcast of this request, once it has left."""
    return world.mass_sends.get(request_id)
