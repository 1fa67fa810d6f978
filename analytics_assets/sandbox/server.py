"""The server: the API on a port of this machine, with a start and a stop."""

import socket
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Self

import uvicorn

from analytics_assets.sandbox.app import TOKEN_PATH, AnalyticsApi
from analytics_assets.sandbox.oauth import ExpiryField, TokenEndpoint
from analytics_assets.sandbox.rows import Row, sandbox_rows
from analytics_assets.sandbox.selection import DEFAULT_LIMIT
from analytics_assets.sandbox.server_thread import ServerThread
from analytics_assets.sandbox.token_request import ClientAuthentication

_HOST = "127.0.0.1"
_Today = date | Callable[[], date] | None


class Sandbox:
    """An analytics API on 127.0.0.1, which runs from ``start`` to ``stop`` or in a ``with`` block.

    Args:
        today: The day that the data is as of, or a function that returns it; the current UTC day
            by default.
        port: The port to listen on; 0 takes a free one.
        client_id: The OAuth2 client's id.
        client_secret: The OAuth2 client's secret.
        lifetime: Seconds for which a token is valid.
        expiry_field: The field of a token response that states the expiry.
        client_authentication: The methods by which clients may authenticate.
        refresh_token: The refresh token that is accepted at first.
        rotate_refresh_tokens: Each refresh replaces the refresh token.
        public_key: PEM that verifies the client's assertions.
        page_cap: The most rows that a page has, whatever limit is asked for.
    """

    def __init__(
        self,
        *,
        today: _Today = None,
        port: int = 0,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107 - it guards made-up data only
        lifetime: float = 3600,
        expiry_field: ExpiryField = "expires_in",
        client_authentication: Collection[ClientAuthentication] = ("form", "basic", "json"),
        refresh_token: str | None = None,
        rotate_refresh_tokens: bool = False,
        public_key: str | None = None,
        page_cap: int = DEFAULT_LIMIT,
    ) -> None:
        self.tokens = TokenEndpoint(
            client_id=client_id,
            client_secret=client_secret,
            lifetime=lifetime,
            expiry_field=expiry_field,
            client_authentication=client_authentication,
            refresh_token=refresh_token,
            rotate_refresh_tokens=rotate_refresh_tokens,
            public_key=public_key,
        )
        self.application = AnalyticsApi(
            rows=self.rows, tokens=self.tokens, page_cap=page_cap
        ).application()
        self._today = today
        self._port = port
        self._lock = threading.Lock()
        self._thread: ServerThread | None = None

    def rows(self, resource: str) -> Sequence[Row]:
        """Return the rows of a resource as of today; a subclass may serve other ones.

        Args:
            resource: The last part of the path.

        Returns:
            The rows in the order of the pages; they are not to be changed.

        Raises:
            KeyError: There is no such resource.
        """
        return sandbox_rows(resource, self.today)

    @property
    def base_url(self) -> str:
        """The URL of the API, without a slash at the end.

        Raises:
            RuntimeError: The server is not running.
        """
        thread = self._thread
        if thread is None:
            raise RuntimeError("the embedded API is not running")
        return f"http://{_HOST}:{thread.config.port}"

    @property
    def token_url(self) -> str:
        """The URL of the token endpoint."""
        return f"{self.base_url}{TOKEN_PATH}"

    @property
    def client_id(self) -> str:
        """The OAuth2 client's id."""
        return self.tokens.client_id

    @property
    def client_secret(self) -> str:
        """The OAuth2 client's secret."""
        return self.tokens.client_secret

    @property
    def today(self) -> date:
        """The day that the data is as of. Set it to move the clock; None is the real one."""
        given = self._today
        if given is None:
            return datetime.now(UTC).date()
        return given if isinstance(given, date) else given()

    @today.setter
    def today(self, today: _Today) -> None:
        self._today = today

    def start(self) -> None:
        """Start the server, and return once it accepts connections.

        Raises:
            RuntimeError: It runs already.
            OSError: The port is taken.
        """
        with self._lock:
            if self._thread is not None:
                raise RuntimeError("the embedded API is running already")
            listener = _listener(self._port)
            thread = ServerThread(listener, self._config(listener))
            try:
                thread.start()
            except RuntimeError:
                listener.close()
                raise
            self._thread = thread

    def stop(self) -> None:
        """Stop the server, and return once its port is free. Without effect if it is stopped."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                thread.stop()

    def close_in_child(self) -> None:
        """Close a forked child's copy of a server that keeps running in its parent."""
        # Another thread of the parent may have held the lock while it forked.
        self._lock = threading.Lock()
        self.stop()

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    def _config(self, listener: socket.socket) -> uvicorn.Config:
        return uvicorn.Config(
            self.application,
            host=_HOST,
            port=listener.getsockname()[1],
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            # Logging is configured by the program that runs in the process.
            log_config=None,
            log_level="warning",
            access_log=False,
            # Longer than a client keeps an idle connection between two requests.
            timeout_keep_alive=60,
            timeout_graceful_shutdown=5,
        )


def _listener(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, each answer
    # would wait for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A port can be bound again while closed connections to it linger.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError:
        listener.close()
        raise
    return listener
