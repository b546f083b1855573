"""Free replies: at most once, and never followed by a push while in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from lineadmin import db as database
from lineadmin.line.errors import LineUnclear, LineUnreachable
from lineadmin.outbox import pauses, reasons, replies
from lineadmin.outbox.models import Reply, ReplyState
from lineadmin.outbox.replies import ReplyOutcome, reply_once
from tests.listening import listening
from tests.outbox.conftest import Shop

HELLO = [{"type": "text", "text": "歡迎！"}]


class Panel(BaseHTTPRequestHandler):
    """Takes every webhook event."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_line: Any) -> None:
        pass


@pytest.fixture
def token(shop: Shop) -> Iterator[str]:
    """A friend has just written; the token her event carries."""
    with listening(Panel) as address:
        shop.phones.settings(webhook_url=f"{address}/webhook")
        shop.hana = shop.friend()  # type: ignore[attr-defined]
        told = shop.phones.text(shop.hana.line_user_id, "你好", wait_ms=30_000)  # type: ignore[attr-defined]
        yield told["event"]["replyToken"]


def reply(shop: Shop, token: str, **more: Any) -> ReplyOutcome:
    fields = {"token_at": shop.wall, "origin": "keyword", "now": shop.now, "wall": shop.wall}
    fields |= {"gateway": shop.gateway, **more}
    token_at = fields.pop("token_at")
    return reply_once(shop.hana.id, token, token_at, HELLO, **fields)  # type: ignore[attr-defined]


def test_a_reply_is_free_and_written_down(shop: Shop, token: str):
    outcome = reply(shop, token, origin_id=4)
    assert outcome.sent
    assert shop.texts(shop.hana) == ["歡迎！"]  # type: ignore[attr-defined]
    row = Reply.get()
    assert (row.state, row.origin, row.origin_id) == (ReplyState.SENT, "keyword", 4)
    assert row.line_request_id
    assert row.at == shop.now


def test_a_token_is_used_once_only(shop: Shop, token: str):
    assert reply(shop, token).sent
    assert reply(shop, token).sent  # says what became of it, and does nothing
    assert shop.texts(shop.hana) == ["歡迎！"]  # type: ignore[attr-defined]
    assert shop.requests("reply") == 1


@pytest.mark.parametrize("fault", ["accept_500", "timeout_after", "500", "drop_before"])
def test_no_clear_answer_is_unknown_and_never_repeated(shop: Shop, token: str, fault: str):
    shop.phones.fail(fault, endpoint="reply")
    with shop.patience_for(fault):
        outcome = reply(shop, token)
    assert outcome.unknown
    assert not outcome.dropped
    assert reply(shop, token).unknown
    assert shop.requests("reply") == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("400", reasons.REFUSED), ("429", reasons.RATE), ("401", reasons.AUTH)],
)
def test_a_clear_no_is_dropped_with_its_reason(shop: Shop, token: str, fault: str, reason: str):
    shop.phones.fail(fault, endpoint="reply")
    outcome = reply(shop, token)
    assert outcome.dropped
    assert outcome.reason == reason
    assert (pauses.current().line_status == 401) == (fault == "401")


def test_a_wrong_token_is_dropped(shop: Shop, token: str):
    outcome = reply(shop, "not-a-token-of-line")
    assert outcome.dropped
    assert outcome.reason == reasons.TOKEN_EXPIRED


def test_never_connected_is_dropped(shop: Shop, token: str):
    class Unreachable:
        def reply(self, body: bytes) -> None:
            raise LineUnreachable

    outcome = reply(shop, token, gateway=Unreachable())
    assert outcome.dropped
    assert outcome.reason == reasons.UNREACHABLE


def test_a_token_that_is_too_old_is_not_tried(shop: Shop, token: str):
    outcome = reply(shop, token, token_at=shop.wall - timedelta(seconds=50))
    assert outcome.dropped
    assert outcome.reason == reasons.TOKEN_EXPIRED
    assert shop.requests("reply") == 0


def test_the_red_button_stops_replies_too(shop: Shop, token: str):
    pauses.stop_all(staff=None, wall=shop.wall)
    outcome = reply(shop, token)
    assert outcome.dropped
    assert outcome.reason == reasons.STOPPED
    assert shop.requests("reply") == 0


def test_the_row_is_committed_before_line_is_asked(shop: Shop, token: str):
    seen = []

    class Dies:
        def reply(self, body: bytes) -> None:
            seen.append((Reply.get().state, database.db.in_transaction()))
            raise KeyboardInterrupt  # the process ends here

    with pytest.raises(KeyboardInterrupt):
        reply(shop, token, gateway=Dies())
    assert seen == [(ReplyState.PENDING, False)]

    # A redelivered event finds the token used; a minute later it is called unknown.
    assert reply(shop, token).unknown
    assert shop.requests("reply") == 0
    assert replies.sweep(wall=shop.wall + timedelta(seconds=59)) == 0
    assert replies.sweep(wall=shop.wall + timedelta(seconds=60)) == 1
    row = Reply.get()
    assert (row.state, row.reason) == (ReplyState.UNKNOWN, reasons.CRASHED)


def test_an_answer_that_comes_after_the_sweep_still_counts(shop: Shop, token: str):
    class Slow:
        def reply(self, body: bytes) -> Any:
            replies.sweep(wall=shop.wall + timedelta(minutes=2))
            return shop.gateway.reply(body)

    assert reply(shop, token, gateway=Slow()).sent
    assert Reply.get().state == ReplyState.SENT


def test_within_a_transaction_it_refuses(shop: Shop, token: str):
    with database.atomic(), pytest.raises(RuntimeError, match="committed"):
        reply(shop, token)
    assert Reply.select().count() == 0


def test_unclear_errors_keep_lines_words(shop: Shop, token: str):
    class Broken:
        def reply(self, body: bytes) -> None:
            raise LineUnclear(500, "req-9", "Internal server error")

    reply(shop, token, gateway=Broken())
    row = Reply.get()
    assert (row.line_request_id, row.error) == ("req-9", "500 Internal server error")
