"""Settings of the warehouse: defaults, and numbers that are none."""

import pytest

from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.settings import dataset_of, warehouse_settings


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


@pytest.mark.parametrize(
    ("settings", "dataset"),
    [
        ({}, "shop"),
        ({"DATASET_NAME": "web"}, "web"),
        ({"DATASET_NAME": "web", "SOURCES__SHOP__DATASET_NAME": "sales"}, "sales"),
        ({"DATASET_NAME": "web", "SOURCES__OTHER__DATASET_NAME": "sales"}, "web"),
        ({"DATASET_NAME": ""}, "shop"),
        ({"DATASET_NAME": "web", "SOURCES__SHOP__DATASET_NAME": " "}, "web"),
        ({"DATASET_NAME": "Web Data"}, "web_data"),
    ],
)
def test_each_api_has_a_dataset_unless_settings_name_another(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], dataset: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert dataset_of("shop") == dataset


def test_an_empty_destination_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", "")
    assert warehouse_settings().destination_type == "duckdb"
