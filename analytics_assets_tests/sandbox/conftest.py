from collections.abc import Iterator
from datetime import date

import pytest

from analytics_assets.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(today=date(2026, 3, 10)) as running:
        yield running
