"""A friend says yes or no to a topic, by a button or in words; answered with a free reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lineadmin.friends.models import Friend
from lineadmin.friends.words import OPT_IN_DATA, fold
from lineadmin.i18n import _, use_locale
from lineadmin.replies.spoken import locale_of
from lineadmin.topics import queries
from lineadmin.topics.card import PREFIX, Tap
from lineadmin.topics.consent import Wish, stop, subscribe
from lineadmin.topics.models import Subscription, Topic, TopicWording
from lineadmin.topics.states import CARD, FREQUENCIES, KEYWORD, SUBSCRIBED

# What stands before a topic's name in a message that wants it, or wants it no more.
YES_WORDS = tuple(map(fold, ("訂閱", "subscribe", "購読", "登録")))
NO_WORDS = tuple(map(fold, ("停止訂閱", "取消訂閱", "退訂", "unsubscribe", "購読停止", "登録解除")))


@dataclass(frozen=True)
class Moment:
    """Who said it and when: shop time, and LINE's own time of the event."""

    friend_id: int
    language: str
    at: datetime
    event_at: datetime


def is_tap(data: str) -> bool:
    """Whether a postback is about a topic."""
    return data.startswith(PREFIX)


def tapped(data: str, moment: Moment) -> list[dict[str, Any]]:
    """Do what a button of a card, or of one of these answers, says; the answer as parts."""
    tap = Tap.read(data)
    topic = None if tap is None else Topic.get_or_none(Topic.code == tap.code)
    if tap is None or topic is None:
        return []
    wish = Wish(
        CARD,
        moment.at,
        moment.event_at,
        origin=tap.origin,
        origin_id=tap.origin_id,
        origin_place=tap.origin_place,
    )
    return _done(topic, tap.yes, moment, wish, _shown(topic, tap.wording))


def said(text: str, moment: Moment) -> list[dict[str, Any]]:
    """Do what a message such as 「訂閱 每週菜單」 says; nothing where it says no such thing."""
    words = fold(text)
    # The longer words first: 停止訂閱 is no 訂閱.
    for yes, starts in ((False, NO_WORDS), (True, YES_WORDS)):
        for start in starts:
            topic = _named(words, start)
            if topic is not None:
                wish = Wish(KEYWORD, moment.at, moment.event_at)
                return _done(topic, yes, moment, wish, None)
    return []


def _named(words: str, start: str) -> Topic | None:
    if not words.startswith(start):
        return None
    name = words.removeprefix(start).strip(' :「」『』"“”')
    if not name:
        return None
    return next((topic for topic in queries.live() if fold(topic.name) == name), None)


def _done(
    topic: Topic, yes: bool, moment: Moment, wish: Wish, wording: int | None
) -> list[dict[str, Any]]:
    with use_locale(locale_of(moment.language)):
        if yes and topic.archived_at is not None:
            return _answer(_("“%(name)s” is no longer offered. Sorry!", name=topic.name), ())
        if yes:
            change = subscribe(topic, moment.friend_id, wish, wording=wording)
            return _subscribed(topic, moment, change)
        if stop(topic, moment.friend_id, wish):
            words = _("Understood: you get no more of “%(name)s”.", name=topic.name)
            return _answer(words, [(_("Subscribe again"), Tap(topic.code, True).data())])
        if _agrees(topic, moment.friend_id):  # an old tap that came late: she has agreed since
            return []
        return _answer(
            _(
                "All right, we will not send you “%(name)s”. Changed your mind? Write to us: "
                "Subscribe %(name)s",
                name=topic.name,
            ),
            (),
        )


def _subscribed(topic: Topic, moment: Moment, change: str) -> list[dict[str, Any]]:
    how = _("To stop, tap the button below at any time, or write to us: Unsubscribe %(name)s")
    start = (
        _("Thank you! You subscribe to “%(name)s”.", name=topic.name)
        if change
        else _("You subscribe to “%(name)s” already.", name=topic.name)
    )
    lines = [start, str(FREQUENCIES[topic.frequency]), how % {"name": topic.name}]
    buttons = [(_("Unsubscribe"), Tap(topic.code, False).data())]
    if Friend.get_by_id(moment.friend_id).opted_out_at is not None:
        lines.append(
            _(
                "You have stopped all our notifications, so nothing arrives until you tap “Notify "
                "me again”."
            )
        )
        buttons.insert(0, (_("Notify me again"), OPT_IN_DATA))
    return _answer("\n".join(lines), buttons)


def _answer(words: str, buttons: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    # Braces in a topic's name are no placeholder.
    parts: list[dict[str, Any]] = [{"text": words.replace("{", "{{").replace("}", "}}")}]
    if buttons:
        replies = [{"label": label, "postback": data} for label, data in buttons]
        parts.append({"quick_replies": replies})
    return parts


def _agrees(topic: Topic, friend_id: int) -> bool:
    row = Subscription.get_or_none(
        Subscription.topic == topic.id, Subscription.friend_id == friend_id
    )
    return row is not None and row.state == SUBSCRIBED


def _shown(topic: Topic, wording: int | None) -> int | None:
    """The version on the card she tapped, if there ever was such a one."""
    known = (
        wording is not None
        and TopicWording.select()
        .where(TopicWording.topic == topic.id, TopicWording.version == wording)
        .exists()
    )
    return wording if known else None
