"""An instance with leases: one with its history on disk."""

from collections.abc import Iterator

import dagster as dg
import pytest

from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets_tests.support.loading import history_in


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance for the tests of a module, as to make its files takes a second."""
    with history_in(tmp_path_factory.mktemp("history")) as instance:
        yield instance


@pytest.fixture
def instance(history: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """The same, without leases."""
    yield history
    table = LeaseTable(history)
    table.remove(table.read().keys())


@pytest.fixture
def table(instance: dg.DagsterInstance) -> LeaseTable:
    """The leases of the instance."""
    return LeaseTable(instance)
