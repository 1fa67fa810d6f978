"""Settings of the warehouse: defaults, and numbers that are none."""

import pytest

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.settings import warehouse_settings


def test_a_setting_of_the_environment_replaces_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert warehouse_settings().lock_patience == 3600
    monkeypatch.setenv("LOCK_PATIENCE", "1.5")
    assert warehouse_settings().lock_patience == 1.5


@pytest.mark.parametrize(("name", "value"), [("LOCK_PATIENCE", "long"), ("HISTORY_DAYS", "-1")])
def test_a_setting_that_is_no_number_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WarehouseError, match=f"`{name.lower()}` cannot be '?{value}'?: give a num"):
        warehouse_settings()
