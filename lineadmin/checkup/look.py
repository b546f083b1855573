"""Looking at everything, from the settings to LINE's own answers.

A finding is a code with its numbers; words.py has the sentences, in every language.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from redis import Redis, RedisError

from lineadmin import db as database
from lineadmin import migrate, settings
from lineadmin.broadcasts.models import Broadcast
from lineadmin.config import Config
from lineadmin.inbox.models import InboundEvent
from lineadmin.line.errors import LineError
from lineadmin.line.gateway import Gateway
from lineadmin.outbox import live, pauses, quota
from lineadmin.outbox.models import Delivery, DeliveryState, Shipment, ShipmentState
from lineadmin.sequences.models import Enrolment
from lineadmin.settings import heartbeat
from lineadmin.staff.models import Staff
from lineadmin.staff.permissions import OWNER

OK, INFO, WARN, BAD = "ok", "info", "warn", "bad"
SILENT = timedelta(minutes=3)
LITTLE_DISK_MB = 200
COUNT_LIMIT = 10_000
REDIS_PATIENCE = {"socket_connect_timeout": 3.0, "socket_timeout": 3.0}
KEY = "line.checkup"
# As the partial indexes have them, so that they are used.
IN_TROUBLE = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.HELD)


@dataclass(frozen=True)
class Finding:
    """What was found in one area. `bad` stops messages; `warn` will, or already costs something."""

    area: str  # see words.AREAS
    kind: str  # ok | info | warn | bad
    code: str
    values: dict[str, Any] = field(default_factory=dict)


def examine(
    config: Config, gateway: Gateway, *, now: Callable[[], datetime], wall: datetime
) -> Iterator[Finding]:
    """Look at everything, from the ground up; what rests on something broken is left out.

    Asks LINE up to six questions, so it takes some seconds; never call it within a transaction.
    `now` is asked once the tables are known to be there.
    """
    yield from _settings(config)
    try:
        database.ensure_connection()
        database.db.execute_sql("SELECT 1")
    except Exception as error:
        yield Finding("database", BAD, "database_down", {"error": _first_line(error)})
        return
    yield from _database(config)
    yield from _redis(config)
    missing = migrate.pending()
    if missing:
        yield Finding("migrations", BAD, "migrations_pending", {"names": migrate.in_short(missing)})
        return
    yield Finding("migrations", OK, "migrations_done")
    if not Staff.select().where(Staff.role == OWNER, Staff.active).exists():
        yield Finding("settings", BAD, "no_owner")
    yield _worker(wall)
    yield from _line(config, gateway, now(), wall)
    yield from _sending()
    yield Finding("manager", INFO, "manager")


def keep(findings: list[Finding], *, wall: datetime) -> None:
    """Remember the latest findings for the screen."""
    settings.mark(KEY, [asdict(finding) for finding in findings], wall=wall)


def kept() -> list[Finding]:
    """The findings of the latest look; none where nobody looked yet."""
    return [Finding(**item) for item in settings.get(KEY, [])]


def basic_id() -> str:
    """The account's @id as the latest look found it; empty where it is not known."""
    found = next((finding for finding in kept() if finding.code == "account"), None)
    return "" if found is None else str(found.values.get("id", ""))


def _settings(config: Config) -> Iterator[Finding]:
    fine = True
    if config.public_url is None:
        fine = False
        yield Finding("settings", BAD, "no_public_url")
    if config.line_channel_secret is None:
        fine = False
        yield Finding("settings", BAD, "no_channel_secret")
    if fine:
        yield Finding("settings", OK, "settings_fine", {"simulator": config.simulator})


def _database(config: Config) -> Iterator[Finding]:
    if database.is_postgres():
        yield Finding("database", OK, "postgres")
        return
    path = Path(config.database_url.removeprefix("sqlite:///"))
    free_mb = shutil.disk_usage(path.parent).free // 1_000_000
    if free_mb < LITTLE_DISK_MB:
        yield Finding("database", BAD, "disk_full", {"megabytes": free_mb})
    else:
        yield Finding("database", OK, "sqlite", {"path": str(path)})


def _redis(config: Config) -> Iterator[Finding]:
    if config.redis_url is None:
        return
    try:
        with Redis.from_url(config.redis_url, **REDIS_PATIENCE) as redis:
            redis.ping()
    except (RedisError, OSError, ValueError) as error:
        yield Finding("redis", WARN, "redis_down", {"error": _first_line(error)})
        return
    yield Finding("redis", OK, "redis")


def _worker(wall: datetime) -> Finding:
    beat = heartbeat.last_beat("worker")
    if beat is None:
        return Finding("worker", BAD, "worker_never")
    silent = wall - beat
    if silent >= SILENT:
        return Finding(
            "worker", BAD, "worker_silent", {"minutes": int(silent.total_seconds() // 60)}
        )
    return Finding("worker", OK, "worker_alive", {"seconds": max(1, int(silent.total_seconds()))})


def _line(config: Config, gateway: Gateway, now: datetime, wall: datetime) -> Iterator[Finding]:
    if not config.line_configured:
        yield Finding("account", BAD, "no_token")
        return
    try:
        account = gateway.bot_info()
    except LineError as error:
        yield _line_said("account", error)
        return
    yield Finding(
        "account",
        OK,
        "account",
        {
            "name": account.display_name,
            "id": account.basic_id,
            "picture": account.picture_url or "",
            "chat_mode": account.chat_mode,
        },
    )
    yield from _webhook(config, gateway)
    yield from _quota(gateway, now, wall)


def _webhook(config: Config, gateway: Gateway) -> Iterator[Finding]:
    if config.public_url is None:
        return
    wanted = webhook_url(config)
    try:
        endpoint = gateway.webhook_endpoint()
        if endpoint is None:
            yield Finding("webhook", BAD, "webhook_unset", {"url": wanted})
            return
        if endpoint.url.rstrip("/") != wanted:
            found = {"url": endpoint.url, "wanted": wanted}
            yield Finding("webhook", BAD, "webhook_elsewhere", found)
            return
        if not endpoint.active:
            yield Finding("webhook", BAD, "webhook_off", {"url": wanted})
            return
        test = gateway.test_webhook(wanted)
    except LineError as error:
        yield _line_said("webhook", error)
        return
    if test.success:
        yield Finding("webhook", OK, "webhook_works", {"url": wanted})
        return
    answer = {"url": wanted, "status": test.status_code, "reason": test.reason}
    yield Finding("webhook", BAD, "webhook_fails", {**answer, "detail": test.detail[:200]})


def webhook_url(config: Config) -> str:
    """Where LINE has to send events."""
    return f"{config.public_url}/webhook"


def _quota(gateway: Gateway, now: datetime, wall: datetime) -> Iterator[Finding]:
    ledger = quota.ledger(now)
    try:
        limit, used = gateway.quota().limit, gateway.consumption()
    except LineError as error:
        yield _line_said("quota", error)
        return
    quota.note_reading(ledger, limit=limit, used=used, wall=wall)
    plan = settings.shop().plan_included
    if limit is None:
        yield Finding("quota", OK, "quota_unlimited", {"used": used})
    elif used >= limit:
        yield Finding("quota", BAD, "quota_gone", {"used": used, "limit": limit})
    else:
        yield Finding("quota", OK, "quota_left", {"used": used, "limit": limit})
    if plan is not None and limit is not None and plan > limit:
        yield Finding("quota", WARN, "plan_above_line", {"plan": plan, "limit": limit})


def _sending() -> Iterator[Finding]:
    in_force = pauses.current()
    fine = True
    if in_force.stopped_at is not None:
        fine = False
        yield Finding("sending", WARN, "sending_stopped", {"by": in_force.stopped_by})
    if in_force.line_since is not None:
        fine = False
        yield Finding("sending", BAD, "line_paused", {"status": in_force.line_status})
    for code, count in _troubles():
        if count:
            fine = False
            yield Finding("sending", WARN, code, {"count": count})
    if fine:
        yield Finding("sending", OK, "sending_fine")


def _troubles() -> Iterator[tuple[str, int]]:
    questions: tuple[tuple[str, Callable[[], Any]], ...] = (
        (
            "unknown_shipments",
            lambda: Shipment.select(Shipment.id).where(
                live.one_of(Shipment.state, (ShipmentState.UNKNOWN, ShipmentState.HELD)),
                Shipment.state == ShipmentState.UNKNOWN,
            ),
        ),
        (
            "events_aside",
            lambda: InboundEvent.select(InboundEvent.id).where(
                InboundEvent.set_aside_at.is_null(False), InboundEvent.handled_at.is_null()
            ),
        ),
        (
            "held_deliveries",
            lambda: Delivery.select(Delivery.id).where(
                live.one_of(Delivery.state, IN_TROUBLE), Delivery.state == DeliveryState.HELD
            ),
        ),
        (
            "held_broadcasts",
            lambda: Broadcast.select(Broadcast.id).where(Broadcast.state == "held"),
        ),
        (
            "held_enrolments",
            lambda: Enrolment.select(Enrolment.id).where(Enrolment.state == "held"),
        ),
    )
    for code, question in questions:
        yield code, int(question().limit(COUNT_LIMIT).count())


def _line_said(area: str, error: LineError) -> Finding:
    values = {"error": type(error).__name__, "status": error.status, "message": error.message}
    return Finding(area, BAD, "line_error", values)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
