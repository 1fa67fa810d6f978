"""The check of the API's document and rows against the stored contract."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from analytics_assets.config.api import Api
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.orchestration.checks.document_cache import DocumentCache
from analytics_assets.orchestration.checks.drift_check import check_drift
from analytics_assets.orchestration.checks.result import CheckResult
from analytics_assets.orchestration.metadata.names import (
    ABSENT_FIELDS,
    ROWS_RECEIVED,
    UNKNOWN_FIELDS,
)
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.orders import document_of, orders_api

PATH = "/openapi.json"
TEXT = {"type": "string"}
ID = {"id": {"type": "integer"}}
WARN = dg.AssetCheckSeverity.WARN


def orders(openapi: str, path: str | None = PATH) -> Resource:
    plain = orders_api(openapi)
    api = Api(
        name=plain.name,
        config=plain.config,
        policies=plain.policies,
        openapi=openapi,
        openapi_path=path,
    )
    return resource_of(api, "orders")


def drift_of(resource: Resource, place: Path, load: Mapping[str, Any] | None = None) -> CheckResult:
    return check_drift(resource, load or {}, DocumentCache(place / "documents"), datetime.now(UTC))


def test_differences_of_document_and_rows_from_the_contract_are_named(
    serve: Any, tmp_path: Path
) -> None:
    kept: Mapping[str, Any] = {**ID, "article": TEXT, "gone": TEXT}
    resource = orders(document_of(tmp_path / "kept.json", kept, ["id", "gone"]))
    live = document_of(tmp_path / "live.json", {"id": TEXT, "article": TEXT}, [])
    body = Path(live).read_text(encoding="utf-8")
    serve([]).faults.add(Fault(path=PATH, times=None, body=body))

    result = drift_of(
        resource,
        tmp_path,
        {ROWS_RECEIVED: 9, UNKNOWN_FIELDS: {"price": "double"}, ABSENT_FIELDS: ["gone"]},
    )

    assert (result.passed, result.severity) == (False, WARN)
    assert result.text.splitlines() == [
        "removed `gone` (text)",
        "`id` was bigint and is text",
        "rows have `price` (double), unknown to it",
        "no row has `gone`",
        "`analytics-assets contract` stores the API's document as the new contract. Stored columns "
        "are then widened, or stay; no value changes.",
    ]
    assert result.numbers == {"changes": 4}


@pytest.mark.parametrize(("required", "passed"), [(["id"], True), (["id", "note"], False)])
def test_fields_that_no_row_has_are_a_difference_if_they_are_required(
    required: list[str], passed: bool, serve: Any, tmp_path: Path
) -> None:
    note = {"type": "string", "nullable": True}
    kept = document_of(tmp_path / "kept.json", {**ID, "note": note}, required)
    serve([]).faults.add(Fault(path=PATH, times=None, body=Path(kept).read_text()))

    result = drift_of(orders(kept), tmp_path, {ROWS_RECEIVED: 9, ABSENT_FIELDS: ["note"]})

    assert result.passed is passed


def test_the_field_of_tombstones_may_be_null_in_all_rows(tmp_path: Path) -> None:
    kept = document_of(tmp_path / "kept.json", {**ID, "gone": TEXT}, ["id", "gone"])
    plain = orders(kept, path=None).api
    api = Api(
        name=plain.name,
        config=plain.config,
        policies={"orders": {"tombstone": {"field": "gone", "rows": "keep"}}},
        openapi=kept,
        openapi_path=None,
    )
    load = {ROWS_RECEIVED: 9, ABSENT_FIELDS: ["gone"]}

    assert drift_of(resource_of(api, "orders"), tmp_path, load).passed


def test_an_api_that_serves_no_document_passes_and_says_so(serve: Any, tmp_path: Path) -> None:
    kept = document_of(tmp_path / "kept.json", ID, ["id"])
    serve([]).faults.add(Fault(path=PATH, times=None, status=404))

    result = drift_of(orders(kept), tmp_path)

    assert (result.passed, result.text) == (
        True,
        "The rows match the contract. No document is compared: the API serves none at "
        "`/openapi.json`, the `openapi_path` in `api.py`.",
    )


def test_without_a_path_no_document_is_requested_and_rows_are_compared(
    serve: Any, tmp_path: Path
) -> None:
    resource = orders(document_of(tmp_path / "kept.json", ID, ["id"]), path=None)
    server = serve([])

    assert drift_of(resource, tmp_path).text == (
        "The rows match the contract. No document is compared: `openapi_path` is None."
    )
    result = drift_of(resource, tmp_path, {ROWS_RECEIVED: 1, UNKNOWN_FIELDS: {"price": "double"}})
    assert (result.passed, result.severity) == (False, WARN)
    assert result.text.splitlines() == [
        "rows have `price` (double), unknown to it",
        "No document is compared: `openapi_path` is None.",
    ]
    assert server.requests == []


@pytest.mark.parametrize("status", [403, 500])
def test_a_document_that_cannot_be_fetched_is_a_warning_with_the_reason(
    status: int, serve: Any, tmp_path: Path
) -> None:
    kept = document_of(tmp_path / "kept.json", ID, ["id"])
    serve([]).faults.add(Fault(path=PATH, times=None, status=status))

    result = drift_of(orders(kept), tmp_path)

    assert (result.passed, result.severity) == (False, WARN)
    assert str(status) in result.text


def test_a_document_like_the_contract_passes(serve: Any, tmp_path: Path) -> None:
    kept = document_of(tmp_path / "kept.json", ID, ["id"])
    body = json.dumps(json.loads(Path(kept).read_text(encoding="utf-8")))
    serve([]).faults.add(Fault(path=PATH, times=None, body=body))

    result = drift_of(orders(kept), tmp_path, {ROWS_RECEIVED: 9})

    assert (result.passed, result.text) == (True, "The API matches the contract.")


def test_fields_that_the_entry_adds_to_rows_are_no_drift(tmp_path: Path) -> None:
    row = {"type": "object", "properties": ID}
    rows = {"content": {"application/json": {"schema": {"type": "array", "items": row}}}}
    paths = {"/orders/{id}/lines": {"get": {"responses": {"200": rows}}}}
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    lines = {
        "name": "lines",
        "endpoint": {"path": "/orders/{resources.orders.id}/lines", "data_selector": "$"},
        "include_from_parent": ["id"],
        "rows": {"fields": {"shop": "north"}},
    }
    client = {"base_url": "https://shop.example.com"}
    api = Api(
        name="shop",
        config={"client": client, "resources": ["orders", lines]},
        openapi=str(file),
        openapi_path=None,
    )
    unknown = {"_orders_id": "bigint", "shop": "text", "price": "double"}

    result = drift_of(resource_of(api, "lines"), tmp_path, {UNKNOWN_FIELDS: unknown})

    assert result.text.splitlines()[:-1] == ["rows have `price` (double), unknown to it"]
