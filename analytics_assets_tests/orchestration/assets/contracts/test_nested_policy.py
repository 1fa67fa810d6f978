"""Assets of a resource whose policy asks for columns of nested fields."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import (
    check_of,
    failures_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.orders import document_of, orders_api

TEXT = {"type": "string"}
USER = {"type": "object", "properties": {"email": TEXT, "home": {"type": "object"}}}
FIELDS = {"id": {"type": "integer"}, "user": {**USER, "required": ["email"]}}
ROWS: list[dict[str, Any]] = [
    {"id": 1, "user": {"email": "a", "home": {"zip": "01"}}},
    {"id": 2},
    *({"id": number, "user": {"email": "b"}} for number in range(3, 200)),
]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_nested_fields_are_checked_columns_of_the_asset(
    tmp_path: Path, serve: Any, instance: dg.DagsterInstance
) -> None:
    wrong = {"id": 200, "user": {"email": 5}}
    serve([*ROWS, wrong])
    file = document_of(tmp_path / "api.json", FIELDS, ["id"])
    api = orders_api(file, nested="columns")

    result = load(instance, "orders", api=api)

    assert failures_of(result) == {}
    rows = table_rows(Warehouse.from_settings("shop"), "orders")
    assert rows[:2] == [
        {"id": 1, "user__email": "a", "user__home": {"zip": "01"}},
        {"id": 2, "user__email": None, "user__home": None},
    ]
    assert len(rows) == len(ROWS)
    schema = metadata_of(result, "orders", api)["dagster/column_schema"]
    assert [(column.name, column.type) for column in schema.columns[:3]] == [
        ("id", "bigint"),
        ("user__email", "text"),
        ("user__home", "json"),
    ]
    rejected = check_of(result, "no_rejected_rows")
    assert "`$.user.email`: Expected `str`, got `int`" in str(rejected.description)
