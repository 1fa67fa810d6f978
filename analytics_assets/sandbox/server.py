"""The server: the API on a port of this machine, started and stopped at will."""

import socket
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Self

import uvicorn

from analytics_assets.sandbox.app import TOKEN_PATH, AnalyticsApi
from analytics_assets.sandbox.connections import Connections
from analytics_assets.sandbox.faults import Faults
from analytics_assets.sandbox.interception import Interception
from analytics_assets.sandbox.journal import Journal, RequestRecord
from analytics_assets.sandbox.oauth import ExpiryField, TokenEndpoint
from analytics_assets.sandbox.rows import Row
from analytics_assets.sandbox.run import ServerRun
from analytics_assets.sandbox.selection import DEFAULT_LIMIT
from analytics_assets.sandbox.token_request import ClientAuthentication

_HOST = "127.0.0.1"
_Today = date | Callable[[], date] | None


class Sandbox:
    """An analytics API on 127.0.0.1, which runs from ``start`` to ``stop`` or in a ``with`` block.

    Args:
        today: The day that the data is as of, or what tells it; the current UTC day by default.
        port: The port to listen on; 0 takes a free one.
        client_id: The OAuth2 client's id.
        client_secret: The OAuth2 client's secret.
        lifetime: Seconds for which a token is valid.
        expiry_field: How the token endpoint tells the expiry.
        client_authentication: How clients may authenticate.
        refresh_token: The refresh token that is accepted at first.
        rotate_refresh_tokens: Each refresh replaces the refresh token.
        public_key: PEM that verifies the client's assertions.
        extra_rows: Rows of further resources by name, served under ``/v1/`` as they are.
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
        extra_rows: Mapping[str, Sequence[Row]] | None = None,
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
        self.faults = Faults()
        self._journal = Journal()
        self._today = today
        self._port = port
        self._extra_rows = dict(extra_rows or {})
        self._page_cap = page_cap
        self._lock = threading.Lock()
        self._run: ServerRun | None = None

    @property
    def base_url(self) -> str:
        """Where the API is reached, without a slash at the end.

        Raises:
            RuntimeError: The server is not running.
        """
        run = self._run
        if run is None:
            raise RuntimeError("the embedded API is not running")
        return f"http://{_HOST}:{run.config.port}"

    @property
    def token_url(self) -> str:
        """Where tokens are requested."""
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

    @property
    def requests(self) -> list[RequestRecord]:
        """The latest requests, oldest first."""
        return self._journal.records()

    def start(self) -> None:
        """Start the server, and return once it accepts connections.

        Raises:
            RuntimeError: It runs already.
            OSError: The port is taken.
        """
        with self._lock:
            if self._run is not None:
                raise RuntimeError("the embedded API is running already")
            listener = _listener(self._port)
            run = self._prepared_run(listener)
            try:
                run.begin()
            except RuntimeError:
                listener.close()
                raise
            self._run = run

    def stop(self) -> None:
        """Stop the server, and return once its port is free. Without effect if it is stopped."""
        with self._lock:
            run, self._run = self._run, None
            if run is not None:
                run.end()

    def forget_run(self) -> None:
        """Let go of a server that runs in the parent process; for a forked child to call."""
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

    def _prepared_run(self, listener: socket.socket) -> ServerRun:
        port: int = listener.getsockname()[1]
        connections = Connections()
        api = AnalyticsApi(
            base_url=f"http://{_HOST}:{port}",
            today=lambda: self.today,
            tokens=self.tokens,
            faults=self.faults,
            extra_rows=self._extra_rows,
            page_cap=self._page_cap,
        )
        config = uvicorn.Config(
            Interception(
                api.application(),
                journal=self._journal,
                faults=self.faults,
                tokens=self.tokens,
                connections=connections,
            ),
            host=_HOST,
            port=port,
            http=connections.protocol(),
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            # Logging is configured by whoever runs the process.
            log_config=None,
            log_level="warning",
            access_log=False,
            # Connections are found by the peer's address, which no header may replace.
            proxy_headers=False,
            # Longer than a client keeps an idle connection between two requests.
            timeout_keep_alive=60,
            timeout_graceful_shutdown=5,
        )
        return ServerRun(listener, connections, config)


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
