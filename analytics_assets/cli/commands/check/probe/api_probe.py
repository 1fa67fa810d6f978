"""The probe of an API: its resources one after another, and bursts of requests once."""

from collections.abc import Iterator, Mapping
from typing import Any

from analytics_assets.cli.commands.check.probe.bursts import probe_bursts
from analytics_assets.cli.commands.check.probe.page_limit import (
    ThrottledError,
    has_more,
    probe_page_limit,
    rows_of,
)
from analytics_assets.cli.commands.check.probe.total import probe_total
from analytics_assets.config.settings.request import resolve_limits
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.paging.read_sample import ReadSample

MOST_REQUESTS = 60  # to an API; the bursts take at most 31 more


class ApiProbe:
    """Probes the resources of an API.

    Args:
        api: the API.

    Attributes:
        requests: the number of requests that were sent.
    """

    def __init__(self, api: str) -> None:
        self.api = api
        self.requests = 0
        self._is_stopped = self._has_bursts = False

    def lines(
        self,
        resource: Resource,
        connection: Connection,
        first: ReadSample,
        params: Mapping[str, Any],
    ) -> Iterator[str]:
        """Yield what is found about a resource, and once about the API.

        Args:
            resource: the resource.
            connection: sends the requests.
            first: its first two pages.
            params: the parameters of its window, or of its cursor.
        """
        if self._is_stopped:
            yield "not probed, as the API asked for fewer requests"
            return
        if self.requests >= MOST_REQUESTS:
            yield f"not probed, after {self.requests} requests to the API; name it to probe it"
            return
        sent = connection.traffic.requests
        try:
            yield from self._lines(resource, connection, first, params)
        except ThrottledError:
            self._is_stopped = True
            yield (
                "the API asked for fewer requests (429 or 503), and the probe ended. Write "
                f"`max_per_second` below `[sources.{self.api}.reading]` in .dlt/config.toml"
            )
        self.requests += connection.traffic.requests - sent

    def _lines(
        self,
        resource: Resource,
        connection: Connection,
        first: ReadSample,
        params: Mapping[str, Any],
    ) -> Iterator[str]:
        if not rows_of(first):
            yield "not probed, as it has no rows"
            return
        yield from probe_page_limit(resource, connection, params, first)
        yield from probe_total(resource, connection, params, first)
        if has_more(first) and not self._has_bursts:
            self._has_bursts = True
            most = resolve_limits(self.api, resource.name).in_flight
            lines, self._is_stopped = probe_bursts(connection, self.api, first, most)
            yield from lines
