"""Bodies of pages, asked for ahead of time over a few connections that one thread keeps busy.

A page costs a third of what it costs by dlt's client. In return only plain answers are taken: for
any other, a retry or an error say, the page is to be asked for by dlt's client.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from analytics_assets.extract.pace import Pace
from analytics_assets.extract.session import RequestSettings, Signer, Traffic

if TYPE_CHECKING:
    import aiohttp


class Body(NamedTuple):
    """A page as it came.

    Args:
        content: the bytes, unpacked.
        status_code: the HTTP status.
        headers: by any case of their names.
    """

    content: bytes
    status_code: int
    headers: Mapping[str, str]


@dataclass
class Bodies:
    """Asks for pages, and gives their bodies in the order in which they were asked for.

    Args:
        pace: how fast the API may be asked.
        traffic: where requests are counted.
        settings: how long to wait.
        signer: signs requests anew; None if their headers stay the same.
        verify: whether, or by which file, to check certificates, as `requests` has it.
    """

    pace: Pace
    traffic: Traffic
    settings: RequestSettings
    signer: Signer | None
    verify: bool | str = True

    def __post_init__(self) -> None:
        """Start nothing yet."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: aiohttp.ClientSession | None = None
        self._asked: deque[asyncio.Task[Body | None]] = deque()

    def __len__(self) -> int:
        """Return how many pages are on their way."""
        return len(self._asked)

    def ask(self, request: requests.PreparedRequest, url: str) -> None:
        """Ask for a page.

        Args:
            request: one for another page, whose headers are used.
            url: this page's.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        self._asked.append(self._loop.create_task(self._fetch(request, url)))

    def take(self) -> Body | None:
        """Wait for the page that was asked for first; None if its answer is not a plain one."""
        assert self._loop is not None, "something was asked for"
        return self._loop.run_until_complete(self._asked.popleft())

    async def _fetch(self, request: requests.PreparedRequest, url: str) -> Body | None:
        import aiohttp
        from yarl import URL

        while wait := self.pace.try_to_start():
            await asyncio.sleep(wait)
        started = time.monotonic()
        try:
            if self._client is None:
                self._client = self._connect(url)
            if self.signer:
                self.signer(request)
            headers: Any = request.headers
            async with self._client.get(
                URL(url, encoded=True), headers=headers, allow_redirects=False
            ) as response:
                body = Body(await response.read(), response.status, response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
        finally:
            self.pace.end()
            self.traffic.add(time.monotonic() - started, None)
        self.pace.heed(body)
        return body if body.status_code == requests.codes.ok else None

    def _connect(self, url: str) -> "aiohttp.ClientSession":
        import aiohttp

        context: ssl.SSLContext | bool = False
        if self.verify and url.startswith("https"):
            given = self.verify if isinstance(self.verify, str) else DEFAULT_CA_BUNDLE_PATH
            context = ssl.create_default_context(cafile=given)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=self.settings.request_deadline,
                sock_connect=self.settings.request_timeout,
                sock_read=self.settings.request_timeout,
            ),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
        )

    def forget(self) -> None:
        """Drop what is on its way."""
        asked, self._asked = self._asked, deque()
        for task in asked:
            task.cancel()
        if self._loop and asked:
            self._loop.run_until_complete(asyncio.gather(*asked, return_exceptions=True))

    def close(self) -> None:
        """Leave no request, connection or thread behind."""
        if self._loop is None:
            return
        self.forget()
        if self._client:
            self._loop.run_until_complete(self._client.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self._loop = self._client = None


def is_in_an_event_loop() -> bool:
    """Tell whether this thread runs an event loop already, so that it cannot run another."""
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    return False
