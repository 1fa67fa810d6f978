"""Errors that dlt raises late: each class has its explanation, and others have none."""

from typing import Any

import dagster as dg
import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.orchestration.assets.errors import explanation_of
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import api_with, failures_of, load, table_rows

KEYS = ("id",)


def explanation(*loads: list[dict[str, Any]], **hints: Any) -> str | None:
    """Return the explanation of the error with which dlt normalizes the last of some loads."""
    pipeline = dlt.pipeline("shop", destination="duckdb", dataset_name="analytics")
    *before, last = [dlt.resource(rows, name="orders", **hints) for rows in loads]
    for resource in before:
        pipeline.extract(resource, loader_file_format="parquet")
        pipeline.normalize()
    pipeline.extract(last, loader_file_format="parquet")
    with pytest.raises(PipelineStepFailed) as failed:
        pipeline.normalize()
    return explanation_of(failed.value, KEYS)


def test_a_value_that_fits_no_column_of_its_field_is_named_by_both_types() -> None:
    values = (5, "2025-01-01T00:00:00Z", "a")

    text = explanation(*([{"id": 1, "n": value}] for value in values))

    assert text == (
        "A value of the type text fits none of the columns of its field: `n__v_text` is timestamp. "
        'Set the one type that holds all values, such as "columns": {"n": {"data_type": "text"}} '
        "in the entry: the stored column is widened to it."
    )


def test_a_null_for_a_column_declared_not_null_is_named() -> None:
    columns: Any = {"article": {"data_type": "text", "nullable": False}}

    text = str(explanation([{"id": 1, "article": None}], columns=columns))

    assert text.startswith("A row has no value for a column that is declared not null: ")
    assert "table `orders` column `article`" in text
    assert 'Remove `"nullable": False` from the `columns` of the entry' in text


def test_a_row_that_lacks_a_column_declared_not_null_is_explained_in_arrows_words() -> None:
    columns: Any = {"article": {"data_type": "text", "nullable": False}}

    text = str(explanation([{"id": 1}], columns=columns))

    assert "Column 'article' is declared non-nullable but contains nulls. A field has no" in text


@pytest.mark.parametrize(
    ("column", "named"),
    [("id", "column `id` of the primary key"), ("article", "column `article`, declared not null.")],
)
def test_a_column_without_any_value_is_named(column: str, named: str) -> None:
    columns: Any = {column: {"nullable": False}}

    text = str(explanation([{"other": 1}], columns=columns))

    assert text.startswith(f"No row has a value for the {named}")


def test_another_error_has_no_explanation() -> None:
    assert explanation_of(ValueError("of another kind"), KEYS) is None


def test_a_key_whose_type_has_changed_fails_the_run_with_the_column_and_the_remedy(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    for key in (1, "a"):
        serve([{"id": key}])
        result = load(instance, api=api_with("orders"))

    [failure] = failures_of(result).values()
    assert failure.startswith(
        "orders was not loaded. All 1 rows of the API were rejected, and are in `rejected_rows`: "
        "`$.id`: Expected `number` as in the table, got `string`; its column holds both with "
        '"columns": {"id": {"data_type": "text"}}'
    )
    assert table_rows(duckdb_warehouse, "orders") == [{"id": 1}]
