"""Private behaviour of dlt that the look-up of settings works around."""

import pytest
from dlt.common.configuration.utils import TraceLogContext, get_resolved_traces
from dlt.destinations.impl.postgres.configuration import PostgresCredentials

from analytics_assets.config.settings.compat import PostgresUrl, forget_looked_up_values
from analytics_assets.config.settings.history import run_days


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_dlt_keeps_each_value_that_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, is_forgotten: bool
) -> None:
    monkeypatch.setattr(TraceLogContext, "logging_enabled", True)
    get_resolved_traces().clear()
    if is_forgotten:
        forget_looked_up_values()
    for _ in range(3):
        assert run_days() == 90
    assert bool(get_resolved_traces().all_traces) is not is_forgotten


def test_dlt_hands_the_driver_in_a_url_to_libpq() -> None:
    """If this fails, dlt does so no more, and `PostgresUrl` may read URLs as dlt does."""
    for kind, scheme in ((PostgresCredentials, "postgresql+psycopg2"), (PostgresUrl, "postgresql")):
        credentials = kind()
        credentials.parse_native_representation("postgresql+psycopg2://loader@db.test/warehouse")
        assert credentials.to_native_representation().startswith(f"{scheme}://loader@db.test:5432/")
