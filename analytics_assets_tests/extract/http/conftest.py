import secrets
from collections.abc import Callable, Iterator

import pytest

from analytics_assets_tests.conftest import TODAY
from analytics_assets_tests.extract.http.overview import PATH
from analytics_assets_tests.support.sandbox import Sandbox
from analytics_assets_tests.support.token_server import statuses


class FakeClock:
    """Seconds that pass by sleeping alone."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="package")
def shared_api() -> Iterator[Sandbox]:
    with Sandbox(today=TODAY, client_id=secrets.token_hex(8)) as running:
        yield running


@pytest.fixture
def api(shared_api: Sandbox) -> Iterator[Sandbox]:
    """The embedded API that the tests of this folder share, without faults before and after."""
    yield shared_api
    shared_api.faults.clear()


@pytest.fixture
def answered(api: Sandbox) -> Callable[[], list[int | None]]:
    """Returns the statuses of the test's own requests so far."""
    before = len(statuses(api, PATH))
    return lambda: statuses(api, PATH)[before:]
