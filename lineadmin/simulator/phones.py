"""What people do with their phones, and the webhook events it causes."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from lineadmin.simulator import ids
from lineadmin.simulator.records import Phone, ReplyToken, Said, Sent
from lineadmin.simulator.webhooks import Delivery, Webhooks
from lineadmin.simulator.world import World


class Impossible(Exception):
    """What the person wants to do can't be done in the app; the text says why."""


class Nobody(Impossible):
    """There is no such person."""


class People:
    """Acts for the people of the world; every act that LINE reports returns its event."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks

    def phone(self, user_id: str) -> Phone:
        """Somebody's phone.

        :raises Nobody: nobody has that id
        """
        phone = self._world.phones.get(user_id)
        if phone is None:
            raise Nobody(f"nobody has the id {user_id}")
        return phone

    def add(self, name: str, *, user_id: str | None = None, **facts: Any) -> Phone:
        """Put a person into the world without telling the panel (no event).

        :raises Impossible: the id is taken
        """
        world = self._world
        with world.lock:
            user_id = user_id or ids.new_user_id()
            if user_id in world.phones:
                raise Impossible(f"{user_id} exists already")
            phone = Phone(user_id, name, **facts)
            phone.ever_followed = phone.status != "stranger"
            world.phones[user_id] = phone
            world.save_phone(phone)
            world.touch()
        return phone

    def add_many(self, how_many: int, *, seed: str = "friend", **facts: Any) -> list[str]:
        """Put ``how_many`` people with repeatable ids into the world; no events."""
        world = self._world
        made = []
        with world.lock:
            for number in range(how_many):
                user_id = ids.user_id(f"{seed}:{number}")
                if user_id not in world.phones:
                    phone = Phone(user_id, f"{seed} {number}", **facts)
                    phone.ever_followed = phone.status != "stranger"
                    world.phones[user_id] = phone
                    world.save_phone(phone)
                made.append(user_id)
            world.touch()
        return made

    def follow(self, user_id: str, *, is_unblocked: bool | None = None) -> Delivery:
        """Add the account as a friend, or unblock it; ``is_unblocked`` overrides LINE's flag."""
        with self._world.lock:
            phone = self.phone(user_id)
            flag = phone.status == "blocked" if is_unblocked is None else is_unblocked
            phone.status = "friend"
            phone.ever_followed = True
            phone.followed_ms = self._world.shop_ms()
            return self._system(phone, "follow", reply=True, follow={"isUnblocked": flag})

    def unblock(self, user_id: str) -> Delivery:
        """Lift the block.

        :raises Impossible: it is not blocked
        """
        with self._world.lock:
            if self.phone(user_id).status != "blocked":
                raise Impossible("the account is not blocked")
            return self.follow(user_id)

    def block(self, user_id: str) -> Delivery:
        """Block the account.

        :raises Impossible: already blocked
        """
        with self._world.lock:
            phone = self.phone(user_id)
            if phone.status == "blocked":
                raise Impossible("the account is blocked already")
            phone.status = "blocked"
            return self._system(phone, "unfollow", reply=False)

    def send(self, user_id: str, message: Mapping[str, Any]) -> Delivery:
        """Send a message as LINE's ``message`` object without id and tokens.

        :raises Impossible: the account is blocked on that phone
        """
        world = self._world
        with world.lock:
            phone = self.phone(user_id)
            if phone.status == "blocked":
                raise Impossible("the account is blocked; unblock it first")
            at_ms = world.event_ms()
            said = world.say(phone, "message", {}, at_ms=at_ms)
            secret = world.channel_secret
            said.content = {"id": said.message_id, **message}
            if message["type"] in ("text", "sticker", "image", "video"):
                said.content["quoteToken"] = ids.chat_token(
                    secret, "quote", user_id, said.message_id
                )
            said.content["markAsReadToken"] = ids.chat_token(
                secret, "read", user_id, said.message_id
            )
            return self._emit(phone, "message", at_ms, reply=True, message=dict(said.content))

    def send_text(self, user_id: str, text: str, **more: Any) -> Delivery:
        """Type and send a text."""
        return self.send(user_id, {"type": "text", "text": text, **more})

    def send_sticker(self, user_id: str, package_id: str, sticker_id: str) -> Delivery:
        """Send a sticker."""
        return self.send(
            user_id,
            {
                "type": "sticker",
                "packageId": package_id,
                "stickerId": sticker_id,
                "stickerResourceType": "STATIC",
                "keywords": ["hi"],
            },
        )

    def send_location(
        self, user_id: str, latitude: float, longitude: float, *, title: str, address: str
    ) -> Delivery:
        """Send a place."""
        place = {"title": title, "address": address, "latitude": latitude, "longitude": longitude}
        return self.send(user_id, {"type": "location", **place})

    def send_file(
        self, user_id: str, kind: Literal["image", "video", "audio"], mime: str, data: bytes
    ) -> Delivery:
        """Send a picture, film or sound; the panel can fetch the bytes."""
        message: dict[str, Any] = {"type": kind, "contentProvider": {"type": "line"}}
        if kind != "image":
            message["duration"] = 1000
        world = self._world
        with world.lock:
            delivery = self.send(user_id, message)
            message_id = delivery.event["message"]["id"]
            world.contents[message_id] = (mime, data)
            world.store.put("content", message_id, lambda: {"type": mime, "hex": data.hex()})
            return delivery

    def unsend(self, user_id: str, message_id: str | None = None) -> Delivery:
        """Take back a message; without an id the last one.

        :raises Impossible: no such message of this person
        """
        with self._world.lock:
            phone = self.phone(user_id)
            own = [
                item
                for item in phone.items
                if isinstance(item, Said) and item.kind == "message" and not item.unsent
            ]
            chosen = [item for item in own if message_id in (None, item.message_id)]
            if not chosen:
                raise Impossible("no message to unsend")
            said = chosen[-1]
            said.unsent = True
            said.content = {"id": said.message_id, "type": "unsent"}
            self._world.contents.pop(said.message_id, None)
            self._world.store.delete("content", said.message_id)
            self._world.save_said(said)
            return self._emit(
                phone,
                "unsend",
                self._world.event_ms(),
                reply=False,
                unsend={"messageId": said.message_id},
            )

    def tap(
        self,
        user_id: str,
        *,
        label: str | None = None,
        action: Mapping[str, Any] | None = None,
        seq: int | None = None,
        value: str | None = None,
    ) -> dict[str, Any]:
        """Tap a button or quick reply: found by its label, or by the action object itself.

        The newest message wins; ``seq`` narrows it to one item of the chat. ``value`` is what a
        date picker is set to. Returns ``{"type", "event"?, "open"?, "copy"?, "prompt"?}``.

        :raises Impossible: nothing like that to tap, or the account is blocked
        """
        with self._world.lock:
            phone = self.phone(user_id)
            if phone.status == "blocked":
                raise Impossible("the account is blocked; unblock it first")
            chosen = _find_action(phone, label, action, seq)
            if chosen is None:
                raise Impossible("no such button on this phone")
            self._note_tap(phone, chosen)
            return self._perform(phone, chosen, value)

    def _note_tap(self, phone: Phone, action: dict[str, Any]) -> None:
        """LINE counts who opens an address of a broadcast or narrowcast."""
        if action["type"] != "uri":
            return
        for sent in reversed(phone.items):
            if isinstance(sent, Sent) and any(action in actions_of(one) for one in sent.messages):
                self._world.note_tap(sent, phone.user_id, action["uri"])
                return

    def _perform(self, phone: Phone, action: dict[str, Any], value: str | None) -> dict[str, Any]:
        kind = action["type"]
        if kind == "message":
            sent = self.send_text(phone.user_id, action["text"])
            return {"type": kind, "event": sent.record()}
        if kind in ("postback", "datetimepicker"):
            return {"type": kind, "event": self._postback(phone, action, value).record()}
        if kind == "uri":
            return {"type": kind, "open": action["uri"]}
        if kind == "clipboard":
            return {"type": kind, "copy": action["clipboardText"]}
        return {"type": kind, "prompt": kind}

    def _postback(self, phone: Phone, action: dict[str, Any], value: str | None) -> Delivery:
        postback: dict[str, Any] = {"data": action["data"]}
        if action["type"] == "datetimepicker":
            if not value:
                raise Impossible("choose a date or time first (value)")
            postback["params"] = {action["mode"]: value}
        if action.get("text"):
            self.send_text(phone.user_id, action["text"])
        at_ms = self._world.event_ms()
        shown = action.get("displayText")
        content = {"type": "text", "text": shown} if shown else {"type": "tap", "action": action}
        self._world.say(phone, "displayed" if shown else "system", content, at_ms=at_ms)
        return self._emit(phone, "postback", at_ms, reply=True, postback=postback)

    def _system(self, phone: Phone, kind: str, *, reply: bool, **payload: Any) -> Delivery:
        at_ms = self._world.event_ms()
        self._world.say(phone, "system", {"type": kind, **payload}, at_ms=at_ms)
        return self._emit(phone, kind, at_ms, reply=reply, **payload)

    def _emit(
        self, phone: Phone, kind: str, at_ms: int, *, reply: bool, **payload: Any
    ) -> Delivery:
        event: dict[str, Any] = {
            "type": kind,
            **payload,
            "webhookEventId": ids.ulid(at_ms),
            "deliveryContext": {"isRedelivery": False},
            "timestamp": at_ms,
            "source": {"type": "user", "userId": phone.user_id},
        }
        if reply:
            token = ReplyToken(ids.reply_token(), phone.user_id, self._world.real_ms())
            self._world.reply_tokens[token.token] = token
            self._world.save_reply_token(token)
            event["replyToken"] = token.token
        event["mode"] = "active"
        return self._webhooks.queue(event)


def _find_action(
    phone: Phone, label: str | None, wanted: Mapping[str, Any] | None, seq: int | None
) -> dict[str, Any] | None:
    def fits(action: dict[str, Any]) -> bool:
        if wanted is not None:
            return action == dict(wanted)
        return label is not None and action.get("label") == label

    if seq in (None, phone.items[-1].seq if phone.items else None):
        for item in quick_replies(phone):
            action: dict[str, Any] = item["action"]
            if fits(action):
                return action
    for sent in reversed(phone.items):
        if isinstance(sent, Sent) and seq in (None, sent.seq):
            for message in reversed(sent.messages):
                for action in actions_of(message):
                    if fits(action):
                        return action
    return None


def actions_of(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every action one can tap inside a bubble, in reading order; quick replies are not inside."""
    if message.get("type") == "imagemap":
        for action in message["actions"]:
            yield _as_action(action)
        link = (message.get("video") or {}).get("externalLink")
        if link:
            yield {"type": "uri", "label": link["label"], "uri": link["linkUri"]}
    else:
        for name in ("template", "contents"):
            yield from _walk(message.get(name))


def _as_action(action: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in action.items() if name not in ("area", "linkUri")}
    return {**plain, "uri": action["linkUri"]} if action["type"] == "uri" else plain


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in ("action", "defaultAction"):
                yield item
            elif name == "actions":
                yield from item
            else:
                yield from _walk(item)


def chat(phone: Phone, *, after: int = 0, limit: int = 200) -> list[dict[str, Any]]:
    """The newest bubbles of a chat, oldest first, as the phone shows them.

    Each: ``seq, at_ms, side`` (shop | friend | system), ``how, request_id, message_id, message,
    silent``. Several bubbles of one request share their ``seq``.
    """
    bubbles: list[dict[str, Any]] = []
    for item in reversed(phone.items):
        if item.seq <= after or len(bubbles) >= limit:
            break
        if isinstance(item, Sent):
            bubbles += [
                {
                    "seq": item.seq,
                    "at_ms": item.at_ms,
                    "side": "shop",
                    "how": item.how,
                    "request_id": item.request_id,
                    "message_id": str(item.message_id + index),
                    "message": item.messages[index],
                    "silent": item.silent,
                }
                for index in reversed(range(len(item.messages)))
            ]
        else:
            bubbles.append(
                {
                    "seq": item.seq,
                    "at_ms": item.at_ms,
                    "side": "system" if item.kind == "system" else "friend",
                    "how": item.kind,
                    "message_id": item.message_id,
                    "message": item.content,
                    "unsent": item.unsent,
                }
            )
    bubbles.reverse()
    return bubbles[-limit:]


def quick_replies(phone: Phone) -> list[dict[str, Any]]:
    """The quick reply buttons above the keyboard: only while a bubble of the shop is the last."""
    for item in reversed(phone.items):
        if isinstance(item, Sent):
            found: list[dict[str, Any]] = (item.messages[-1].get("quickReply") or {}).get(
                "items", []
            )
            return found
        if item.kind != "system" or item.content["type"] == "tap":
            return []
    return []


def summary(world: World, phone: Phone) -> dict[str, Any]:
    """One person as the control API lists them."""
    return {
        **phone.record(),
        "items": len(phone.items),
        "last_at_ms": phone.items[-1].at_ms if phone.items else None,
        "loading": phone.loading_until_ms > world.real_ms(),
    }
