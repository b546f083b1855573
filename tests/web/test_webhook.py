"""The webhook door: what it takes, what it refuses, and what it never does."""

import io
import json
import logging
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineadmin import clock
from lineadmin import db as database
from lineadmin.inbox import store
from lineadmin.inbox.models import InboundEvent
from lineadmin.line.limits import REQUEST_BODY_BYTES
from lineadmin.line.signature import sign
from lineadmin.web.webhook import WebhookDoor
from tests.conftest import CHANNEL_SECRET

HANA = "U" + "a" * 32


def event(number=1, **more):
    return {
        "type": "follow",
        "mode": "active",
        "timestamp": 1795312800000,
        "source": {"type": "user", "userId": HANA},
        "webhookEventId": f"01TEST{number:020d}",
        "deliveryContext": {"isRedelivery": False},
        **more,
    }


class Door:
    def __init__(self, config):
        self.app = WebhookDoor(self.inside, config)
        self.went_inside = 0

    def inside(self, _environ, start_response):
        self.went_inside += 1
        start_response("404 Not Found", [])
        return []

    def post(self, body, *, signature=None, secret=CHANNEL_SECRET, **environ):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/webhook",
            "CONTENT_LENGTH": str(len(raw)),
            "REMOTE_ADDR": "203.0.113.9",
            "wsgi.input": io.BytesIO(raw),
            "HTTP_X_LINE_SIGNATURE": sign(raw, secret) if signature is None else signature,
            **environ,
        }
        answered = []
        said = self.app(given, lambda status, headers: answered.append((status, headers)))
        assert b"".join(said) == b""
        return int(answered[0][0].split()[0])


@pytest.fixture
def door(db, config):
    return Door(config)


def rows():
    return list(InboundEvent.select().order_by(InboundEvent.id))


def test_signed_events_are_kept_as_they_came(door):
    given = event(source={"type": "user", "userId": HANA}, follow={"isUnblocked": False}, x=["💩"])
    assert door.post({"destination": "U", "events": [given]}) == 200
    row = rows()[0]
    assert json.loads(row.raw) == given
    assert (row.type, row.line_user_id, row.event_id) == ("follow", HANA, given["webhookEventId"])
    assert row.handled_at is None  # nothing is done while LINE waits


def test_the_verify_button_of_lines_console_is_answered(door):
    assert door.post({"destination": "U", "events": []}) == 200
    assert rows() == []


@pytest.mark.parametrize("signature", ["", "x", "é", "A" * 44, " "])
def test_a_wrong_signature_is_refused_and_logged_without_secrets(door, caplog, signature):
    with caplog.at_level(logging.WARNING):
        assert door.post({"events": [event()]}, signature=signature) == 400
    assert rows() == []
    assert "signature" in caplog.text
    assert CHANNEL_SECRET not in caplog.text
    assert HANA not in caplog.text


def test_a_signature_with_another_secret_is_refused(door):
    assert door.post({"events": [event()]}, secret="another") == 400


def test_a_missing_signature_is_refused(door):
    assert door.post({"events": [event()]}, HTTP_X_LINE_SIGNATURE=None) == 400


def test_without_a_channel_secret_nobody_is_let_in(db, config):
    from dataclasses import replace

    door = Door(replace(config, line_channel_secret=None))
    assert door.post({"events": [event()]}, secret="") == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"events": {}}',
        b'{"events": null}',
        b'{"events": ["x"]}',
        b'{"events": [null]}',
        b'{"events": [{"webhookEventId": 7}]}',
        b'{"events": [{"webhookEventId": ""}]}',
        b'{"events": [{"type": 7}]}',
        b'{"events": [{"timestamp": "now"}]}',
        b'{"events": [{"timestamp": NaN}]}',
        b'{"events": [{"source": []}]}',
        b'{"events": [{"message": "x"}]}',
        b'{"destination": "U"}',
    ],
)
def test_what_line_would_not_send_is_refused_whole(door, body):
    assert door.post(body) == 400
    assert rows() == []


def test_of_one_good_and_one_bad_event_neither_is_kept(door):
    assert door.post({"events": [event(1), {"type": 7}]}) == 400
    assert rows() == []


def test_a_body_above_two_megabytes_is_refused_unread(door):
    class Untouched:
        def read(self, *_size):
            raise AssertionError("read")

    too_long = str(REQUEST_BODY_BYTES + 1)
    status = door.post(b"x", CONTENT_LENGTH=too_long, **{"wsgi.input": Untouched()})
    assert status == 413


def test_a_body_of_two_megabytes_is_taken(door):
    filler = event(note="x" * (REQUEST_BODY_BYTES - 400))
    assert door.post({"events": [filler]}) == 200


def test_a_chunked_body_is_read_to_its_end_and_no_further(door):
    chunked = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    assert door.post({"events": [event()]}, **chunked) == 200
    assert door.post(b"x" * (REQUEST_BODY_BYTES + 1), **chunked) == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(door, method):
    assert door.post(b"", REQUEST_METHOD=method) == 405


def test_other_paths_go_inside(door):
    assert door.post({"events": []}, PATH_INFO="/webhook/") == 404
    assert door.went_inside == 1


def test_duplicates_in_one_and_several_bodies_are_counted(door):
    assert door.post({"events": [event(1), event(2), event(1)]}) == 200
    assert door.post({"events": [event(2, deliveryContext={"isRedelivery": True})]}) == 200
    assert [row.redelivered for row in rows()] == [1, 1]
    assert json.loads(rows()[1].raw)["deliveryContext"]["isRedelivery"] is False


def test_a_redelivery_of_a_waiting_event_renews_its_receipt(door):
    door.post({"events": [event(1)]})
    InboundEvent.update(received_at=1000).execute()
    door.post({"events": [event(1)]})
    assert (clock.wall() - rows()[0].received_at).total_seconds() < 5
    InboundEvent.update(received_at=1000, handled_at=2000).execute()
    door.post({"events": [event(1)]})
    assert InboundEvent.select(InboundEvent.received_at).get().received_at.year == 1970


def test_events_without_an_id_are_recognised_by_their_content(door):
    nameless = event()
    del nameless["webhookEventId"]
    for _ in range(2):
        door.post({"events": [nameless]})
    assert [row.redelivered for row in rows()] == [1]


def test_a_broken_database_is_answered_with_500_and_no_words(door, monkeypatch):
    def broken(*_arguments):
        raise RuntimeError("disk full")

    monkeypatch.setattr(store, "_insert", broken)
    assert door.post({"events": [event()]}) == 500


def test_webhooks_that_meet_share_a_transaction_and_none_is_lost(door):
    statuses = []

    def send(start):
        database.ensure_connection()
        for number in range(start, start + 25):
            statuses.append(door.post({"events": [event(number), event(number + 1)]}))
        database.db.close()

    threads = [threading.Thread(target=send, args=(start,)) for start in range(0, 200, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert len(rows()) == 206
    counted = sum(row.redelivered for row in rows()) + len(rows())
    assert counted == 10 * 25 * 2


def test_one_request_that_cannot_be_kept_does_not_fail_the_others(door, monkeypatch):
    insert = store._insert

    def picky(given_rows, again):
        if any("bad" in row[0] for row in given_rows):
            raise RuntimeError("no")
        insert(given_rows, again)

    monkeypatch.setattr(store, "_insert", picky)
    good = store._Entry(store._rows([event(1)], clock.wall()))
    with store._queue_lock:
        store._queue.append(good)  # somebody else, waiting for the pen
    with pytest.raises(RuntimeError):
        store.store_events([event(2, webhookEventId="bad")], wall=clock.wall())
    assert store._queue == [good]
    store.store_events([event(3)], wall=clock.wall())
    assert good.written
    assert len(rows()) == 2


def test_the_door_stands_in_front_of_the_application(app):
    raw = json.dumps({"events": [event()]}).encode()
    client = app.test_client()
    headers = {"X-Line-Signature": sign(raw, CHANNEL_SECRET)}
    answer = client.post("/webhook", data=raw, headers=headers)
    assert (answer.status_code, answer.data) == (200, b"")
    assert client.post("/webhook", data=raw).status_code == 400
    assert client.get("/webhook").status_code == 405
    assert "Set-Cookie" not in answer.headers


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["type", "mode", "timestamp", "source", "webhookEventId", "message", "replyToken", "postback"]
)


UNHURRIED = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@settings(UNHURRIED, max_examples=100)
@given(events=st.lists(st.dictionaries(NAMES, VALUES, max_size=6), max_size=3))
def test_any_json_is_either_kept_whole_or_refused_whole(door, events):
    before = InboundEvent.select().count()
    status = door.post({"destination": "U", "events": events})
    assert status in (200, 400)
    if status == 400:
        assert InboundEvent.select().count() == before


@settings(UNHURRIED, max_examples=100)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(door, body):
    assert door.post(body) in (200, 400)
