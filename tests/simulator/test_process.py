"""The simulator as a process of its own."""

import os
import signal
import socket
import subprocess
import sys

from lineadmin.simulator.client import SimulatorClient
from tests.cli.processes import wait_for
from tests.conftest import PATIENCE
from tests.services import free_port


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
    def answers():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return False
        return True

    assert wait_for(answers, PATIENCE)
    return SimulatorClient(f"http://127.0.0.1:{port}")


def test_it_serves_until_a_signal_and_keeps_its_data(tmp_path):
    port = free_port()
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start(port, tmp_path)
        world = wait_until_it_answers(port)
        world.add_phone(number.name)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
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
        _, said = process.communicate(timeout=PATIENCE)
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
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "SIMULATOR" in said
