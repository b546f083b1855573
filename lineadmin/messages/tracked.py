"""Which addresses of a message go through tracking, and the links that are made for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lineadmin.messages.links import tidy_link
from lineadmin.messages.parts import LinkNote, Part, tracking, uris
from lineadmin.tracking import links, tokens
from lineadmin.tracking.models import TrackedLink


@dataclass(frozen=True)
class MessageLinks:
    """The links of one message in one place of one program, by their (tidy) address."""

    links: Mapping[str, TrackedLink]
    per_friend: bool

    def for_friend(self, friend_id: int, base_url: str) -> dict[str, str]:
        """What stands in her message instead of each address."""
        friend = friend_id if self.per_friend else None
        return {
            address: f"{base_url}{tokens.path(link.code, friend)}"
            for address, link in self.links.items()
        }


def tracked_addresses(parts: Sequence[Part]) -> list[str]:
    """The (tidy) addresses of the message that can go through tracking, each once, in order."""
    tidy = (tidy_link(address) for address in uris(parts))
    wanted = (address for address in tidy if address and links.can_be_tracked(address))
    return list(dict.fromkeys(wanted))


def make_links(parts: Sequence[Part], place: links.Place, now: datetime) -> MessageLinks | None:
    """The links this message needs in this place; None where nothing in it is tracked."""
    track = tracking(parts)
    if track is None:
        return None
    notes: dict[str, LinkNote] = {tidy_link(note.url) or note.url: note for note in track.links}
    wanted = []
    for address in tracked_addresses(parts):
        note = notes.get(address, LinkNote(url=address))
        wanted.append(links.Wanted(address, note.name or "", note.tag or "", note.days))
    per_friend = track.track == "friend"
    made = links.make(place, wanted, per_friend=per_friend, now=now)
    return MessageLinks(made, per_friend) if made else None
