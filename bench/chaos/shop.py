"""A shop whose web and worker processes may be killed, on an empty database and a pretend LINE."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bench import line
from lineadmin import config as configuration
from lineadmin import db as database
from lineadmin import migrate
from lineadmin.broadcasts import confirm as confirming
from lineadmin.broadcasts.models import Broadcast
from lineadmin.cli.processes import command_of
from lineadmin.config import Config, load_config
from lineadmin.friends.models import FRIEND, Friend, FriendTag, Tag
from lineadmin.outbox import phase
from lineadmin.outbox.models import Shipment, ShipmentState
from tests.services import free_port

ROOT = Path(__file__).parent.parent.parent
AIM_SECONDS = 2.0


class Shop:
    """Its processes, and what they were doing when they died."""

    def __init__(self, url: str, folder: Path, chance: random.Random) -> None:
        self.url = url
        self.folder = folder
        self.port, self.line_port = free_port(), free_port()
        self.environ = {
            "SECRET_KEY": "the-secret-key-of-the-crash-test",
            "DATABASE_URL": url,
            "VAR_DIR": str(folder),
            "PORT": str(self.port),
            "LINE_CHANNEL_SECRET": line.SECRET,
            "LINE_CHANNEL_ACCESS_TOKEN": line.TOKEN,
            "LINE_API_BASE": f"http://127.0.0.1:{self.line_port}",
            "LINE_DATA_API_BASE": f"http://127.0.0.1:{self.line_port}",
            "PUBLIC_URL": "https://shop.example",
        }
        self.config: Config = load_config(self.environ)
        self.webhook_url = f"http://127.0.0.1:{self.port}/webhook"
        self._chance = chance
        self._phase_file = folder / "phase"
        self._log = (folder / "log").open("ab")
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._left_flying: dict[int, int] = {}  # shipment -> its fence when its holder died

    def open(self) -> None:
        """An empty database with today's tables."""
        self._phase_file.write_bytes(b"0" * len(phase.NAMES))
        configuration.use(self.config)
        database.open_database(self.url)
        migrate.migrate()

    def close(self) -> None:
        """End whatever runs."""
        for role in list(self._children):
            self.kill(role)
        database.db.close()
        self._log.close()

    # Friends and broadcasts -------------------------------------------------------------------

    @staticmethod
    def add_friends(user_ids: Sequence[str], *, tag: str, now: datetime) -> None:
        """Friends with a name and a tag."""
        tag_id = Tag.create(name=tag, created_at=now).id
        with database.atomic():
            for start in range(0, len(user_ids), 500):
                some = user_ids[start : start + 500]
                Friend.insert_many(
                    {
                        "line_user_id": user_id,
                        "display_name": name_of(user_id),
                        "status": FRIEND,
                        "first_seen_at": now,
                    }
                    for user_id in some
                ).execute()
                rows = Friend.select(Friend.id).where(Friend.line_user_id.in_(some))
                FriendTag.insert_many(
                    [{"friend": row.id, "tag": tag_id, "at": now} for row in rows]
                ).execute()

    def confirm(self, draft: Broadcast, now: datetime) -> None:
        """Let it leave, as staff would."""
        confirming.confirm_broadcast(
            draft.id,
            version=draft.version,
            staff=None,
            now=now,
            wall=now,
            public_url=self.config.public_url,
        )

    # Processes -------------------------------------------------------------------------------

    def start(self, role: str) -> None:
        """Run the web or the worker process."""
        environ = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
        }
        environ |= self.environ
        if role == "worker":
            environ[phase.VARIABLE] = str(self._phase_file)
        self._children[role] = subprocess.Popen(
            command_of(role),
            cwd=ROOT,
            env=environ,
            start_new_session=True,
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self, role: str) -> None:
        """kill -9, if it runs."""
        child = self._children.pop(role, None)
        if child is not None:
            # The whole group: gunicorn's own worker must not outlive it.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def expect_running(self, role: str) -> None:
        """
        :raises RuntimeError: it ended by itself
        """
        if self._children[role].poll() is not None:
            raise RuntimeError(f"the {role} ended by itself; see {self.folder}/log")

    def kill_worker(self, aim: str | None, *, seconds: float = AIM_SECONDS) -> set[str]:
        """kill -9, when `aim` is what it is doing, after a while without that anyway.

        What it was killed in.
        """
        pid = self._children["worker"].pid
        until = time.monotonic() + (seconds if aim else 0)
        while aim is not None and time.monotonic() < until:
            # Frozen, so that what is read is what it is killed in.
            os.kill(pid, signal.SIGSTOP)
            self._wait_until_frozen(pid)
            if aim in self.phases():
                break
            os.kill(pid, signal.SIGCONT)
            time.sleep(self._chance.uniform(0, 0.002))
        self.kill("worker")
        within = self.phases()
        self._phase_file.write_bytes(b"0" * len(phase.NAMES))
        return within

    def phases(self) -> set[str]:
        """What the worker is doing this moment."""
        marks = self._phase_file.read_bytes()
        return {
            name for place, name in enumerate(phase.NAMES) if marks[place : place + 1] == phase.BUSY
        }

    @staticmethod
    def _wait_until_frozen(pid: int) -> None:
        stat = Path(f"/proc/{pid}/stat")
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            try:
                if stat.read_text().rpartition(")")[2].split()[0] in "Tt":
                    return
            except OSError:
                return

    # Leases ----------------------------------------------------------------------------------

    def note_left_flying(self) -> bool:
        """Remember the shipments whose holder has just died; whether there were any."""
        flying = Shipment.select(Shipment.id, Shipment.fence).where(
            Shipment.state == int(ShipmentState.FLYING)
        )
        found = {row.id: row.fence for row in flying}
        self._left_flying |= found
        return bool(found)

    def count_taken_back(self) -> int:
        """Leases of the dead that somebody else has held since this was last asked."""
        taken = 0
        ids = list(self._left_flying)
        for start in range(0, len(ids), 500):
            rows = Shipment.select(Shipment.id, Shipment.fence).where(
                Shipment.id.in_(ids[start : start + 500])
            )
            for row in rows:
                if row.fence > self._left_flying[row.id]:
                    del self._left_flying[row.id]
                    taken += 1
        return taken


def name_of(user_id: str) -> str:
    """The name a phone's owner is given."""
    return f"友{user_id[-12:]}"
