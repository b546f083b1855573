"""The state of the pretend LINE: account, phones, what was sent, and the ledgers behind the limits.

Limits run on real time (``real_ms``). What people see and what events carry is shop time
(``shop_ms`` = real time plus an offset the panel's clock page sets).
"""

import threading
from collections import Counter, deque
from dataclasses import asdict
from datetime import UTC, datetime
from time import time
from typing import Any, Literal

from lineadmin.simulator import ids
from lineadmin.simulator.buckets import Buckets
from lineadmin.simulator.faults import Faults
from lineadmin.simulator.records import (
    DAY_MS,
    LINE_ZONE,
    RETRY_KEY_MS,
    Account,
    Call,
    Phone,
    ReplyToken,
    RetryKey,
    Said,
    Sent,
)
from lineadmin.simulator.store import Store

MAX_CALLS = 200_000
MASS = ("broadcast", "narrowcast")
DEMO_ENDPOINT = "https://demo.invalid/webhook"


class World:
    """Everything the platform knows. Hold ``lock`` to read or change more than one thing."""

    def __init__(
        self,
        *,
        channel_id: str,
        channel_secret: str,
        access_token: str,
        webhook_url: str | None,
        data: str = ":memory:",
        seed: int | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.channel_id = channel_id
        self.channel_secret = channel_secret
        self.access_token = access_token
        self.webhook_url = webhook_url
        self.store = Store(data)
        self.buckets = Buckets()
        self.faults = Faults(seed)
        self.changed = threading.Condition(self.lock)
        self.version = 0
        self._forget()
        self._load()

    def _forget(self) -> None:
        bot = ids.user_id(f"bot:{self.channel_id}")
        self.account = Account(
            user_id=bot,
            basic_id="@" + bot[1:4] + str(int(bot[4:10], 16))[:5].zfill(5),
            endpoint=DEMO_ENDPOINT if self.webhook_url else None,
        )
        self.phones: dict[str, Phone] = {}
        self.reply_tokens: dict[str, ReplyToken] = {}
        self.retry_keys: dict[str, RetryKey] = {}
        self.tokens: dict[str, int] = {}  # issued access token -> real ms of its end
        self.id_tokens: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, tuple[str, bytes]] = {}
        self.said: dict[str, Said] = {}
        self.day_counts: Counter[str] = Counter()  # "push:20261122" -> people
        self.units: set[str] = set()
        self.unit_reach: dict[str, dict[str, set[str]]] = {}  # unit -> day -> people; not kept
        self.unit_bubbles: dict[str, int] = {}
        self.narrowcasts: dict[str, dict[str, Any]] = {}
        self.mass_sends: dict[str, Sent] = {}  # broadcasts and narrowcasts by request id
        self.taps: dict[str, set[tuple[str, str]]] = {}  # request id -> (person, address)
        self.coupons: dict[str, dict[str, Any]] = {}
        self.audiences: dict[int, dict[str, Any]] = {}
        self.counters: Counter[str] = Counter()
        self.abuse: list[dict[str, Any]] = []
        self.calls: deque[Call] = deque(maxlen=MAX_CALLS)
        self._calls_made = 0
        self._seq = 0
        self._message_id = 500_000_000_000_000_000
        self._last_event_ms = 0

    # time

    def real_ms(self) -> int:
        """Real time for every limit, in ms; tests may age it."""
        return int(time() * 1000) + self.account.limits_offset_ms

    def shop_ms(self) -> int:
        """The time people in this world see."""
        return int(time() * 1000) + self.account.clock_offset_ms

    def event_ms(self) -> int:
        """Shop time for an event; two events made right after one another never tie."""
        now = self.shop_ms()
        if now <= self._last_event_ms < now + 1000:
            now = self._last_event_ms + 1
        self._last_event_ms = now
        return now

    def day(self, at_ms: int | None = None) -> str:
        """yyyyMMdd of a shop time in LINE's own zone."""
        moment = datetime.fromtimestamp((self.shop_ms() if at_ms is None else at_ms) / 1000, UTC)
        return moment.astimezone(LINE_ZONE).strftime("%Y%m%d")

    # ledgers

    def month(self) -> str:
        """The quota month, by real time."""
        moment = datetime.fromtimestamp(self.real_ms() / 1000, UTC)
        return moment.astimezone(LINE_ZONE).strftime("%Y-%m")

    def used(self) -> int:
        """Messages used in this quota month."""
        return self.account.used if self.account.used_month == self.month() else 0

    def use(self, people: int) -> None:
        """Count people reached by a message that costs."""
        self.account.used = self.used() + people
        self.account.used_month = self.month()

    def left(self) -> int | None:
        """What the month still allows, without what narrowcasts hold; None = no limit."""
        if self.account.quota_type == "none":
            return None
        held = sum(one["reserved"] for one in self.narrowcasts.values())
        return max(0, self.account.quota_value - self.used() - held)

    def fits_quota(self, people: int) -> bool:
        """Whether the month's quota still allows that many."""
        left = self.left()
        return left is None or people <= left

    def report_abuse(self, kind: str, **facts: Any) -> None:
        """Note something a well-behaved sender never does; tests assert the list is empty."""
        with self.lock:
            self.abuse.append({"kind": kind, "at_ms": self.real_ms(), **facts})
            self.counters["abuse"] += 1
            self.save_abuse()

    def save_coupon(self, coupon_id: str) -> None:
        """Keep one of LINE's coupons."""
        made = list(self.coupons).index(coupon_id)
        self.store.put("coupon", f"{made:06}", lambda: dict(self.coupons[coupon_id]))

    def save_audience(self, audience_id: int) -> None:
        """Keep one of LINE's audiences, or forget one that was deleted."""
        if audience_id in self.audiences:
            self.store.put("audience", str(audience_id), lambda: dict(self.audiences[audience_id]))
        else:
            self.store.delete("audience", str(audience_id))

    def save_narrowcast(self, request_id: str) -> None:
        """Keep a narrowcast and how far it is."""
        self.store.put("narrowcast", request_id, lambda: dict(self.narrowcasts[request_id]))

    def note_tap(self, sent: Sent, user_id: str, uri: str) -> None:
        """Somebody opened an address; counted where it came with a broadcast or narrowcast."""
        if sent.request_id in self.mass_sends:
            tapped = self.taps.setdefault(sent.request_id, set())
            tapped.add((user_id, uri))
            self.store.put("taps", sent.request_id, lambda: sorted(map(list, tapped)))

    # chat

    def next_seq(self) -> int:
        """A number for the next chat item."""
        self._seq += 1
        return self._seq

    def next_message_id(self, how_many: int = 1) -> int:
        """The first of a run of message ids."""
        first = self._message_id
        self._message_id += how_many
        return first

    def deliver(
        self,
        how: str,
        request_id: str,
        messages: list[dict[str, Any]],
        phones: list[Phone],
        *,
        silent: bool = False,
    ) -> Sent:
        """Show messages on phones. The caller has decided who gets them."""
        sent = Sent(
            seq=self.next_seq(),
            how=how,
            request_id=request_id,
            at_ms=self.shop_ms(),
            message_id=self.next_message_id(len(messages)),
            messages=[self._shown(message) for message in messages],
            users=[phone.user_id for phone in phones],
            silent=silent,
        )
        for phone in phones:
            phone.items.append(sent)
            phone.loading_until_ms = 0
        if how in MASS:
            self.mass_sends[request_id] = sent
        self.counters["delivered_people"] += len(phones)
        self.counters["delivered_bubbles"] += len(phones) * len(messages)
        self.counters[f"{how}.delivered_people"] += len(phones)
        self.day_counts[f"{how}:{self.day(sent.at_ms)}"] += len(phones)
        self.store.put("sent", f"{sent.seq:012}", lambda: asdict(sent))
        self.save_account()
        self.touch()
        return sent

    def _shown(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message as a phone draws it: a coupon says only its id, LINE knows its title."""
        known = self.coupons.get(str(message.get("couponId")))
        return message if known is None else {**message, "title": known["title"]}

    def say(
        self,
        phone: Phone,
        kind: Literal["message", "displayed", "system"],
        content: dict[str, Any],
        *,
        at_ms: int,
    ) -> Said:
        """Add something to the friend's side of a chat."""
        said = Said(
            seq=self.next_seq(),
            user_id=phone.user_id,
            at_ms=at_ms,
            kind=kind,
            message_id=str(self.next_message_id()),
            content=content,
        )
        phone.items.append(said)
        if kind == "message":
            self.said[said.message_id] = said
            phone.spoke_ms = self.real_ms()
        self.save_said(said)
        self.save_phone(phone)
        self.touch()
        return said

    def log(self, call: Call) -> None:
        """Add a finished call to the log and the counters."""
        with self.lock:
            self._calls_made += 1
            call.n = self._calls_made
            self.calls.append(call)
            self.counters["requests"] += 1
            self.counters[f"{call.endpoint}.requests"] += 1
            self.counters[f"{call.endpoint}.{call.status}"] += 1
            self.save_account()
            self.touch()

    def touch(self) -> None:
        """Wake whoever waits for a change."""
        with self.changed:
            self.version += 1
            self.changed.notify_all()

    # persistence

    def save_account(self) -> None:
        """Keep the account, the ids handed out and the counters."""
        self.store.put("account", "1", self._account_record)

    def _account_record(self) -> dict[str, Any]:
        return {
            "account": asdict(self.account),
            "seq": self._seq,
            "calls_made": self._calls_made,
            "message_id": self._message_id,
            "counters": dict(self.counters),
            "day_counts": dict(self.day_counts),
            "units": sorted(self.units),
            "buckets": self.buckets.overrides(),
            "buckets_enabled": self.buckets.enabled,
        }

    def save_phone(self, phone: Phone) -> None:
        """Keep one person."""
        self.store.put("phone", phone.user_id, phone.record)

    def save_said(self, said: Said) -> None:
        """Keep one item of the friend's side."""
        self.store.put("said", f"{said.seq:012}", lambda: asdict(said))

    def save_reply_token(self, token: ReplyToken) -> None:
        """Keep the right to a reply."""
        self.store.put("reply_token", token.token, lambda: asdict(token))

    def save_retry_key(self, key: RetryKey) -> None:
        """Keep what a retry key stands for."""
        self.store.put("retry_key", key.key, lambda: asdict(key))

    def save_abuse(self) -> None:
        """Keep the list of abuses."""
        self.store.put("abuse", "1", lambda: list(self.abuse))

    def prune(self) -> None:
        """Drop reply tokens and retry keys that no request can mean any more."""
        now = self.real_ms()
        with self.lock:
            for token in [t for t in self.reply_tokens.values() if now - t.event_ms > DAY_MS]:
                del self.reply_tokens[token.token]
                self.store.delete("reply_token", token.token)
            # kept for a second day, to tell a reused key from a new one
            for key in [k for k in self.retry_keys.values() if now - k.first_ms > 2 * RETRY_KEY_MS]:
                del self.retry_keys[key.key]
                self.store.delete("retry_key", key.key)

    def reset(self) -> None:
        """An empty world: no phones, no history, LINE's own limits, no faults."""
        with self.lock:
            self._forget()
            self.faults.clear()
            for endpoint in self.faults.latencies():
                self.faults.set_latency(endpoint, 0, 0)
            self.buckets.refill()
            self.buckets.enabled = True
            self.store.clear()
            self.touch()

    def set_webhook_url(self, url: str | None) -> None:
        """Where the panel really listens; registers the demo address if there is none yet."""
        with self.lock:
            self.webhook_url = url
            if url and self.account.endpoint is None:
                self.account.endpoint = DEMO_ENDPOINT
            self.save_account()

    def _load(self) -> None:
        for _, record in self.store.load("account"):
            self.account = Account(**record["account"])
            self._seq = record["seq"]
            self._calls_made = record["calls_made"]
            self._message_id = record["message_id"]
            self.counters.update(record["counters"])
            self.day_counts.update(record["day_counts"])
            self.units.update(record["units"])
            self.buckets.override({k: tuple(v) for k, v in record["buckets"].items()})
            self.buckets.enabled = record["buckets_enabled"]
        for _, record in self.store.load("coupon"):
            self.coupons[record["couponId"]] = record
        for _, record in self.store.load("audience"):
            self.audiences[record["audienceGroupId"]] = {"type": "UPLOAD", "jobs": [], **record}
        for user, record in self.store.load("phone"):
            self.phones[user] = Phone(**record)
        items: list[Sent | Said] = [Sent(**record) for _, record in self.store.load("sent")]
        self.mass_sends = {
            sent.request_id: sent for sent in items if isinstance(sent, Sent) and sent.how in MASS
        }
        for request_id, record in self.store.load("narrowcast"):
            self.narrowcasts[request_id] = record
        for request_id, record in self.store.load("taps"):
            self.taps[request_id] = {(user, uri) for user, uri in record}
        for _, record in self.store.load("said"):
            said = Said(**record)
            items.append(said)
            if said.kind == "message":
                self.said[said.message_id] = said
        for item in sorted(items, key=lambda item: item.seq):
            for user in item.users if isinstance(item, Sent) else [item.user_id]:
                if user in self.phones:
                    self.phones[user].items.append(item)
            # an item may have been written after the account record was
            self._seq = max(self._seq, item.seq)
            last = (
                item.message_id + len(item.messages)
                if isinstance(item, Sent)
                else (int(item.message_id) + 1)
            )
            self._message_id = max(self._message_id, last)
        for token, record in self.store.load("reply_token"):
            self.reply_tokens[token] = ReplyToken(**record)
        for key, record in self.store.load("retry_key"):
            self.retry_keys[key] = RetryKey(**record)
        for token, ends in self.store.load("access_token"):
            self.tokens[token] = ends
        for message_id, record in self.store.load("content"):
            self.contents[message_id] = (record["type"], bytes.fromhex(record["hex"]))
        for _, record in self.store.load("abuse"):
            self.abuse = record
