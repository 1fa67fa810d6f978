"""Dates by which APIs mean "ever": the ends of the calendar."""

from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.load import Full, Incremental, Load
from analytics_assets.orchestration.metadata.names import (
    NEWEST_DATA,
)
from analytics_assets_tests.support.loading import failures_of, load, metadata_of
from analytics_assets_tests.support.orders import orders_api

NEWEST = {"params": {"sort": "-updated_at"}, "field": "updated_at"}
FIRST, LAST = "0001-01-01", "9999-12-31"
ROWS = [
    {"id": number, "day": day, "updated_at": f"{day}T{clock}Z"}
    for number, (day, clock) in enumerate([(FIRST, "00:00:00"), (LAST, "23:59:59.999999")])
]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("how", [Full(), Incremental(initial_value="2026-01-01")])
def test_a_table_with_the_first_and_the_last_day_is_loaded_and_checked_again_and_again(
    how: Load, serve: Any, instance: dg.DagsterInstance
) -> None:
    serve(ROWS)
    api = orders_api(load=how, date_column="day", newest=NEWEST)

    for _ in range(2):
        result = load(instance, "orders", api=api)
        assert failures_of(result) == {}
        failed = {
            each.check_name: each.description
            for each in result.get_asset_check_evaluations()
            if not each.passed
        }
        assert failed.keys() <= {"newest_data", "cursor"}, failed
        assert failed["newest_data"] == "The newest `day` is 9999-12-31, which is in the future."
    assert metadata_of(result, "orders", api)[NEWEST_DATA] == LAST
