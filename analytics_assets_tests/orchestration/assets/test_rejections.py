"""The retry of rejected rows: what fits today's contract is loaded without a request."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.load import Incremental
from analytics_assets.contract.resource import resource_of
from analytics_assets.orchestration.assets.rejections import (
    TWIN,
    Retry,
    RetryError,
    retry_rejected_rows,
    settle_rejected_rows,
)
from analytics_assets.orchestration.metadata.names import (
    COMPLETE,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import change, load, table_rows
from analytics_assets_tests.support.orders import document_of, orders_api
from analytics_assets_tests.support.tables import opened_with

FIELDS = {"id": {"type": "integer"}, "article": {"type": "string"}, "tags": {"type": "array"}}
MISSING = "`$.article`: required, but missing"


def strict(tmp_path: Path, *required: str, **policy: Any) -> Api:
    """An API whose orders must have these fields, and an `id`."""
    document = document_of(tmp_path / f"{len(required)}.json", FIELDS, ["id", *required])
    return orders_api(document, **policy)


def retry(api: Api, containing: str = "") -> Retry:
    warehouse = Warehouse.from_settings(api.name)
    return retry_rejected_rows(resource_of(api, "orders"), warehouse, containing)


def reasons(api: Api) -> dict[str, int]:
    with Warehouse.from_settings(api.name).open() as tables:
        found = tables.rejections(api.resources["orders"]).reasons()
    return {each.text: each.rows for each in found}


def rows_of(api: Api) -> Sequence[dict[str, Any]]:
    return table_rows(Warehouse.from_settings(api.name), "orders")


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_rows_that_fit_todays_contract_are_merged_without_a_request(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    before, after = strict(tmp_path, "article"), strict(tmp_path)
    serve([{"id": 1, "article": "pen"}, {"id": 2, "article": "ink"}])
    load(instance, api=before)
    sandbox = serve([{"id": 1, "tags": ["a"]}, {"id": 3}, {"id": "4"}])
    load(instance, api=before)
    requests = len(sandbox.requests)

    outcome = retry(after)

    kind = "`$.id`: Expected `int`, got `str`"
    assert outcome == Retry(loaded=2, superseded=0, rejected={kind: 1})
    assert reasons(after) == {kind: 1}
    assert [(row["id"], row["article"], row["tags"]) for row in rows_of(after)] == [
        (1, None, ["a"]),
        (2, "ink", None),
        (3, None, None),
    ]
    assert len(sandbox.requests) == requests


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_a_column_is_widened_for_rows_that_fit_now(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    whole, any_number = (
        orders_api(document_of(tmp_path / f"{kind}.json", {**FIELDS, "price": {"type": kind}}, []))
        for kind in ("integer", "number")
    )
    serve([{"id": 1, "price": 5}, {"id": 2, "price": 5.5}])
    load(instance, api=whole)

    assert retry(any_number).loaded == 1
    assert [row["price"] for row in rows_of(any_number)] == [5, 5.5]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_rows_that_still_do_not_fit_stay_with_todays_reason(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    serve([{"id": 1, "tags": []}])
    load(instance, api=strict(tmp_path, "article"))
    assert reasons(strict(tmp_path)) == {MISSING: 1}
    today = strict(tmp_path, "article", "tags")
    change(Warehouse.from_settings("shop"), "rejected_rows", "UPDATE {table} SET reason = 'old'")

    assert retry(today).rejected == {MISSING: 1}
    assert reasons(today) == {MISSING: 1}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_row_whose_key_was_loaded_later_stays_as_it_is(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    for row in ({"id": 1, "article": "pen"}, {"id": 1}):
        serve([row])
        load(instance, api=strict(tmp_path, "article"))
    later = "UPDATE {table} SET article = 'newer', _dlt_load_id = '9999999999'"
    change(Warehouse.from_settings("shop"), "orders", later)

    assert retry(strict(tmp_path)) == Retry(loaded=0, superseded=1)
    assert [row["article"] for row in rows_of(strict(tmp_path))] == ["newer"]
    assert reasons(strict(tmp_path)) == {}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_of_rows_with_one_key_the_last_is_loaded(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    serve([{"id": 1, "tags": [number]} for number in range(3)])
    load(instance, api=strict(tmp_path, "article"))

    assert retry(strict(tmp_path)) == Retry(loaded=1, superseded=2)
    assert [row["tags"] for row in rows_of(strict(tmp_path))] == [[2]]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_row_is_not_loaded_over_a_later_one_that_was_rejected_for_another_reason(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    serve([{"id": 2, "article": "pen"}, {"id": 1}, {"id": 1, "article": 7}])
    load(instance, api=strict(tmp_path, "article"))

    assert retry(strict(tmp_path), "missing") == Retry(loaded=0, superseded=1)
    assert [row["id"] for row in rows_of(strict(tmp_path))] == [2]
    assert reasons(strict(tmp_path)) == {"`$.article`: Expected `str`, got `int`": 1}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_row_is_not_loaded_over_a_valid_one_of_the_same_load(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    serve([{"id": 1}, {"id": 1, "article": "newer"}])
    load(instance, api=strict(tmp_path, "article"))

    assert retry(strict(tmp_path)) == Retry(rejected={TWIN: 1})
    assert [row["article"] for row in rows_of(strict(tmp_path))] == ["newer"]
    assert reasons(strict(tmp_path)) == {MISSING: 1}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_rows_of_other_reasons_are_left_alone(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    serve([{"id": 1}, {"id": 2, "article": 7}])
    load(instance, api=strict(tmp_path, "article"))

    assert retry(strict(tmp_path), "MISSING").loaded == 1
    assert reasons(strict(tmp_path)) == {"`$.article`: Expected `str`, got `int`": 1}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_rows_pass_processing_steps_once(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    def counted(row: dict[str, Any]) -> dict[str, Any]:
        key = row["id"] if row.get("article") else f"0{row['id']}"
        return {**row, "size": row.get("size", 0) + 1, "key": key}

    def stepped(**entry: Any) -> Api:
        plain = strict(tmp_path)
        [given] = plain.config["resources"]
        own = {**given, "primary_key": "key", "processing_steps": [{"map": counted}], **entry}
        return replace(plain, config={**plain.config, "resources": [own]})

    serve([{"id": 1, "article": "pen"}, {"id": 2}, {"id": "3"}])
    load(instance, api=stepped())
    change(
        Warehouse.from_settings("shop"),
        "rejected_rows",
        """UPDATE {table} SET "row" = replace("row", '"3"', '3') WHERE NOT after_steps""",
    )

    widened = stepped(columns={"key": {"data_type": "text"}})
    assert retry(widened) == Retry(loaded=2)
    found = [(row["id"], row["key"], row["size"]) for row in rows_of(widened)]
    assert found == [(1, "1", 1), (2, "02", 1), (3, "03", 1)]


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_retry_leaves_the_cursor_where_it_is(
    serve: Any, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    start, end = "2025-01-01T00:00:00Z", "2025-03-02T00:00:00Z"
    fields = {**FIELDS, "updated_at": {"type": "string", "format": "date-time"}}
    before, after = (
        orders_api(
            document_of(tmp_path / f"{number}.json", fields, required),
            load=Incremental(initial_value=start, lookback=timedelta(0)),
        )
        for number, required in enumerate((["id", "article"], ["id"]))
    )
    fits = {"id": 1, "article": "pen", "updated_at": "2025-03-01T00:00:00Z"}
    serve([fits, {"id": 2, "updated_at": end}])
    load(instance, api=before)

    assert retry(after).loaded == 1

    sandbox = serve([])
    load(instance, api=after)
    asked = [each.query["updated_since"] for each in sandbox.requests if "orders" in each.path]
    assert set(asked) == {end}


@pytest.mark.usefixtures("duckdb_warehouse")
def test_rows_of_a_resource_whose_loads_replace_others_are_not_loaded_by_themselves(
    serve: Any, instance: dg.DagsterInstance
) -> None:
    plain = orders_api()
    [entry] = plain.config["resources"]
    config = {**plain.config, "resources": [{**entry, "write_disposition": "replace"}]}
    replaced = Api(name="shop", config=config, policies={"orders": {"date_column": None}})
    serve([{"id": 1}, {"article": "without a key"}])
    load(instance, api=replaced)

    with pytest.raises(RetryError, match="Load the resource: rows that fit now come with it"):
        retry(replaced)
    assert [row["id"] for row in rows_of(replaced)] == [1]
    assert sum(reasons(replaced).values()) == 1


def test_a_destination_that_deletes_nothing_does_not_fail_the_load(
    duckdb_warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    resource, log = resource_of(orders_api(), "orders"), logging.getLogger("the run")
    with opened_with(duckdb_warehouse, rejected_rows=("resource varchar", "")) as tables:
        settle_rejected_rows(tables, resource, resource.contract, {COMPLETE: False}, log)

    [record] = caplog.records
    assert record.name == "the run"
    assert record.message.startswith("Rejected rows that this load has settled could not be del")


@pytest.mark.usefixtures("duckdb_warehouse")
def test_a_resource_without_rejected_rows_has_nothing_to_retry() -> None:
    assert retry(orders_api()) == Retry()
