"""PostgreSQL and Redis for one test run: private, on free ports, gone when the run ends."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 120
STOP_SECONDS = 60
# Below the ports the system hands to callers: none of the thousands of calls takes one meanwhile.
PORTS = range(12_000, 32_000)
INITDB_OPTIONS = ("-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
# Durability costs time and a test database has no tomorrow.
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "500",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
POSTGRES_OPTIONS = [
    part for name, value in POSTGRES_SETTINGS.items() for part in ("-c", f"{name}={value}")
]

_given: set[int] = set()


def postgres_programs() -> Path | None:
    """The folder with initdb and postgres, newest version first."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4])
    )
    return found[-1].parent if found else None


@contextmanager
def postgres() -> Iterator[str]:
    """A throw-away PostgreSQL server; yields its URL. Never as root, which it refuses."""
    programs = postgres_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="lineadmin-pg-"))
    account = _plain_account()
    if account is not None:
        shutil.chown(folder, account.pw_uid, account.pw_gid)
    port = free_port()
    data = folder / "data"
    _run(
        [programs / "initdb", "-D", data, "-U", "lineadmin", *INITDB_OPTIONS],
        account,
        folder,
    )
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), "-k", folder, *POSTGRES_OPTIONS],
        user=None if account is None else account.pw_uid,
        group=None if account is None else account.pw_gid,
        extra_groups=None if account is None else [],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("w"),
    )
    try:
        _wait_for_port(port, server, folder / "log")
        yield f"postgresql://lineadmin@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(STOP_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis() -> Iterator[str]:
    """A throw-away Redis server that keeps nothing; yields its URL."""
    program = shutil.which("redis-server")
    assert program is not None
    port = free_port()
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        cwd=tempfile.gettempdir(),
    )
    try:
        _wait_for_port(port, server, None)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(STOP_SECONDS)


def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody has right now, and no caller is given by the system."""
    while True:
        port = secrets.choice(PORTS)
        if port in _given:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port


def _plain_account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no account to run it as")


def _run(command: list[object], account: pwd.struct_passwd | None, folder: Path) -> None:
    subprocess.run(
        [str(part) for part in command],
        check=True,
        stdout=subprocess.DEVNULL,
        user=None if account is None else account.pw_uid,
        group=None if account is None else account.pw_gid,
        extra_groups=None if account is None else [],
        cwd=folder,
    )


def _wait_for_port(port: int, server: subprocess.Popen[bytes], log: Path | None) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    words = log.read_text()[-2000:] if log is not None and log.exists() else ""
    raise RuntimeError(f"a test service did not start: {server.args!r}\n{words}")
