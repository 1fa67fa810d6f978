"""Merges and queries that a destination does not have: refused, or named in the log of a load."""

from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.warehouse.destinations.capabilities import WITHOUT_QUERIES, caution
from analytics_assets.warehouse.errors import WarehouseError
from analytics_assets.warehouse.warehouse import Warehouse


def api_merged_by(strategy: str, **entry: Any) -> Api:
    orders = {
        "name": "orders",
        "primary_key": "id",
        "endpoint": {"path": "/v1/orders", "data_selector": "data"},
        "write_disposition": {"disposition": "merge", "strategy": strategy},
        **entry,
    }
    return Api(
        name="shop", config={"client": {"base_url": "http://127.0.0.1:9"}, "resources": [orders]}
    )


@pytest.mark.parametrize(
    ("kind", "strategy", "expected"),
    [
        ("filesystem", "scd2", "It has `delete-insert`, `upsert`, `insert-only`: set another"),
        ("clickhouse", "upsert", "It has `delete-insert`, `scd2`: set another `strategy`"),
        ("athena", "delete-insert", "Set its `table_format` to one of `iceberg`, `hive`"),
    ],
)
def test_a_merge_that_the_destination_does_not_have_is_refused_when_definitions_load(
    kind: str, strategy: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", kind)
    monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", "lake")
    with pytest.raises(ConfigurationError) as refused:
        build_definitions(api_merged_by(strategy))
    assert f"resource `orders` is merged by `{strategy}`, which the" in str(refused.value)
    assert expected in str(refused.value)


@pytest.mark.parametrize("kind", WITHOUT_QUERIES)
def test_a_destination_whose_tables_no_query_reads_is_refused(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION_TYPE", kind)
    with pytest.raises(WarehouseError, match=f"`destination_type` is '{kind}', which has no SQL"):
        build_definitions(api_merged_by("upsert"))


@pytest.mark.parametrize("kind", ["bigquery", "databricks", "snowflake"])
def test_a_load_warns_where_a_killed_merge_leaves_rows_out(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is killed meanwhile leaves rows out of" in str(caution(kind))
    assert caution("duckdb") is caution("postgres") is caution("filesystem") is None
    monkeypatch.setenv("DESTINATION_TYPE", kind)
    assert Warehouse.from_settings("shop").destination_type == kind
