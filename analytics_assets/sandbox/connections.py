"""The open connections of a server, so that one can be closed from within a request."""

import asyncio
import contextlib

from uvicorn.protocols.http.h11_impl import H11Protocol

Address = tuple[str, int]


class Connections:
    """The connections of one run of a server, by the address of the peer."""

    def __init__(self) -> None:
        self._transports: dict[Address, asyncio.Transport] = {}
        self._stopping = asyncio.Event()

    def abort(self, peer: Address) -> None:
        """Close a connection at once; what was not sent yet never is.

        Args:
            peer: The address of the peer.
        """
        if transport := self._transports.get(peer):
            transport.abort()

    def close(self, peer: Address) -> None:
        """Close a connection after what was written to it.

        Args:
            peer: The address of the peer.
        """
        if transport := self._transports.get(peer):
            transport.close()

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server runs.

        Args:
            seconds: How long to wait.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def wait_for_stop(self, seconds: float) -> bool:
        """Wait for the server to be told to stop.

        Args:
            seconds: How long to wait at most.

        Returns:
            Whether it was told to.
        """
        await self.pause(seconds)
        return self._stopping.is_set()

    def stop(self) -> None:
        """Tell the server to stop. Call it in the server's event loop."""
        self._stopping.set()

    def protocol(self) -> type[H11Protocol]:
        """Make the HTTP protocol of a server whose connections these are.

        Returns:
            The class of which uvicorn makes one instance per connection.
        """
        transports = self._transports

        class RememberedProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return RememberedProtocol
