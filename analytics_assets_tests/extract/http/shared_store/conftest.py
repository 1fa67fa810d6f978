"""Processes that share a store, within one process: each has its own connection and keeper."""

from collections.abc import Callable, Iterator

import pytest

from analytics_assets.config.settings.request import LimitSettings
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.shared_store.process import SharedState

HOST = "api.example.com"
Process = Callable[..., RateLimit]


@pytest.fixture
def states(postgres_url: str) -> Iterator[Callable[[], SharedState]]:
    """Make the part of a further process in a shared store."""
    made: list[SharedState] = []

    def start() -> SharedState:
        made.append(SharedState(postgres_url))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def process(states: Callable[[], SharedState]) -> Process:
    """Start a further process, with some limits on requests to the same API."""

    def start(in_flight: int | None = None, per_second: float | None = None) -> RateLimit:
        settings = LimitSettings()
        settings.max_in_flight, settings.max_per_second = in_flight, per_second
        return RateLimit(settings, 60, shared=states().limit(HOST, settings))

    return start
