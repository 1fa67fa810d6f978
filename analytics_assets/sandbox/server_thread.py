"""One run of the server, in a thread with an event loop of its own."""

import asyncio
import contextlib
import os
import socket
import threading

import uvicorn


class ServerThread(uvicorn.Server):
    """One run of a server, from the bound socket to the joined thread.

    Args:
        listener: The bound socket; it is closed at the end.
        config: The application, and uvicorn's settings.
    """

    def __init__(self, listener: socket.socket, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._listener = listener
        self._pid = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._serve_forever, name="sandbox", daemon=True)

    def start(self) -> None:
        """Start to serve, and return once connections are accepted.

        Raises:
            RuntimeError: The server did not start.
        """
        self._thread.start()
        self._settled.wait()
        if self._loop is None:
            self._thread.join()
            raise RuntimeError("the embedded API did not start")

    def stop(self) -> None:
        """Answer the requests that have arrived, and return once the thread has ended.

        In a forked child, where the thread does not exist, only the child's socket is closed.
        """
        if self._pid == os.getpid():
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._listener.close()

    def _serve_forever(self) -> None:
        try:
            self.run(sockets=[self._listener])
        finally:
            self._settled.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start up as uvicorn does, then release the thread that waits in ``start``.

        Args:
            sockets: The sockets to listen on.
        """
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._settled.set()

    async def main_loop(self) -> None:
        """Serve until ``stop`` is called."""
        # uvicorn's own loop looks ten times a second; this one is woken.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1)
                return
