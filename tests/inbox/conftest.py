"""A shop whose inbox is worked off by hand; people act through a pretend LINE."""

from __future__ import annotations

import itertools
import json
import threading
from typing import Any

import pytest
from werkzeug.serving import make_server

from lineadmin import clock as shop_clock
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin import i18n
from lineadmin.inbox.models import InboundEvent, InboundMessage
from lineadmin.inbox.run import dispatch_due
from lineadmin.inbox.store import store_events
from lineadmin.line.gateway import Gateway
from lineadmin.line.parse import parse_webhook
from lineadmin.replies import actions, greeting, owed
from lineadmin.web.webhook import WebhookDoor
from tests.conftest import PATIENCE

HANA = "U" + "a" * 32
_numbers = itertools.count(1)


def event(kind: str, user: str | None = HANA, **more: Any) -> dict[str, Any]:
    """A webhook event of a friend, as LINE writes it; `at` is its age in seconds."""
    number = next(_numbers)
    wall = shop_clock.wall()
    age = more.pop("age", 0)
    made = {
        "type": kind,
        "mode": "active",
        "timestamp": int(wall.timestamp() * 1000) - int(age * 1000),
        "webhookEventId": f"01TEST{number:020d}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": f"token-{number}",
    }
    if user is not None:
        made["source"] = {"type": "user", "userId": user}
    return made | more


def text(words: str, user: str | None = HANA, **more: Any) -> dict[str, Any]:
    """A text message event."""
    message = {"id": str(next(_numbers)), "type": "text", "text": words, "quoteToken": "q"}
    return event("message", user, message=message | more.pop("message", {}), **more)


class Inbox:
    """The inbox in a test's hands."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def keep(self, *events: dict[str, Any]) -> None:
        """Store events as the webhook does."""
        body = json.dumps({"destination": "U0", "events": list(events)}).encode()
        store_events(parse_webhook(body), wall=shop_clock.wall())

    def work(self, wall: Any = None) -> int:
        """Handle what waits."""
        wall = wall or shop_clock.wall()
        return dispatch_due(self.gateway, shop_clock.now(), wall, public_url="https://shop.example")

    def take(self, *events: dict[str, Any]) -> int:
        """Both."""
        self.keep(*events)
        return self.work()

    def rows(self) -> list[InboundEvent]:
        """Every event, in order of arrival."""
        return list(InboundEvent.select().order_by(InboundEvent.id))

    def messages(self) -> list[InboundMessage]:
        """Every message kept for staff."""
        return list(InboundMessage.select().order_by(InboundMessage.id))


@pytest.fixture
def inbox(db: Any, config: Any) -> Any:
    """An inbox whose LINE cannot be reached."""
    gateway = Gateway(config, connect=PATIENCE, read=PATIENCE)
    yield Inbox(gateway)
    gateway.close()


class Shop(Inbox):
    """An inbox with phones: people act through the pretend LINE, whose webhooks reach the app."""

    def __init__(self, gateway: Gateway, line: Any) -> None:
        super().__init__(gateway)
        self.line = line.client

    def phone(self, name: str = "小花", **facts: Any) -> str:
        """Somebody with LINE; her user id. `status="stranger"`: not a friend yet."""
        return str(self.line.add_phone(name, **facts)["user_id"])

    def settle(self) -> int:
        """Wait for the webhooks under way and handle them."""
        self.line.wait_for_events()
        return self.work()

    def greet(self, *messages: Any, returning: Any = ()) -> None:
        """Set the greeting."""
        greeting.save(
            messages=list(messages),
            returning=list(returning),
            staff=None,
            now=shop_clock.now(),
            wall=shop_clock.wall(),
        )

    def rule(self, *keywords: str, says: str = "好的", **more: Any) -> Any:
        """Add a keyword reply."""
        spec = actions.RuleSpec(keywords=list(keywords), messages=[{"text": says}], **more)
        return actions.create_rule(spec, staff=None, now=shop_clock.now(), wall=shop_clock.wall())


@pytest.fixture
def shop(line: Any, line_config: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A shop with phones: their webhooks come in through the real door, on a port of its own."""
    configuration.use(line_config)
    opened = database.open_database(line_config.database_url)
    database.ensure_connection()
    i18n.set_locale(i18n.DEFAULT_LOCALE)
    server = make_server("127.0.0.1", 0, WebhookDoor(_nowhere, line_config), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    line.set_webhook_url(f"http://127.0.0.1:{server.server_port}/webhook")
    monkeypatch.setattr(owed, "NAME_SECONDS", PATIENCE)
    gateway = Gateway(line_config, connect=PATIENCE, read=PATIENCE)
    yield Shop(gateway, line)
    gateway.close()
    server.shutdown()
    thread.join()
    server.server_close()
    opened.close()


def _nowhere(_environ: Any, start_response: Any) -> Any:
    start_response("404 Not Found", [("Content-Length", "0")])
    return []
