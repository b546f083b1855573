"""The simulator as a process, and as an object inside a test.

``serve(config)`` runs until SIGTERM or SIGINT; ``Simulator(...)`` starts and stops in-process.
"""

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType

from lineadmin.config import Config
from lineadmin.simulator.client import SimulatorClient
from lineadmin.simulator.control import Control
from lineadmin.simulator.line_api import LineApi
from lineadmin.simulator.phones import People
from lineadmin.simulator.routes import routes
from lineadmin.simulator.webhooks import LINE_WAITS_SECONDS, Webhooks
from lineadmin.simulator.wire import Request, Response, WireServer
from lineadmin.simulator.world import World

logger = logging.getLogger(__name__)

DEFAULT_CHANNEL_ID = "1650000000"
PRUNE_SECONDS = 60


class Simulator:
    """A whole pretend LINE on a loopback port (0 = a free one).

    ``client`` is a client of its control API. ``webhook_url`` is where the panel really listens;
    the address registered with LINE starts as ``https://demo.invalid/webhook`` and leads there.
    ``on_request`` is called after every LINE request with the request and its answer (None when
    the connection was dropped).
    """

    def __init__(
        self,
        port: int = 0,
        *,
        webhook_url: str | None = None,
        channel_secret: str = "simulated-secret",  # noqa: S107 - of a pretend channel
        access_token: str = "simulated-token",  # noqa: S107
        channel_id: str = DEFAULT_CHANNEL_ID,
        data: str = ":memory:",
        seed: int | None = None,
        control_token: str | None = None,
        webhook_timeout_seconds: float = LINE_WAITS_SECONDS,
        on_request: Callable[[Request, Response | None], None] | None = None,
    ) -> None:
        self.world = World(
            channel_id=channel_id,
            channel_secret=channel_secret,
            access_token=access_token,
            webhook_url=webhook_url,
            data=data,
            seed=seed,
        )
        self.webhooks = Webhooks(self.world, timeout_seconds=webhook_timeout_seconds)
        self.people = People(self.world, self.webhooks)
        self.api = LineApi(self.world, self.webhooks, routes(), on_request)
        self._control = Control(self.world, self.webhooks, self.people, control_token)
        self._control_token = control_token
        self.client = SimulatorClient("")
        self._wire = WireServer(self._answer, port=port)
        self._stopped = threading.Event()

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return self._wire.port

    @property
    def base_url(self) -> str:
        """LINE_API_BASE, and LINE_DATA_API_BASE, for the panel."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Simulator":
        """Listen; returns itself.

        :raises OSError: the port is taken
        """
        self._stopped.clear()
        self.world.store.start()
        self.webhooks.start()
        self._wire.start()
        self.client = SimulatorClient(self.base_url, self._control_token)
        threading.Thread(target=self._housekeep, daemon=True).start()
        return self

    def stop(self) -> None:
        """Hang up on everyone and write the state down."""
        self._stopped.set()
        self._wire.stop()
        self.webhooks.stop()
        self.world.store.stop()

    def __enter__(self) -> "Simulator":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def set_webhook_url(self, url: str | None) -> None:
        """Say where the panel really listens, when that is known only later."""
        self.world.set_webhook_url(url)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/sim/"):
            return self._control(request)
        return self.api(request)

    def _housekeep(self) -> None:
        while not self._stopped.wait(PRUNE_SECONDS):
            self.world.prune()


def serve(config: Config) -> None:
    """Run the demo's LINE at ``LINE_API_BASE`` until SIGTERM or SIGINT; its data in VAR_DIR."""
    simulator = Simulator(
        config.simulator_port,
        webhook_url=f"{config.panel_url}/webhook",
        channel_secret=config.line_channel_secret or "",
        access_token=config.line_channel_access_token or "",
        channel_id=config.line_channel_id or DEFAULT_CHANNEL_ID,
        data=str(config.simulator_data),
    )
    done = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    simulator.start()
    logger.info("simulator listening on %s", simulator.base_url)
    done.wait()
    simulator.stop()
