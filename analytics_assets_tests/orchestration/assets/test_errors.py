"""Errors of runs with their explanations: missing settings, and what dlt raises late."""

from pathlib import Path
from typing import Any

import dagster as dg
import dlt
import pyarrow as pa
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.settings.providers.secret_files import secrets_folder
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.assets.errors import explanation_of
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import api_with, failures_of, load, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

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

    assert "Column 'article' is declared non-nullable but contains nulls. Remove" in text


def test_a_value_that_arrow_cannot_convert_is_not_shown() -> None:
    with pytest.raises(pa.ArrowInvalid) as failed:
        pa.array(["ann@example.com"], pa.int64())

    text = str(explanation_of(failed.value, KEYS))

    assert "Could not convert a value with type str: tried to convert to int64." in text
    assert "ann@" not in text


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
        "orders was not loaded. All 1 row of the API were rejected, and are in `rejected_rows`: "
        "`$.id`: Expected `number` as in the table, got `string`; its column holds both with "
        '"columns": {"id": {"data_type": "text"}}'
    )
    assert table_rows(duckdb_warehouse, "orders") == [{"id": 1}]


def test_a_missing_secret_fails_the_run_with_its_name(
    connected: Sandbox,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    clean_place: Path,
) -> None:
    monkeypatch.delenv("CLIENT_SECRET")
    reason = failures_of(load(instance, "page_views"))["analytics__page_views"]
    assert reason.startswith(
        "page_views was not loaded. The analytics API needs the setting `client_secret`, which is "
        "missing: set the environment variable SOURCES__ANALYTICS__CLIENT_SECRET, or write "
        'client_secret = "..." into the section [sources.analytics] of '
        f"{clean_place}/.dlt/secrets.toml, or its value into the file {secrets_folder()}/"
        "SOURCES__ANALYTICS__CLIENT_SECRET. Searched were the environment, these two folders, and "
    )


def test_a_run_without_a_base_url_loads_nothing_into_a_warehouse_of_ones_own(
    clean_place: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANDBOX__ENABLED")
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(clean_place / "production.duckdb"))
    reason = failures_of(load(instance, "page_views"))["analytics__page_views"]
    assert "page_views was not loaded. The analytics API needs the setting `base_url`" in reason
    assert "as `destination.duckdb.credentials` is not the default" in reason
    with Warehouse.from_settings(API.name).open() as tables:
        assert not tables.columns("page_views")


def test_a_former_key_without_values_is_explained() -> None:
    error = pa.ArrowInvalid("Column 'order_id' is declared non-nullable but contains nulls")
    text = explanation_of(error, ("id",))
    assert text
    assert text.startswith("A row has no value for a column that takes no null: Column 'order_id'")
    assert "ALTER COLUMN ... DROP NOT NULL" in text
