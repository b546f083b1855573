"""The pretend LINE as a process of its own: `python -m lineadmin.simulator.serve`."""

import logging
import sys

from lineadmin.config import load_config
from lineadmin.errors import ConfigError
from lineadmin.family import end_with_supervisor
from lineadmin.simulator.server import serve


def main() -> int:
    """Serve until a signal, or until the supervisor is gone; the exit code."""
    end_with_supervisor()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = load_config()
        if not config.simulator:
            raise ConfigError("SIMULATOR", "is needed to run the simulator")
        serve(config)
    except (ConfigError, OSError) as error:
        print(f"simulator: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
