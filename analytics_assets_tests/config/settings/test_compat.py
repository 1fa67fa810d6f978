"""Private behaviour of dlt that the look-up of settings works around."""

import pytest
from dlt.common.configuration.utils import TraceLogContext, get_resolved_traces

from analytics_assets.config.settings.compat import forget_looked_up_values
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
