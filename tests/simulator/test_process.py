"""The simulator as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time

from lineadmin.simulator.client import SimulatorClient


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def start(port, var_dir, **more):
    environment = {
        "PATH": os.environ["PATH"],
        "VAR_DIR": str(var_dir),
        "LINE_API_BASE": f"http://127.0.0.1:{port}",
        "SIMULATOR": "1",
        **more,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "lineadmin.simulator.serve"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_it_answers(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return SimulatorClient(f"http://127.0.0.1:{port}")
    raise AssertionError("it never answered")


def test_it_serves_until_a_signal_and_keeps_its_data(tmp_path):
    port = free_port()
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start(port, tmp_path)
        world = wait_until_it_answers(port)
        world.add_phone(number.name)
        process.send_signal(number)
        assert process.wait(10) == 0
        process.stderr.close()
    process = start(port, tmp_path)
    world = wait_until_it_answers(port)
    assert sorted(phone["name"] for phone in world.phones()) == ["SIGINT", "SIGTERM"]
    process.kill()
    process.wait()
    process.stderr.close()


def test_a_taken_port_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(taken.getsockname()[1], tmp_path)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "simulator:" in said


def test_it_runs_in_simulator_mode_only(tmp_path):
    process = start(
        free_port(),
        tmp_path,
        SIMULATOR="",
        SECRET_KEY="x" * 40,
        LINE_CHANNEL_ACCESS_TOKEN="token",
        LINE_CHANNEL_SECRET="secret",
    )
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "SIMULATOR" in said
