"""One file for a whole shop: taken while it is open, restored into either database, on hold."""

from __future__ import annotations

import json
import threading
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lineadmin import db as database
from lineadmin.broadcasts.models import Broadcast
from lineadmin.cli.backup import write_backup
from lineadmin.cli.portable import KEPT, table_name
from lineadmin.config import Config
from lineadmin.friends.models import Friend
from lineadmin.inbox.models import InboundEvent
from lineadmin.journal.models import Fact
from lineadmin.messages.models import Upload
from lineadmin.outbox.models import Content, Delivery, DeliveryState, Shipment, ShipmentState
from lineadmin.sequences.models import Enrolment, Sequence
from lineadmin.staff.models import Audit, Staff
from tests.cli.commands import Shell, shell
from tests.factories import LONG_AGO, make_friend, make_staff

PICTURE = bytes(range(256)) * 40


def fill() -> None:
    """A shop in the middle of everything, with every kind of value a column can hold."""
    boss = make_staff("owner")
    ming, hana = make_friend("小明 🍱", tags=("熟客",)), make_friend('"引號", 逗號\n換行\\')
    Upload.create(
        token="t" * 20,
        hash="h",
        mime="image/png",
        width=1,
        height=1,
        original=PICTURE,
        preview=b"",
        preview_mime="image/png",
        created_at=LONG_AGO,
    )
    content = Content.create(hash="c", parts=[{"text": "嗨"}], personal=False, created_at=LONG_AGO)
    parent = _shipment(ShipmentState.SPLIT, None)
    flying, done = _shipment(ShipmentState.FLYING, parent), _shipment(ShipmentState.ACCEPTED, None)
    for number, (state, shipment) in enumerate(
        (
            (DeliveryState.QUEUED, None),
            (DeliveryState.PACKED, flying),
            (DeliveryState.SENT, done),
            (DeliveryState.SKIPPED, None),
        )
    ):
        Delivery.create(
            friend_id=(ming, hana)[number % 2].id,
            origin_kind=1,
            origin_id=number,
            content=content,
            due_at=LONG_AGO,
            state=int(state),
            shipment=shipment,
            planned_at=LONG_AGO,
        )
    for number, state in enumerate(("draft", "scheduled", "sending", "sent", "stopping")):
        Broadcast.create(name=f"群發 {number}", state=state, created_at=LONG_AGO)
    sequence = Sequence.create(
        name="養成", period_from=date(2026, 11, 1), enabled=True, created_at=LONG_AGO
    )
    for friend, state in ((ming, "active"), (hana, "finished")):
        Enrolment.create(
            sequence=sequence,
            friend_id=friend.id,
            version_id=1,
            base_day=date(2026, 11, 20),
            state=state,
            entered_at=LONG_AGO,
        )
    Fact.create(friend_id=ming.id, kind="followed", at=LONG_AGO, amount=2**40)
    for number, handled in enumerate((None, LONG_AGO)):
        InboundEvent.create(
            event_id=f"e{number}",
            type="message",
            raw="{}",
            at=LONG_AGO,
            received_at=LONG_AGO,
            try_at=LONG_AGO,
            handled_at=handled,
        )
    Audit.create(at=LONG_AGO, staff=boss, action="tag.create", before=None, after={"a": [1]})


def _shipment(state: ShipmentState, parent: Shipment | None) -> Shipment:
    number = Shipment.select().count()
    made: Shipment = Shipment.create(
        kind="push",
        origin_kind=1,
        origin_id=1,
        body="{}",
        recipients=1,
        retry_key=f"key-{number}",
        state=int(state),
        try_at=LONG_AGO,
        lease_until=LONG_AGO if state == ShipmentState.FLYING else None,
        parent=parent,
        created_at=LONG_AGO,
    )
    return made


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every kept row of a database, as Python sees it."""
    before = database.db.obj
    database.open_database(url)
    database.ensure_connection()
    try:
        return {
            table_name(model): [
                tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
                for row in model.select().order_by(model._meta.primary_key).tuples()
            ]
            for model in KEPT
        }
    finally:
        database.db.close()
        database.db.initialize(before)


def test_a_backup_comes_back_in_either_database_with_everything_on_hold(
    db: Any, config: Config, terminal: Shell, tmp_path: Path, other_database_url: str
) -> None:
    fill()
    before = rows_of(config.database_url)
    file = tmp_path / "shop.zip"
    made = terminal.flask("backup", str(file))
    assert made.code == 0, made.words
    assert file.stat().st_mode & 0o777 == 0o600

    other = shell(tmp_path, other_database_url)
    done = other.flask("restore", str(file))
    assert done.code == 0, done.words
    assert "deliveries 2, shipments 1, broadcasts 3, enrolments 1, events 1" in done.out
    after = rows_of(other_database_url)
    on_hold = {"delivery", "shipment", "broadcast", "enrolment", "inbound_event", "fact", "audit"}
    for name, rows in before.items():
        if name not in on_hold:
            assert after[name] == rows, name
        elif name != "audit":
            assert len(after[name]) == len(rows), name
    assert after["audit"][: len(before["audit"])] == before["audit"]
    assert after["audit"][-1][4] == "backup.restore"
    assert PICTURE in after["upload"][0]

    ticked = other.flask("tick", "--now", "2030-01-01T12:00:00+08:00")
    assert "sent 0" in ticked.out, ticked.words
    assert "inbox 0 triggers 0 steps 0 broadcasts 0" in ticked.out
    # New rows come after the restored ones.
    assert other.flask("staff", "create", "new@example.com").code == 0

    again = other.flask("restore", str(file))
    assert again.code == 1
    assert "--yes" in again.err
    assert other.flask("restore", str(file), "--yes").code == 0
    assert rows_of(other_database_url)["staff"] == before["staff"]


def test_what_was_held_can_be_held_and_backed_up_again(
    db: Any, config: Config, terminal: Shell, tmp_path: Path
) -> None:
    fill()
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    terminal.flask("backup", str(first))
    assert terminal.flask("restore", str(first), "--yes").code == 0
    held = rows_of(config.database_url)
    terminal.flask("backup", str(second))
    assert terminal.flask("restore", str(second), "--yes").code == 0
    twice = rows_of(config.database_url)
    assert {name for name in held if held[name] != twice[name]} <= {"audit", "setting"}


@pytest.mark.parametrize("harm", ["cut", "flip", "row", "newer", "foreign", "reference"])
def test_a_damaged_file_changes_nothing(
    db: Any, config: Config, terminal: Shell, tmp_path: Path, harm: str
) -> None:
    fill()
    file = tmp_path / "shop.zip"
    terminal.flask("backup", str(file))
    before = rows_of(config.database_url)
    _damage(file, harm)
    done = terminal.flask("restore", str(file), "--yes")
    assert done.code == 1
    assert done.err.startswith("Error: ")
    assert rows_of(config.database_url) == before


def _damage(file: Path, harm: str) -> None:
    whole = file.read_bytes()
    if harm == "cut":
        file.write_bytes(whole[: len(whole) // 2])
        return
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    if harm == "flip":
        members["tables/friend.jsonl"] = members["tables/friend.jsonl"].replace(b"U", b"V", 1)
    elif harm == "row":
        members["tables/friend.jsonl"] = b""
    elif harm == "newer":
        manifest["migrations"].append("9999_later")
    elif harm == "foreign":
        manifest["format"] = "something else"
    else:  # a row points at one that is not there; the checksum is right
        import hashlib

        lines = members["tables/friend_tag.jsonl"].splitlines(keepends=True)
        row = json.loads(lines[0])
        row[1] = 999_999
        members["tables/friend_tag.jsonl"] = json.dumps(row).encode() + b"\n"
        table = manifest["tables"]["friend_tag"]
        table["rows"] = 1
        table["sha256"] = hashlib.sha256(members["tables/friend_tag.jsonl"]).hexdigest()
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_a_file_that_is_no_backup_is_refused_in_words(terminal: Shell, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.zip", tmp_path / "text"
    with zipfile.ZipFile(empty, "w"):
        pass
    text.write_text("hello")
    for file in (empty, text):
        done = terminal.flask("restore", str(file))
        assert done.code == 1
        assert "not" in done.err
    assert "No such file" in terminal.flask("restore", str(tmp_path / "none.zip")).err
    assert "is not a folder" in terminal.flask("backup", str(tmp_path / "no" / "x.zip")).err


def test_a_backup_sees_one_moment_while_the_shop_goes_on_writing(
    db: Any, config: Config, tmp_path: Path
) -> None:
    """Each writer's transaction adds a friend and a fact: a backup has as many of both."""
    stop = threading.Event()
    written = [0]

    def write() -> None:
        database.ensure_connection()
        while not stop.is_set():
            with database.atomic():
                friend = make_friend("新")
                Fact.create(friend_id=friend.id, kind="message", at=datetime.now(UTC))
            written[0] += 1
        database.db.close()

    for number in range(300):
        friend = make_friend(f"舊 {number}")
        Fact.create(friend_id=friend.id, kind="message", at=LONG_AGO)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            before = written[0]
            file = tmp_path / f"{number}.zip"
            write_backup(config, file, wall=datetime.now(UTC))
            with zipfile.ZipFile(file) as archive:
                tables = json.loads(archive.read("manifest.json"))["tables"]
            assert tables["friend"]["rows"] == tables["fact"]["rows"] >= 300 + before
            time.sleep(0.1)
    finally:
        stop.set()
        writer.join()
    assert written[0] > 3, "nothing was written meanwhile: this proves nothing"


def test_an_older_backup_stays_when_a_new_one_cannot_be_written(
    db: Any, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.zip"
    write_backup(config, file, wall=LONG_AGO)
    old = file.read_bytes()

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lineadmin.cli.backup._write_table", fail)
    with pytest.raises(OSError, match="No space"):
        write_backup(config, file, wall=LONG_AGO + timedelta(days=1))
    assert file.read_bytes() == old
    assert list(tmp_path.glob("*.part")) == []


def test_nobody_stays_signed_in_across_a_restore(
    db: Any, config: Config, terminal: Shell, tmp_path: Path
) -> None:
    from lineadmin.staff import sessions
    from lineadmin.staff.models import StaffSession

    staff: Staff = make_staff("owner")
    file = tmp_path / "shop.zip"
    terminal.flask("backup", str(file))
    sessions.start(staff, address="", browser="", wall=LONG_AGO)
    assert terminal.flask("restore", str(file), "--yes").code == 0
    database.ensure_connection()
    assert StaffSession.select().count() == 0
    assert Friend.select().count() == 0
