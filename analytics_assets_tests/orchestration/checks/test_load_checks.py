"""What is asked of a load: complete, nothing rejected, nothing gone, and as the contract says."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.orchestration.checks.load_checks import check_complete_read
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.conftest import point_at
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import (
    api_with,
    check_of,
    failures_of,
    load,
    metadata_of,
    table_rows,
)
from analytics_assets_tests.support.sandbox import Sandbox

ORDERS = [{"id": number, "article": "pen"} for number in range(1, 251)]
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def orders_api(openapi: str | None = None, **policy: Any) -> Api:
    entry: PolicyEntry = {"date_column": None, **policy}  # type: ignore[typeddict-item]
    plain = api_with("orders")
    return Api(name="shop", config=plain.config, policies={"orders": entry}, openapi=openapi)


def document_of(path: Path, properties: Mapping[str, Any], required: list[str]) -> str:
    """Write an OpenAPI document whose `orders` have these fields."""
    row = {"type": "object", "properties": properties, "required": required}
    page = {"type": "object", "properties": {"data": {"type": "array", "items": row}}}
    answer = {"description": "", "content": {"application/json": {"schema": page}}}
    paths = {"/v1/orders": {"get": {"responses": {"200": answer}}}}
    text = json.dumps({"openapi": "3.0.3", "info": {"title": "", "version": ""}, "paths": paths})
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_load_says_that_it_was_complete_and_by_which_numbers(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve(ORDERS)
    result = load(instance, api=orders_api())

    told = metadata_of(result, "orders", orders_api())
    assert (told["complete"], told["rows_received"], told["rows_expected"]) == (True, 250, 250)
    assert (told["passes"], told["rows_rejected"], told["rows_repeated"]) == (1, 0, 0)
    assert check_of(result, "complete_read").passed
    assert "250 rows arrived of 250" in str(check_of(result, "complete_read").description)


def test_complete_read_blocks_what_comes_after(serve: Any) -> None:
    graph = build_definitions(orders_api()).resolve_asset_graph()
    checks = {key.name: key for key in graph.asset_check_keys}

    assert graph.get_check_spec(checks["complete_read"]).blocking
    assert not graph.get_check_spec(checks["rows_present"]).blocking


def test_an_incomplete_read_fails_with_the_numbers_and_leaves_the_table(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve(ORDERS[:10])
    load(instance, api=orders_api())
    sandbox = serve(ORDERS)
    body = json.dumps({"data": [], "total": 250})
    sandbox.faults.add(Fault(path="/v1/orders", after=2, times=None, body=body))

    result = load(instance, api=orders_api())

    assert not result.success
    [said] = failures_of(result).values()
    assert "orders" in said
    assert "Expected 250 rows, received 0" in said
    assert len(table_rows(warehouse, "orders")) == 10


@pytest.mark.parametrize(
    ("load_said", "severity", "told"),
    [
        ({}, WARN, "The asset was never loaded"),
        ({"rows_received": 100, "complete": False}, WARN, "ends the read before"),
        (
            {"rows_received": 9, "rows_expected": 9, "complete": True, "rows_repeated": 4},
            WARN,
            "4 of them have the key of another",
        ),
    ],
)
def test_complete_read_tells_what_may_be_missing(
    load_said: dict[str, Any], severity: dg.AssetCheckSeverity, told: str
) -> None:
    verdict = check_complete_read(load_said)

    assert (verdict.passed, verdict.severity) == (False, severity)
    assert told in verdict.text


@pytest.mark.parametrize(("bad", "severity"), [(1, WARN), (10, ERROR)])
def test_rejected_rows_are_kept_and_told_and_too_many_are_an_error(
    bad: int,
    severity: dg.AssetCheckSeverity,
    serve: Any,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    rows = [*ORDERS[bad:], *({"article": "without a key"} for _ in range(bad))]
    serve(rows)

    result = load(instance, api=orders_api())

    assert result.success
    assert len(table_rows(warehouse, "orders")) == 250 - bad
    verdict = check_of(result, "no_rejected_rows")
    assert (verdict.passed, verdict.severity) == (False, severity)
    assert f"`$.id`: missing primary key ({bad} times)" in str(verdict.description)
    with warehouse.open() as tables:
        assert tables.row_count("rejected_rows") == bad


def test_rows_that_share_their_key_with_those_of_other_parents_fail_the_check(
    monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    lines = [{"id": number, "article": "pen"} for number in range(3)]
    config = {
        **orders_api().config,
        "resources": [
            {"name": "orders", "endpoint": "v1/orders"},
            {"name": "lines", "endpoint": {"path": "v1/{resources.orders.id}"}},
        ],
    }
    config["resource_defaults"] = {
        "primary_key": "id",
        "write_disposition": "merge",
        "endpoint": {"data_selector": "data", "paginator": {"type": "offset", "limit": 100}},
    }
    api = Api(name="shop", config=config, default_policy={"date_column": None})
    with Sandbox(extra_rows={"orders": ORDERS[:2], "1": lines, "2": lines}) as sandbox:
        point_at(sandbox, monkeypatch)
        verdict = check_of(load(instance, "lines", api=api), "complete_read")

    assert (verdict.passed, verdict.severity) == (False, ERROR)
    assert "Only 3 of 6 are in the table" in str(verdict.description)


def test_rejected_rows_of_an_earlier_load_are_not_counted_again(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    serve([*ORDERS, {"article": "without a key"}])
    load(instance, api=orders_api())
    serve(ORDERS)

    assert check_of(load(instance, api=orders_api()), "no_rejected_rows").passed


def test_pruning_deletes_the_rows_that_the_api_no_longer_has(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = orders_api(prune=True)
    serve(ORDERS)
    load(instance, api=api)
    serve(ORDERS[5:])

    result = load(instance, api=api)

    assert [row["id"] for row in table_rows(warehouse, "orders")] == list(range(6, 251))
    assert metadata_of(result, "orders", api)["rows_pruned"] == 5
    assert check_of(result, "pruned").passed


def test_pruning_takes_the_rows_of_child_tables_along(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    api = orders_api(prune=True)
    nested = [{"id": number, "lines": [{"tags": [1, 2]}]} for number in range(20)]
    for rows in (nested, nested[1:]):
        serve(rows)
        load(instance, api=api)

    with warehouse.open() as tables:
        assert tables.row_count("orders") == 19
        assert tables.row_count("orders__lines") == 19
        assert tables.row_count("orders__lines__tags") == 38


@pytest.mark.parametrize(
    ("infos", "left"),
    [([{"items": [1, 2]}] * 20, 38), ([{"items": [1, 2]}, [{"items": [1]}]] * 10, 28)],
)
def test_pruning_takes_the_rows_of_lists_in_an_object_along(
    infos: list[Any],
    left: int,
    serve: Any,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    api = orders_api(prune=True)
    nested = [{"id": number, "info": info} for number, info in enumerate(infos)]
    for rows in (nested, nested[1:]):
        serve(rows)
        assert load(instance, api=api).success

    with warehouse.open() as tables:
        assert tables.row_count("orders") == 19
        assert tables.row_count("orders__info__items") == left


def test_without_pruning_rows_stay_that_the_api_no_longer_has(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    for rows in (ORDERS, ORDERS[5:]):
        serve(rows)
        load(instance, api=orders_api())

    assert len(table_rows(warehouse, "orders")) == 250


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (ORDERS[100:], "more than 10% of the table"),
        ([], "more than 10% of the table"),
        ([*ORDERS[5:], {"article": "without a key"}], "1 rows were rejected"),
    ],
)
def test_pruning_is_refused_where_it_may_be_wrong(
    left: list[Any],
    told: str,
    serve: Any,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    api = orders_api(prune=True)
    serve(ORDERS)
    load(instance, api=api)
    serve(left)

    result = load(instance, api=api)

    assert len(table_rows(warehouse, "orders")) == 250
    verdict = check_of(result, "pruned")
    assert not verdict.passed
    assert told in str(verdict.description)


def test_drift_names_what_the_apis_document_and_rows_have_that_the_contract_does_not(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    fields = {"id": {"type": "integer"}, "article": {"type": "string"}, "gone": {"type": "string"}}
    kept = document_of(tmp_path / "kept.json", fields, ["id"])
    sandbox = serve([{**row, "price": 1.5} for row in ORDERS])
    live = document_of(
        tmp_path / "live.json", {"id": {"type": "string"}, "article": {"type": "string"}}, []
    )
    live_text = Path(live).read_text(encoding="utf-8")
    sandbox.faults.add(Fault(path="/openapi.json", times=None, body=live_text))

    verdict = check_of(load(instance, api=orders_api(kept)), "contract_drift")

    assert (verdict.passed, verdict.severity) == (False, WARN)
    told = str(verdict.description).splitlines()
    assert "`id` was bigint and is text" in told
    assert "removed `gone` (text)" in told
    assert "rows have `price` (double), unknown to it" in told
    assert "no row has `gone`" in told


def test_a_document_that_cannot_be_had_is_a_warning_that_says_why(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    kept = document_of(tmp_path / "kept.json", {"id": {"type": "integer"}}, ["id"])
    serve(ORDERS).faults.add(Fault(path="/openapi.json", times=None, status=404))

    verdict = check_of(load(instance, api=orders_api(kept)), "contract_drift")

    assert (verdict.passed, verdict.severity) == (False, WARN)
    assert "404" in str(verdict.description)


def test_a_renamed_key_is_merged_by_checked_and_traced_to_its_field(
    serve: Any, warehouse: Warehouse, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    fields = {"id": {"type": "integer"}, "article": {"type": "string", "description": "What."}}
    kept = document_of(tmp_path / "kept.json", fields, ["id"])
    api = orders_api(kept, rename={"id": "order_id"})
    serve(ORDERS)
    load(instance, api=api)
    serve([{**row, "article": "ink"} for row in ORDERS])

    result = load(instance, api=api)

    with warehouse.open() as tables:
        assert tables.row_count("orders") == 250
        assert {"order_id", "article"} <= set(tables.columns("orders"))
        assert "id" not in tables.columns("orders")
    assert check_of(result, "primary_key").passed
    lineage = metadata_of(result, "orders", api)["dagster/column_lineage"]
    [source] = lineage.deps_by_column["order_id"]
    assert (source.asset_key.to_user_string(), source.column_name) == ("shop_api/orders", "id")


def test_contract_columns_and_their_descriptions_show_before_the_first_load(
    tmp_path: Path,
) -> None:
    fields = {"id": {"type": "integer"}, "article": {"type": "string", "description": "What."}}
    kept = document_of(tmp_path / "kept.json", fields, ["id"])
    api = orders_api(kept, rename={"article": "item"})

    graph = build_definitions(api).resolve_asset_graph()

    schema = graph.get(asset_key(api.resources["orders"])).metadata["dagster/column_schema"]
    assert [(column.name, column.type, column.description) for column in schema.columns] == [
        ("id", "bigint", None),
        ("item", "text", "What. The API's `article`."),
    ]
    endpoint = graph.get(dg.AssetKey(["shop_api", "orders"])).metadata["dagster/column_schema"]
    assert [column.name for column in endpoint.columns] == ["id", "article"]


def test_a_resource_without_a_contract_says_so() -> None:
    graph = build_definitions(orders_api()).resolve_asset_graph()

    told = graph.get(asset_key(orders_api().resources["orders"])).description
    assert "Without a contract: dlt infers the columns." in str(told)
