"""What monitoring is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from lineadmin import clock
from lineadmin.db import open_database
from lineadmin.inbox.models import InboundEvent
from lineadmin.outbox.models import Delivery, DeliveryState, Shipment, ShipmentState
from lineadmin.settings import heartbeat
from lineadmin.web import health
from tests.factories import LONG_AGO


@pytest.fixture
def door(db: Any) -> Any:
    """The one door, without the house around it."""
    app = Flask(__name__)
    health.init_app(app)
    return app.test_client()


def event(number: int, **more: Any) -> None:
    InboundEvent.create(
        event_id=f"e{number}",
        type="message",
        raw="{}",
        at=LONG_AGO,
        received_at=LONG_AGO,
        try_at=LONG_AGO,
        **more,
    )


def test_numbers_and_nothing_else(door: Any) -> None:
    heartbeat.beat("worker", wall=clock.wall() - timedelta(seconds=7))
    event(1)
    event(2, handled_at=LONG_AGO)
    event(3, set_aside_at=LONG_AGO)
    event(4, set_aside_at=LONG_AGO, handled_at=LONG_AGO)
    shipments = {
        state: Shipment.create(
            kind="push",
            origin_kind=1,
            origin_id=1,
            body="{}",
            recipients=1,
            retry_key=str(state),
            state=int(state),
            try_at=LONG_AGO,
            created_at=LONG_AGO,
        )
        for state in (ShipmentState.READY, ShipmentState.UNKNOWN)
    }
    for number, (state, shipment) in enumerate(
        (
            (DeliveryState.QUEUED, None),
            (DeliveryState.QUEUED, None),
            (DeliveryState.PACKED, shipments[ShipmentState.READY]),
            (DeliveryState.UNKNOWN, shipments[ShipmentState.UNKNOWN]),
            (DeliveryState.SENT, None),
        )
    ):
        Delivery.create(
            friend_id=number,
            origin_kind=1,
            origin_id=1,
            due_at=LONG_AGO,
            state=int(state),
            shipment=shipment,
            planned_at=LONG_AGO,
        )
    answer = door.get("/healthz")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json
    ago = told["worker"].pop("last_tick_seconds_ago")
    assert 7 <= ago < 10
    assert told == {
        "status": "ok",
        "database": "ok",
        "worker": {},
        "inbox": {"pending": 1, "failed": 1},
        "outbox": {"queued": 2, "sending": 1, "unknown": 1},
    }


@pytest.mark.parametrize(("seconds", "status"), [(179, 200), (181, 503), (-5, 200)])
def test_a_worker_silent_for_three_minutes_is_not_well(
    door: Any, seconds: int, status: int
) -> None:
    heartbeat.beat("worker", wall=clock.wall() - timedelta(seconds=seconds))
    answer = door.get("/healthz")
    assert answer.status_code == status
    assert (answer.json["status"] == "ok") == (status == 200)


def test_a_worker_never_heard_of_has_three_minutes_to_come(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = door.get("/healthz")
    assert answer.json["worker"] == {"last_tick_seconds_ago": None}
    monkeypatch.setattr(health, "_up_since", health.time.monotonic() - 179)
    assert door.get("/healthz").status_code == 200
    monkeypatch.setattr(health, "_up_since", health.time.monotonic() - 181)
    assert door.get("/healthz").status_code == 503


def test_a_database_that_is_down_is_503_and_never_a_traceback(app: Flask, client: Any) -> None:
    open_database("postgres://nobody@127.0.0.1:9/nothing")
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "down",
        "database": "down",
        "worker": {"last_tick_seconds_ago": None},
        "inbox": {"pending": None, "failed": None},
        "outbox": {"queued": None, "sending": None, "unknown": None},
    }
