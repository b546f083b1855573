"""What each kind of LINE event means for the shop: one table, one function per kind.

Handlers run in the transaction of their event, change only our own rows, and answer the reply that
is owed, if any. Whatever LINE adds tomorrow falls through to `_other` and survives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lineadmin import journal
from lineadmin.branches import places
from lineadmin.friends import actions as friends
from lineadmin.friends.actions import Known
from lineadmin.friends.models import Tag
from lineadmin.friends.observed import observe_place
from lineadmin.friends.words import OPT_IN_DATA, OPT_OUT_DATA, is_opt_in, is_opt_out
from lineadmin.inbox import messages
from lineadmin.inbox.models import InboundEvent
from lineadmin.line.parse import Event
from lineadmin.replies import branch_answer, greeting, lottery_answer, match, spoken, topic_answer
from lineadmin.replies.greeting import Greeting
from lineadmin.replies.models import ReplyRule
from lineadmin.replies.owed import (
    BRANCH,
    ENTRY,
    GREETING,
    KEYWORD,
    LINK,
    LOTTERY,
    OPT_OUT,
    TOPIC,
    Owed,
)
from lineadmin.settings import shop_zone
from lineadmin.staff import linking
from lineadmin.tracking import entry

MODES_THAT_TALK = ("active", "")  # in standby, or in a mode we do not know, somebody else does


@dataclass(frozen=True)
class Shop:
    """What the shop says and when, read once for a batch of events."""

    rules: list[ReplyRule]
    greeting: Greeting
    zone: ZoneInfo


def look() -> Shop:
    """The shop as it is now."""
    return Shop(match.enabled_rules(), greeting.current(), shop_zone())


@dataclass(frozen=True)
class Scene:
    """Everything a handler may know about its event.

    `at` is the event's moment in shop time, `event_at` LINE's own timestamp; `token_ms` as in
    `Owed`.
    """

    row: InboundEvent
    event: Event
    at: datetime
    event_at: datetime
    wall: datetime
    token_ms: int
    shop: Shop

    @property
    def may_reply(self) -> bool:
        """Groups and rooms are listened to, never talked to."""
        return self.event.mode in MODES_THAT_TALK and self.event.is_one_to_one

    def owed(
        self, friend: Known, origin: str, parts: list[dict[str, Any]], **more: Any
    ) -> Owed | None:
        """The reply owed to this friend; None where nothing may or can be said."""
        if not self.may_reply or not parts:
            return None
        token = self.event.reply_token or ""
        token_ms = self.token_ms if token else 0
        return Owed(friend.id, origin, parts, token[:128], token_ms, **more)


Handler = Callable[[Scene], Owed | None]


def handle(scene: Scene) -> Owed | None:
    """Make the changes an event means; answers the reply it owes."""
    return HANDLERS.get(scene.event.type, _other)(scene)


def _follow(scene: Scene) -> Owed | None:
    friend = _friend(scene)
    if friend is None:
        return None
    followed = friends.follow(
        friend.id,
        event_at=scene.event_at,
        at=scene.at,
        wall=scene.wall,
        is_unblocked=scene.event.is_unblocked,
    )
    entry.followed(friend.id, scene.event.user_id or "", first=followed.first, at=scene.at)
    if not followed.current:
        return None  # she has blocked us again since
    parts = scene.shop.greeting.parts_for(first=followed.first)
    return scene.owed(friend, GREETING, parts, first=followed.first)


def _unfollow(scene: Scene) -> None:
    friend = _friend(scene)
    if friend is not None:
        friends.unfollow(friend.id, event_at=scene.event_at, at=scene.at)


def _message(scene: Scene) -> Owed | None:
    friend = _friend(scene)
    if friend is None:
        if messages.was_taken_back(scene.event):
            messages.scrub(scene.row)
        return None
    friends.heard_from(friend.id, event_at=scene.event_at, at=scene.at)
    answer = _answer_to(scene, friend)
    kept = messages.keep_message(
        scene.event,
        friend.id,
        at=scene.at,
        token_at=scene.row.received_at if scene.token_ms else None,
        answered_by=messages.BY_RULE if answer.understood else "",
    )
    if kept is None:
        messages.scrub(scene.row)
        return None
    journal.record(friend.id, "message", value=answer.told(scene.event), at=scene.at)
    observe_place(friend.id, scene.event.address, at=scene.at)
    _place(scene, friend)
    if answer.rule is not None:
        _count_hit(answer.rule, friend, scene.at)
    return scene.owed(
        friend,
        answer.origin,
        answer.parts,
        rule_id=answer.rule.id if answer.rule else 0,
        message_id=kept,
    )


def _place(scene: Scene, friend: Known) -> None:
    where = scene.event.location
    if where is not None:
        places.sent(friend.id, *where, message_id=scene.event.message_id or "", at=scene.at)


@dataclass(frozen=True)
class _Answer:
    """What a message is answered with. `understood` without parts: nothing more to say."""

    origin: str = ""
    parts: Any = ()
    rule: ReplyRule | None = None
    others: tuple[int, ...] = ()
    understood: bool = False

    def told(self, event: Event) -> dict[str, Any]:
        """What the journal keeps: the kind, the rule that answered, and the others that fitted."""
        value: dict[str, Any] = {"kind": event.message_type or ""}
        if self.rule is not None:
            value["rule"] = self.rule.id
        if self.others:
            value["also"] = list(self.others)
        return value


def _answer_to(scene: Scene, friend: Known) -> _Answer:
    text = scene.event.text
    if not scene.may_reply:
        return _Answer()
    if scene.event.location is not None:
        parts = branch_answer.near(scene.event.location, friend.language)
        return _Answer(BRANCH, parts, understood=bool(parts))
    if text is None:
        return _Answer()
    if is_opt_out(text):
        return _Answer(OPT_OUT, _opt_out(scene, friend), understood=True)
    if is_opt_in(text):
        return _Answer(OPT_OUT, _opt_in(scene, friend), understood=True)
    about_topic = topic_answer.said(text, _moment(scene, friend))
    if about_topic:
        return _Answer(TOPIC, about_topic, understood=True)
    staff = linking.claim_code(text, friend.id, wall=scene.wall)
    if staff is not None:
        journal.record(friend.id, "linked", object_id=staff.id, at=scene.at)
        return _Answer(LINK, spoken.linked(friend.language, staff.name), understood=True)
    local = scene.at.astimezone(scene.shop.zone).time()
    found = match.match(text, scene.shop.rules, local_time=local)
    source = entry.code_in(text)
    if source is not None:
        entry.sent_code(friend.id, source, now=scene.at)
        if found is None or found.rule.match == match.ANY:
            return _Answer(ENTRY, spoken.arrived(friend.language), understood=True)
    if found is None:
        return _Answer()
    rule = found.rule
    return _Answer(KEYWORD, rule.parts, rule, found.others, understood=True)


def _count_hit(rule: ReplyRule, friend: Known, at: datetime) -> None:
    ReplyRule.update(hits=ReplyRule.hits + 1, last_hit_at=at).where(
        ReplyRule.id == rule.id
    ).execute()
    for tag_id in _existing_tags(rule):
        friends.add_tag(friend.id, tag_id, at=at, by_kind="reply", by_id=rule.id)


def _existing_tags(rule: ReplyRule) -> list[int]:
    wanted = list(rule.add_tags or [])
    if not wanted:
        return []
    return [tag.id for tag in Tag.select(Tag.id).where(Tag.id.in_(wanted))]


def _edited(scene: Scene) -> None:
    if messages.was_taken_back(scene.event):
        messages.scrub(scene.row)
    else:
        messages.edit_message(scene.event, at=scene.at)


def _unsend(scene: Scene) -> None:
    friend = _friend(scene)
    messages.take_back(scene.event, friend.id if friend else None, at=scene.at)
    if friend is not None:
        places.take_back(friend.id, scene.event.message_id or "", at=scene.at)
        journal.record(friend.id, "unsent", at=scene.at)


def _postback(scene: Scene) -> Owed | None:
    friend = _friend(scene)
    if friend is None:
        return None
    friends.heard_from(friend.id, event_at=scene.event_at, at=scene.at)
    data = scene.event.postback_data or ""
    value: dict[str, Any] = {"data": data[:300]}
    if scene.event.postback_params:
        value["params"] = scene.event.postback_params
    journal.record(friend.id, "postback", value=value, at=scene.at)
    if data == OPT_OUT_DATA:
        return scene.owed(friend, OPT_OUT, _opt_out(scene, friend))
    if data == OPT_IN_DATA:
        return scene.owed(friend, OPT_OUT, _opt_in(scene, friend))
    if lottery_answer.is_draw(data):
        parts = lottery_answer.answer(data, friend.id, friend.language, at=scene.at)
        return scene.owed(friend, LOTTERY, parts)
    if topic_answer.is_tap(data):
        return scene.owed(friend, TOPIC, topic_answer.tapped(data, _moment(scene, friend)))
    return None


def _other(scene: Scene) -> None:
    """Anything else: whoever it is about is known from now on, and it shows in her timeline."""
    friend = _friend(scene)
    if friend is not None:
        friends.seen(friend.id, at=scene.at)
        journal.record(friend.id, "event", value={"type": scene.event.type[:40]}, at=scene.at)


def _kept_only(scene: Scene) -> None:
    """About the account or a group rather than about a friend: keeping it is all."""


HANDLERS: dict[str, Handler] = {
    "follow": _follow,
    "unfollow": _unfollow,
    "message": _message,
    "messageEdited": _edited,
    "unsend": _unsend,
    "postback": _postback,
    "videoPlayComplete": _other,
    "beacon": _other,
    "accountLink": _other,
    "membership": _other,
    "join": _kept_only,
    "leave": _kept_only,
    "memberJoined": _kept_only,
    "memberLeft": _kept_only,
    "module": _kept_only,
    "activated": _kept_only,
    "deactivated": _kept_only,
    "botSuspended": _kept_only,
    "botResumed": _kept_only,
    "delivery": _kept_only,
}


def _friend(scene: Scene) -> Known | None:
    """The friend an event is about. People in groups and rooms need not be friends of the shop."""
    if not scene.event.is_one_to_one or scene.event.user_id is None:
        return None
    return friends.learn(scene.event.user_id, at=scene.at, wall=scene.wall)


def _moment(scene: Scene, friend: Known) -> topic_answer.Moment:
    return topic_answer.Moment(friend.id, friend.language, scene.at, scene.event_at)


def _opt_out(scene: Scene, friend: Known) -> list[dict[str, Any]]:
    friends.opt_out(friend.id, by="friend", at=scene.at, wished_at=scene.event_at)
    return spoken.stopped(friend.language)


def _opt_in(scene: Scene, friend: Known) -> list[dict[str, Any]]:
    friends.opt_in(friend.id, by="friend", at=scene.at, wished_at=scene.event_at)
    return spoken.resumed(friend.language)
