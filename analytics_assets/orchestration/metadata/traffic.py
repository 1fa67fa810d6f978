"""Metadata of the requests of a load."""

from typing import Any

from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.orchestration.metadata.names import (
    API,
    BYTES_RECEIVED,
    REQUESTS,
    RETRIES,
    SECONDS_WAITING,
)


def traffic_metadata(connection: Connection, before: Traffic) -> dict[str, Any]:
    """Return the number of requests, the seconds of waiting for them, and the bytes received.

    Args:
        connection: the connection of the load.
        before: its traffic before the load.
    """
    traffic = connection.traffic
    return {
        API: "embedded API" if connection.settings.embedded else connection.settings.base_url,
        REQUESTS: traffic.requests - before.requests,
        RETRIES: traffic.retries - before.retries,
        SECONDS_WAITING: round(traffic.seconds_waiting - before.seconds_waiting, 3),
        BYTES_RECEIVED: traffic.bytes_received - before.bytes_received,
    }
