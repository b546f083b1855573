"""A shop with a million friends: ticks with nothing to do, segment counts, and every list.

`python -m bench.million [--friends N] [--deliveries N] [--keep FILE]`. The database is made by SQL
in a few minutes and thrown away. Floors are those of the design: a tick with nothing due under
20 ms, a segment count with three conditions under 1 s, every page of the panel under 300 ms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peewee import Model

from lineadmin import clock, config, migrate, segments, settings
from lineadmin import db as database
from lineadmin.broadcasts.models import Broadcast
from lineadmin.config import load_config
from lineadmin.friends.models import Friend, FriendTag, Source, Tag
from lineadmin.journal.models import Fact
from lineadmin.line.gateway import Gateway
from lineadmin.outbox.models import Content, Delivery
from lineadmin.purchases.models import Purchase, PurchaseCategory, PurchaseLine
from lineadmin.segments.models import Segment
from lineadmin.sequences.models import Enrolment, Sequence, SequenceVersion
from lineadmin.tracking.models import TrackedLink

TICK_MS, COUNT_MS, PAGE_MS = 20, 1_000, 300
ROUNDS = 5
DAY_MS = 86_400_000
SAYS = [{"text": "週一快樂"}]

PAGES = (
    "/admin/",
    "/admin/friends/",
    "/admin/friends/?search=%E5%8F%8B+999999",
    "/admin/friends/?tag=1",
    "/admin/friends/?status=blocked",
    "/admin/friends/?segment=1",
    "/admin/friends/?segment=2&sort=last_seen_at",
    "/admin/friends/500000/",
    "/admin/segments/",
    "/admin/segments/details/?id=1",
    "/admin/tags/",
    "/admin/deliveries/",
    "/admin/deliveries/?state=4",
    "/admin/deliveries/?program=1-1",
    "/admin/broadcasts/",
    "/admin/broadcasts/1/",
    "/admin/broadcasts/1/why/?q=%E5%8F%8B+999999",
    "/admin/broadcasts/1/changes/",
    "/admin/tracked_links/",
    "/admin/tracked_links/1/",
    "/admin/line_audiences/",
    "/admin/lotteries/",
    "/admin/sequences/",
    "/admin/sequences/1/",
    "/admin/sequences/1/versions/",
    "/admin/sequences/1/publish/",
    "/admin/sequence-report/1/",
    "/admin/sequence-friends/1/",
    "/admin/dry-run/1/",
    "/admin/dry-run/1/all/",
    "/admin/sources/",
    "/admin/inbox/",
    "/admin/tags/care/",
    "/admin/coupons/",
    "/admin/coupon_report/",
    "/admin/redeem/tries/",
    "/admin/purchases/",
    "/admin/purchases/?search=R500000",
    "/admin/purchases/?search=%E5%8F%8B+999999",
    "/admin/purchases/?category=1",
    "/admin/purchases/?status=done",
    "/admin/purchases/?branch=%E4%BF%A1%E7%BE%A9%E5%BA%97",
    "/admin/purchases/?sort=amount&desc=1",
    "/admin/purchases/1/",
    "/admin/purchases/new/?q=%E5%A5%BD%E5%8F%8B+7",
    "/admin/sending/",
    "/admin/audit/",
)

THREE_CONDITIONS = {
    "all": [
        {"field": "tag", "op": "is", "value": "愛吃雙拼"},
        {"field": "gender", "op": "is", "value": "female"},
        {"field": "friend_days", "op": "at_least", "value": 30},
    ]
}
LOYAL = {
    "all": [
        {"field": "purchases", "op": "at_least", "value": 3, "within_days": 180},
        {"field": "spent", "op": "at_least", "value": 600},
        {"field": "bought", "op": "is_not", "value": "飲料"},
    ]
}
RARE = {
    "all": [
        {"field": "age", "op": "at_least", "value": 25},
        {"field": "region", "op": "is", "value": "tw_01"},
        {"field": "os", "op": "is", "value": "ios"},
    ]
}


def main() -> int:
    """Make the database, measure, print; 1 where a floor was missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--friends", type=int, default=1_000_000)
    options.add_argument("--deliveries", type=int, default=5_000_000)
    options.add_argument("--keep", help="keep the database in this file, or use it if it is there")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineadmin-million-") as folder:
        path = Path(chosen.keep or f"{folder}/million.db")
        ready = path.exists()
        config.use(
            load_config(
                {
                    "SECRET_KEY": "a-key-for-the-benchmark-only",
                    "DATABASE_URL": f"sqlite:///{path}",
                    "VAR_DIR": folder,
                    "LINE_CHANNEL_SECRET": "secret",
                    "LINE_CHANNEL_ACCESS_TOKEN": "token",
                    "LINE_API_BASE": "http://127.0.0.1:9",
                    "LINE_DATA_API_BASE": "http://127.0.0.1:9",
                    "PUBLIC_URL": "https://shop.example",
                }
            )
        )
        database.open_database(config.current().database_url)
        migrate.migrate()
        if not ready:
            began = time.monotonic()
            make_shop(chosen.friends, chosen.deliveries)
            print(
                f"made {chosen.friends:,} friends and {chosen.deliveries:,} deliveries "
                f"in {time.monotonic() - began:.0f} s"
            )
        missed = measure()
    return 1 if missed else 0


def make_shop(friends: int, deliveries: int) -> None:
    """Fill an empty database by set-based SQL."""
    now = database.to_ms(clock.now())
    database.db.execute_sql("PRAGMA synchronous=OFF")
    settings.change_shop({"name": "熊大便當"}, staff=None, wall=clock.wall())
    with database.atomic():
        _fill(Source, {"id": "1", "code": "'storefront'", "name": "'門市 QR'", "created_at": now})
        _fill(Source, {"id": "2", "code": "'line_pay'", "name": "'LINE Pay'", "created_at": now})
        _fill(Tag, {"id": "1", "name": "'愛吃雙拼'", "created_at": now})
        _fill(Tag, {"id": "2", "name": "'會員'", "created_at": now})
        for number, tree in ((1, THREE_CONDITIONS), (2, RARE)):
            made = {"id": number, "name": f"'{number}'", "tree": _text(tree)}
            _fill(Segment, {**made, "created_at": now})
        joined = f"{now} - i % 900 * {DAY_MS}"
        _fill(
            Friend,
            {
                "id": "i",
                "line_user_id": "printf('U%032x', i)",
                "display_name": "'好友 ' || i",
                "language": "'zh-Hant'",
                "status": "CASE WHEN i % 12 = 0 THEN 'blocked' ELSE 'friend' END",
                "first_followed_at": joined,
                "followed_at": joined,
                "first_seen_at": joined,
                "last_seen_at": f"{now} - i % 90 * {DAY_MS} - i % {DAY_MS}",
                "blocked_at": f"CASE WHEN i % 12 = 0 THEN {now} - i % 90 * {DAY_MS} END",
                "source": "nullif(i % 3, 0)",
                "gender": "CASE i % 3 WHEN 0 THEN 'female' WHEN 1 THEN 'male' END",
                "birth_year": "CASE WHEN i % 4 THEN 1960 + i % 45 END",
                "region": "CASE WHEN i % 5 THEN printf('tw_%02d', 1 + i % 22) END",
                "os": "CASE i % 2 WHEN 0 THEN 'ios' ELSE 'android' END",
            },
            f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {friends})"
            " SELECT i FROM n)",
        )
        everybody = "(SELECT id AS i, followed_at FROM friend)"
        _fill(
            FriendTag,
            {"friend": "i", "tag": "1 + i / 4 % 2", "at": now},
            f"{everybody} WHERE i % 4 = 0",
        )
        followed = {"friend_id": "i", "kind": "'followed'", "at": "followed_at"}
        _fill(Fact, {**followed, "handled_at": "followed_at"}, everybody)
        _fill(
            Fact,
            {"friend_id": "i", "kind": "'blocked'", "at": "blocked_at", "handled_at": "blocked_at"},
            "(SELECT id AS i, blocked_at FROM friend WHERE blocked_at IS NOT NULL)",
        )
        wrote = {"friend_id": "i", "kind": "'message'", "at": "last_seen_at"}
        _fill(
            Fact,
            {**wrote, "handled_at": "last_seen_at"},
            "(SELECT id AS i, last_seen_at FROM friend WHERE id % 2 = 0)",
        )
        said = {"id": "1", "hash": "'x'", "parts": _text(SAYS), "summary": "'週一快樂'"}
        _fill(Content, {**said, "personal": "0", "created_at": now})
        _make_sequence(now, everybody)
        _make_purchases(now)
    number = 0
    while deliveries > 0:
        number += 1
        _make_broadcast(number, min(friends, deliveries), now)
        deliveries -= friends


def _make_sequence(now: int, everybody: str) -> None:
    """One sequence in which everybody is underway, the next step a day away."""
    step = {"after_days": 1, "at": "10:00", "messages": SAYS}
    definition = {"trigger": {"follow": "any"}, "branches": [{"steps": [step]}]}
    made = {"id": "1", "name": "'新好友'", "enabled": "1", "live_version": "1"}
    _fill(Sequence, {**made, "created_at": now})
    version = {"id": "1", "sequence": "1", "number": "1", "definition": _text(definition)}
    _fill(SequenceVersion, {**version, "published_at": now})
    _fill(
        Enrolment,
        {
            "sequence": "1",
            "friend_id": "i",
            "version_id": "1",
            "base_day": "'2026-01-01'",
            "next_at": f"{now} + {DAY_MS} + i",
            "entered_at": now,
        },
        everybody,
    )
    # The day before, everybody not blocked by then got the step before.
    _fill(
        Delivery,
        {
            "friend_id": "i",
            "origin_kind": "2",
            "origin_id": "1",
            "origin_run": "1001",
            "content": "1",
            "due_at": now - DAY_MS,
            "planned_at": now - DAY_MS,
            "done_at": now - DAY_MS,
            "state": f"CASE WHEN blocked_at < {now - DAY_MS} THEN 3 ELSE 2 END",
            "reason": f"CASE WHEN blocked_at < {now - DAY_MS} THEN 'blocked' ELSE '' END",
        },
        "(SELECT id AS i, blocked_at FROM friend)",
    )


def _make_purchases(now: int) -> None:
    """Every second friend bought once, every tenth three times, of three categories."""
    for number, name in enumerate(("便當", "湯品", "飲料"), 1):
        made = {"id": number, "name": f"'{name}'", "created_at": now}
        _fill(PurchaseCategory, made)
    who = "SELECT id AS i, 0 AS k FROM friend WHERE id % 2 = 0"
    for again in (1, 2):
        who += f" UNION ALL SELECT id, {again} FROM friend WHERE id % 10 = 0"
    bought_at = f"{now} - (i % 365 + k * 30) * {DAY_MS} - i"
    _fill(
        Purchase,
        {
            "receipt_no": "'R' || i || '-' || k",
            "friend": "i",
            "at": bought_at,
            "amount": "50 + i % 400",
            "branch": "CASE i % 3 WHEN 0 THEN '信義店' WHEN 1 THEN '中山店' ELSE '' END",
            "status": "'done'",
            "origin": "'csv'",
            "recorded_at": now,
        },
        f"({who})",
    )
    _fill(
        PurchaseLine,
        {
            "purchase": "i",
            "category": "1 + i % 3",
            "friend_id": "friend_id",
            "at": "at",
        },
        "(SELECT id AS i, friend_id, at FROM purchase)",
    )


def _make_broadcast(number: int, recipients: int, now: int) -> None:
    """A broadcast that was sent some weeks ago, with a delivery for everybody it was meant for."""
    then = now - number * 7 * DAY_MS
    told = {"at": then, "matches": recipients, "will_send": recipients * 11 // 12}
    with database.atomic():
        _fill(
            TrackedLink,
            {
                "id": number,
                "code": f"'link{number}'",
                "name": "'菜單'",
                "url": "'https://shop.example/menu'",
                "url_hash": f"'{number}'",
                "origin_kind": "1",
                "origin_id": number,
                "per_friend": "1",
                "created_at": then,
            },
        )
        _fill(
            Fact,
            {
                "friend_id": "i",
                "kind": "'link.clicked'",
                "object_id": number,
                "at": f"{then} + i % 1440 * 60000",
                "handled_at": then,
            },
            f"(SELECT id AS i FROM friend WHERE id % 20 = {number})",
        )
        _fill(
            Broadcast,
            {
                "id": number,
                "name": f"'週一雙拼 {number}'",
                "parts": _text(SAYS),
                "audience": _text({"all": []}),
                "state": "'sent'",
                "created_at": then,
                "confirmed_at": then,
                "leaves_at": then,
                "finished_at": then,
                "expected": recipients,
                "sent_count": recipients * 11 // 12,
                "content_id": "1",
                "plan_whole_at": then,
                "told": _text(told),
            },
        )
        blocked, refused = "status = 'blocked'", "i % 5000 = 0"
        _fill(
            Delivery,
            {
                "friend_id": "i",
                "origin_kind": "1",
                "origin_id": number,
                "content": "1",
                "due_at": then,
                "planned_at": then,
                "done_at": then,
                "state": f"CASE WHEN {blocked} THEN 3 WHEN {refused} THEN 4 ELSE 2 END",
                "reason": f"CASE WHEN {blocked} THEN 'blocked' WHEN {refused} THEN 'refused' "
                "ELSE '' END",
            },
            f"(SELECT id AS i, status FROM friend WHERE id <= {recipients})",
        )


def _fill(model: type[Model], values: dict[str, Any], rows: str = "(SELECT 1 AS i)") -> None:
    """INSERT … SELECT of SQL expressions; what is not named gets the model's default."""
    columns, expressions = [], []
    for field in model._meta.sorted_fields:
        if field.name in values:
            expression = str(values[field.name])
        elif field.null or field.name == "id":
            continue
        else:
            default = field.default() if callable(field.default) else field.default
            expression = _text(default) if isinstance(default, str | list | dict) else str(default)
            expression = {"True": "1", "False": "0"}.get(expression, expression)
            if isinstance(default, int):
                expression = str(int(default))
        columns.append(field.column_name)
        expressions.append(expression)
    table = model._meta.table_name
    database.db.execute_sql(
        f'INSERT INTO "{table}"({", ".join(columns)}) SELECT {", ".join(expressions)} FROM {rows}'
    )


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else database.dump_json(value)
    return "'" + text.replace("'", "''") + "'"


def measure() -> list[str]:
    """Print every figure; the names of those over their floor."""
    from lineadmin.application import create_app
    from lineadmin.tasks.tick import tick
    from tests.panel import panel_of

    missed: list[str] = []
    gateway_free = _nothing_due(tick)
    _report("tick with nothing due", gateway_free, TICK_MS, missed)
    tree = segments.parse(THREE_CONDITIONS)
    where = segments.where(tree, now=clock.now(), zone=settings.shop_zone())
    exact = _median(lambda: Friend.select().where(where).count())
    _report("segment count, three conditions, exact", exact, COUNT_MS, missed)
    where = segments.where(LOYAL, now=clock.now(), zone=settings.shop_zone())
    exact = _median(lambda: Friend.select().where(where).count())
    _report("segment count, three conditions about purchases, exact", exact, COUNT_MS, missed)
    app = create_app(config.current())
    app.testing = True
    # The database may be kept from an earlier run, and its owner with it.
    panel = panel_of(app, email=f"owner{time.time_ns()}@example.com")
    for path in PAGES:
        answers: list[int] = []
        took = _median(lambda p=path, a=answers: a.append(panel.get(p).status_code))
        if set(answers) != {200}:
            print(f"{path}: answered {sorted(set(answers))}")
            missed.append(path)
            continue
        _report(path, took, PAGE_MS, missed)
    if missed:
        print("over the floor:", ", ".join(missed))
    return missed


def _nothing_due(tick: Any) -> float:
    """A whole tick as `flask tick` does it, without anything being due."""
    gateway = Gateway(config.current())
    try:
        return _median(lambda: tick(clock.now(), clock.wall(), gateway=gateway))
    finally:
        gateway.close()


def _median(work: Callable[[], Any]) -> float:
    work()
    took = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def _report(name: str, took: float, floor: float, missed: list[str]) -> None:
    over = took > floor
    if over:
        missed.append(name)
    print(f"{name:<48} {took:8.1f} ms   floor {floor:,} ms{'   OVER' if over else ''}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
