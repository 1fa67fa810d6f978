"""One run of the server, in a thread with an event loop of its own."""

import asyncio
import os
import socket
import threading

import uvicorn

from analytics_assets.sandbox.connections import Connections


class ServerRun(uvicorn.Server):
    """One run of a server, from the bound socket to the joined thread.

    Args:
        listener: The bound socket; it is closed at the end.
        connections: The connections that the run is going to have.
        config: What uvicorn serves, and how.
    """

    def __init__(
        self, listener: socket.socket, connections: Connections, config: uvicorn.Config
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._pid = os.getpid()
        self._connections = connections
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._serve_forever, name="sandbox", daemon=True)

    def begin(self) -> None:
        """Start to serve, and return once connections are accepted.

        Raises:
            RuntimeError: The server did not come up.
        """
        self._thread.start()
        self._settled.wait()
        if self._loop is None:
            self._thread.join()
            raise RuntimeError("the embedded API did not start")

    def end(self) -> None:
        """Answer what was asked already, stop to serve, and return once the thread has ended.

        In a forked child, where the thread does not exist, only the child's socket is closed.
        """
        if self._pid == os.getpid():
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._connections.stop)
            self._thread.join()
        self._listener.close()

    def _serve_forever(self) -> None:
        try:
            self.run(sockets=[self._listener])
        finally:
            self._settled.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start up as uvicorn does, and say so.

        Args:
            sockets: The sockets to listen on.
        """
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._settled.set()

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        # Waits for the word to stop instead of looking for it ten times a second.
        while not await self.on_tick(0):
            if await self._connections.wait_for_stop(1):
                return
