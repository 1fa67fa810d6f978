"""The days for which the history keeps runs."""

import pytest

from analytics_assets.config.errors import SettingsError
from analytics_assets.config.settings.history import run_days


@pytest.mark.parametrize("days", ["-1", "6", "soon"])
def test_a_number_of_days_that_alerts_would_miss_is_refused(
    monkeypatch: pytest.MonkeyPatch, days: str
) -> None:
    monkeypatch.setenv("HISTORY__RUN_DAYS", days)
    with pytest.raises(SettingsError, match=r"`history\.run_days` cannot be"):
        run_days()


@pytest.mark.parametrize("days", ["0", "7"])
def test_runs_are_kept_for_ever_or_a_week_at_least(
    monkeypatch: pytest.MonkeyPatch, days: str
) -> None:
    monkeypatch.setenv("HISTORY__RUN_DAYS", days)
    assert run_days() == int(days)
