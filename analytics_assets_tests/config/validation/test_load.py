"""Loads that contradict the entry of their resource are refused."""

from datetime import date
from typing import Any

import dlt
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Full, Incremental, Load, Partitioned

BY_DAY = Partitioned(start=date(2026, 1, 1))
CHANGED_ROWS = Incremental(initial_value="2026-01-01")
CURSOR = {"cursor_path": "day", "initial_value": "2026-01-01", "start_param": "from"}


def api_of(load: Load, entry: Any = None, **policy: Any) -> Api:
    merged = {"name": "orders", "primary_key": "id", "write_disposition": "merge"}
    config = {
        "client": {"base_url": "https://api.example.com"},
        "resources": [entry or merged],
    }
    return Api(name="shop", config=config, policies={"orders": {"load": load, **policy}})  # type: ignore[typeddict-item]


@pytest.mark.parametrize("load", [Full(), BY_DAY, CHANGED_ROWS])
def test_a_merged_resource_takes_each_kind_of_load(load: Load) -> None:
    assert api_of(load).resources["orders"].policy.load == load


@pytest.mark.parametrize("load", [BY_DAY, CHANGED_ROWS])
@pytest.mark.parametrize(
    "disposition", ["append", "replace", {"disposition": "merge", "strategy": "scd2"}]
)
def test_a_load_of_a_part_of_the_rows_needs_a_merge(load: Load, disposition: Any) -> None:
    entry = {"name": "orders", "primary_key": "id", "write_disposition": disposition}
    with pytest.raises(ConfigurationError, match=r"policy of `orders`.*not merged"):
        api_of(load, entry)


@pytest.mark.parametrize(("load", "param"), [(BY_DAY, "end_date"), (CHANGED_ROWS, "updated_since")])
def test_a_parameter_of_the_load_is_refused_in_the_entry(load: Load, param: str) -> None:
    entry = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {"params": {param: "2026-01-01"}},
    }
    with pytest.raises(ConfigurationError, match=f"sends `{param}`, which is in `params`"):
        api_of(load, entry)


@pytest.mark.parametrize("load", [BY_DAY, CHANGED_ROWS])
def test_an_incremental_cursor_of_the_entry_and_a_load_of_a_part_exclude_each_other(
    load: Load,
) -> None:
    entry = {
        "name": "orders",
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {"incremental": CURSOR},
    }
    with pytest.raises(ConfigurationError, match="`incremental` of its own"):
        api_of(load, entry)


@pytest.mark.parametrize("load", [BY_DAY, CHANGED_ROWS])
def test_a_function_of_dlt_is_loaded_in_full_only(load: Load) -> None:
    orders = dlt.resource([{"id": 1}], name="orders", primary_key="id", write_disposition="merge")
    with pytest.raises(ConfigurationError, match="is a function of dlt"):
        api_of(load, orders)


@pytest.mark.parametrize("load", [BY_DAY, CHANGED_ROWS])
def test_a_load_of_a_part_of_the_rows_is_not_pruned(load: Load) -> None:
    with pytest.raises(ConfigurationError, match=r"`prune` cannot be.*reads a part of the rows"):
        api_of(load, prune=True)


def test_a_function_of_dlt_is_not_pruned() -> None:
    orders = dlt.resource([{"id": 1}], name="orders", primary_key="id", write_disposition="merge")
    with pytest.raises(ConfigurationError, match="`prune` cannot be, as the resource is a funct"):
        api_of(Full(), orders, prune=True)


def test_partitions_need_the_column_with_the_date_of_a_row() -> None:
    with pytest.raises(ConfigurationError, match=r"policy of `orders`.*needs `date_column`"):
        api_of(BY_DAY, date_column=None)


@pytest.mark.parametrize("load", ["partitioned", None, Partitioned])
def test_a_load_of_another_kind_is_refused_with_the_kinds_that_exist(load: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"give Full\(\), Incremental\(...\) or Part"):
        api_of(load)
