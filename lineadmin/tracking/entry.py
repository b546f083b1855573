"""Entry links: how the shop learns where a friend came from, since LINE does not tell.

Two ways. Through LIFF the person passes a page of ours that LINE tells us her user id on; the visit
is joined to her follow if that comes within ten minutes, before or after. Without LIFF the link
opens the chat with a text that carries the source's code; sending it is what tells us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from lineadmin import journal
from lineadmin.db import atomic, run_sql, to_ms
from lineadmin.friends.models import FRIEND, Friend, Source
from lineadmin.friends.source_actions import in_use
from lineadmin.friends.sources import set_source
from lineadmin.tracking.models import EntryVisit

PAGE, LIFF, CODE = "page", "liff", "code"

JOIN_WINDOW = timedelta(minutes=10)  # between passing the page and following, either way round
CODE_WINDOW = timedelta(hours=24)  # since she became known, for a code she sends by hand
LIFF_LINK = "https://liff.line.me"
LINE_LINK = "https://line.me/R"
GREETING = "你好！"
CAMPAIGN_KEYS = ("utm_source", "utm_medium", "utm_campaign")
LONGEST_CAMPAIGN = 100

_CODE_TEXT = re.compile(rf"(?:{GREETING}\s*)?[#＃]([a-z0-9][a-z0-9_-]{{0,39}})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Arrival:
    """Somebody LINE has named came through an entry link."""

    is_friend: bool


def liff_link(liff_id: str, code: str) -> str:
    """The link that passes our page inside LINE."""
    return f"{LIFF_LINK}/{liff_id}?src={quote(code)}"


def code_text(code: str) -> str:
    """What the chat is opened with."""
    return f"{GREETING}#{code}"


def code_link(basic_id: str, code: str) -> str:
    """The link that opens the chat with the text typed in; she has to press send."""
    return f"{LINE_LINK}/oaMessage/{quote(basic_id, safe='')}/?{quote(code_text(code))}"


def add_friend_link(basic_id: str) -> str:
    """The account's own page in LINE, where it can be added."""
    return f"{LINE_LINK}/ti/p/{quote(basic_id, safe='')}"


def looked(source: Source, *, campaign: Mapping[str, str], now: datetime) -> None:
    """Somebody opened the source's page in a browser; who, nobody knows."""
    EntryVisit.insert(source_id=source.id, how=PAGE, campaign=_campaign(campaign), at=now).execute()


def arrived(
    line_user_id: str, source: Source, *, campaign: Mapping[str, str], now: datetime
) -> Arrival:
    """LINE says who came through the LIFF page.

    One who followed in the last ten minutes came by this source; a friend of old has only visited;
    anybody else may follow within ten minutes (`followed`).
    """
    with atomic():
        visit = EntryVisit.create(
            source_id=source.id,
            how=LIFF,
            line_user_id=line_user_id,
            campaign=_campaign(campaign),
            at=now,
        )
        friend: Friend | None = Friend.get_or_none(Friend.line_user_id == line_user_id)
        if friend is None:
            return Arrival(is_friend=False)
        EntryVisit.update(friend_id=friend.id).where(EntryVisit.id == visit.id).execute()
        is_friend = friend.status == FRIEND
        if is_friend and _has_just_joined(friend, now, JOIN_WINDOW):
            _found_late(friend.id, source, visit.id, now)
        elif is_friend:
            _visited(friend.id, source, LIFF, now)
    return Arrival(is_friend)


def followed(friend_id: int, line_user_id: str, *, first: bool, at: datetime) -> None:
    """She followed: if she passed an entry page in the last ten minutes, that is where she is from.

    Called in the transaction of the follow; one indexed question.
    """
    row = run_sql(
        "SELECT id, source_id FROM entry_visit WHERE line_user_id = ? AND at >= ? AND at <= ?"
        " AND joined_at IS NULL ORDER BY at DESC, id DESC LIMIT 1",
        line_user_id,
        to_ms(at - JOIN_WINDOW),
        to_ms(at + JOIN_WINDOW),
    ).fetchone()
    if row is None:
        return
    visit_id, source_id = row
    EntryVisit.update(friend_id=friend_id, joined_at=at if first else None).where(
        EntryVisit.id == visit_id
    ).execute()
    if first:
        set_source(friend_id, source_id, origin="observed", at=at, replace=False)


def code_in(text: str) -> Source | None:
    """The source whose entry text this is; None where it is something else."""
    found = _CODE_TEXT.fullmatch(text.strip())
    return None if found is None else in_use(found.group(1).lower())


def sent_code(friend_id: int, source: Source, *, now: datetime) -> None:
    """She sent a source's text: one who is new came by it, a friend of old has visited."""
    friend: Friend = Friend.get_by_id(friend_id)
    visit = EntryVisit.create(
        source_id=source.id,
        how=CODE,
        line_user_id=friend.line_user_id,
        friend_id=friend_id,
        at=now,
    )
    if _has_just_joined(friend, now, CODE_WINDOW):
        _found_late(friend_id, source, visit.id, now)
    else:
        _visited(friend_id, source, CODE, now)


def _has_just_joined(friend: Friend, now: datetime, window: timedelta) -> bool:
    """New to the shop, and nobody knows from where."""
    since = friend.first_followed_at or friend.first_seen_at
    return friend.source_id is None and now - since <= window


def _found_late(friend_id: int, source: Source, visit_id: int, now: datetime) -> None:
    EntryVisit.update(joined_at=now).where(EntryVisit.id == visit_id).execute()
    if set_source(friend_id, source.id, origin="observed", at=now, replace=False):
        # Sequences for followers from here have looked at her follow already, in vain.
        journal.record(friend_id, "source.found", object_id=source.id, at=now)


def _visited(friend_id: int, source: Source, how: str, now: datetime) -> None:
    journal.record(friend_id, "source.visited", object_id=source.id, value={"how": how}, at=now)


def _campaign(given: Mapping[str, str]) -> dict[str, str] | None:
    kept = {key: value[:LONGEST_CAMPAIGN] for key in CAMPAIGN_KEYS if (value := given.get(key, ""))}
    return kept or None
