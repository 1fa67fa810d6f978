"""A preview has the rows, columns and types that the table has after a load."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests

from analytics_assets.cli.commands.preview.previewed import Preview, preview_of
from analytics_assets.config.api import Api
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.policy import PolicyEntry
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import as_json, failures_of, load, table_rows
from analytics_assets_tests.support.orders import document_of
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    PagedServer,
    paged,
    serving,
)

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
DEFAULT = PolicyEntry()
ROWS: list[dict[str, Any]] = [
    {
        "id": number,
        "createdAt": f"2026-01-{number + 1:02}T10:00:00+02:00",
        "amount": 12.5 if number else 12,
        "customer": {"email": f"{number}@example.com", "name": "Ada"},
        "items": [{"sku": "a", "count": number}, {"sku": "b", "count": 1}],
        "at": 1767225600 + number,
        "note": None if number else "first",
        "zip": "01234",
    }
    for number in range(5)
]


def api_of(
    server: PagedServer, policy: PolicyEntry, openapi: str | None = None, **entry: Any
) -> Api:
    endpoint = {
        "path": "/orders",
        "data_selector": "data",
        "paginator": {"type": "offset", "limit": 2},
        **entry.pop("endpoint", {}),
    }
    given = {"name": "orders", "primary_key": "id", "write_disposition": "merge", **entry}
    config: Any = {
        "client": {"base_url": server.base_url},
        "resources": [{**given, "endpoint": endpoint}],
    }
    return Api(name="shop", config=config, policies={"orders": policy}, openapi=openapi)


def previewed(api: Api, rows: int = 20) -> Preview:
    resource = resource_of(api, "orders")
    return preview_of(resource, connect(api.config["client"], "shop"), NOW, rows)


def preview(
    answers: Answers, policy: PolicyEntry = DEFAULT, rows: int = 20, **entry: Any
) -> tuple[Preview, PagedServer]:
    with serving(answers) as server:
        return previewed(api_of(server, policy, **entry), rows), server


def test_rows_columns_and_types_are_those_of_the_table(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    policy: PolicyEntry = {"rename": {"note": "remark"}, "time_formats": {"at": "epoch_seconds"}}
    entry: dict[str, Any] = {
        "columns": {"customer": {"data_type": "json"}},
        "processing_steps": [
            {"filter": lambda row: row["id"] != 3},
            {"map": lambda row: {**row, "twice": row["id"] * 2, "steps": row.get("steps", 0) + 1}},
        ],
        "rows": {"fields": {"source": "web"}},
    }
    with serving(paged(ROWS)) as server:
        api = api_of(server, policy, **entry)
        found = previewed(api)
        done = load(instance, "orders", api=api)
    assert failures_of(done) == {}
    warehouse = Warehouse.from_settings("shop")
    own, items = found.tables
    by_id = sorted(own.rows, key=lambda row: row["id"])
    loaded = table_rows(warehouse, "orders")
    assert [{name: as_json(value) for name, value in row.items()} for row in by_id] == loaded
    with warehouse.open() as tables:
        columns = {
            name: column["data_type"]
            for name, column in tables.columns("orders").items()
            if not name.startswith("_dlt")
        }
    assert {each.name: each.type for each in own.columns} == columns
    assert [each.name for each in own.columns] == list(columns)
    origins = {each.name: each.origin for each in own.columns}
    assert (origins["customer"], origins["at"], origins["zip"]) == ("entry", "policy", "inferred")
    assert items.name == "orders__items"
    assert [row["sku"] for row in items.rows][:2] == ["a", "b"]


def test_the_contract_gives_types_and_rejected_rows_are_listed_with_their_reasons(
    tmp_path: Path,
) -> None:
    properties = {"id": {"type": "integer"}, "zip": {"type": "string"}}
    document = document_of(tmp_path / "openapi.json", properties, ["id", "zip"])
    wrong = {**ROWS[1], "zip": None}
    found, _ = preview(paged([ROWS[0], wrong]), openapi=document, endpoint={"path": "/v1/orders"})
    [own, *_] = found.tables
    assert {each.name: each.origin for each in own.columns}["zip"] == "contract"
    assert [row["id"] for row in own.rows] == [0]
    [(key, reason)] = found.rejected
    assert key == {"id": 1}
    assert "zip" in reason


def test_sensitive_columns_have_no_value_in_a_preview() -> None:
    policy: PolicyEntry = {"sensitive": ["email", "zip"]}
    found, _ = preview(paged(ROWS), policy)
    [own, *_] = found.tables
    assert [each.name for each in own.columns if each.is_sensitive] == ["zip", "customer__email"]
    assert not any({"customer__email", "zip"} & row.keys() for row in own.rows)
    assert "example.com" not in json.dumps(found.tables, default=str)


@pytest.mark.parametrize(("rows", "requests_made"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_no_more_pages_are_asked_for_than_the_rows_need(rows: int, requests_made: int) -> None:
    found, server = preview(paged(ROWS), rows=rows)
    assert len(found.tables[0].rows) == rows
    assert len(server.requests) == requests_made


def test_the_next_page_is_the_paginators() -> None:
    found, _ = preview(paged(ROWS), rows=2)
    assert found.pages == "2 rows on the first page; next is offset=2, total 5"
    assert isinstance(found.asked, requests.Request)


def test_a_partitioned_resource_is_asked_for_its_newest_finished_partition() -> None:
    load: Any = Partitioned(start=date(2026, 1, 1), lookback=3)
    found, server = preview(paged(ROWS), {"load": load})
    assert server.requests[0].query["start_date"] == "2026-01-31"
    assert found.params == {"start_date": "2026-01-31", "end_date": "2026-01-31"}
    assert not found.notes


def test_if_the_newest_partition_is_empty_those_of_a_scheduled_load_are_asked_for() -> None:
    load: Any = Partitioned(start=date(2026, 1, 1), lookback=3)
    found, server = preview(paged([]), {"load": load})
    assert [asked.query["start_date"] for asked in server.requests] == ["2026-01-31", "2026-01-28"]
    assert found.pages.startswith("no rows on the first page for start_date=2026-01-28")
    assert found.notes == ["There were no rows for start_date=2026-01-31, end_date=2026-01-31."]
    assert found.tables[0].rows == []


def test_an_incremental_resource_is_asked_for_changes_since_its_last_load(
    duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    loading = Incremental(field="createdAt", initial_value="2025-01-01T00:00:00Z")
    policy: PolicyEntry = {"load": loading}
    with serving(paged(ROWS)) as server:
        api = api_of(server, policy)
        previewed(api)
        assert not Path(str(duckdb_warehouse.duckdb_file)).exists()
        assert failures_of(load(instance, "orders", api=api)) == {}
        found = previewed(api)
    assert server.requests[0].query["updated_since"] == "2025-01-01T00:00:00Z"
    # the newest is 2026-01-05T08:00Z, the lookback three days
    assert found.params == {"updated_since": "2026-01-02T08:00:00Z"}


def test_a_child_is_shown_with_the_fields_of_its_parent() -> None:
    def answer(asked: Any) -> Answer:
        if asked.path == "/orders":
            return Answer({"data": [{"id": 7}, {"id": 8}], "total": 2})
        return Answer({"data": [{"line": 1}], "total": 1})

    lines = {
        "name": "lines",
        "primary_key": ["_orders_id", "line"],
        "include_from_parent": ["id"],
        "endpoint": {"path": "/orders/{resources.orders.id}/lines", "data_selector": "data"},
    }
    with serving(answer) as server:
        own = api_of(server, DEFAULT).config
        config: Any = {**own, "resources": [*own["resources"], lines]}
        resource = resource_of(Api(name="shop", config=config), "lines")
        found = preview_of(resource, connect(config["client"], "shop"), NOW, 20)
        assert [asked.path for asked in server.requests] == ["/orders", "/orders/7/lines"]
    assert found.tables[0].rows == [{"line": 1, "_orders_id": 7}]


def test_a_later_page_that_fails_and_a_stated_quality_are_notes() -> None:
    pages = iter([Answer({"data": ROWS[:2], "total": 5, "sampled": True})])
    found, _ = preview(
        lambda _: next(pages, Answer({}, status=404)), answer_quality={"sampled": "sampled"}
    )
    failed, stated = found.notes
    assert failed.startswith("A later page failed: orders: GET ")
    assert stated == "The API states of its answers: sampled."
    assert len(found.tables[0].rows) == 2


@pytest.mark.parametrize("rows_left", ["delete", "keep"])
def test_a_tombstone_that_deletes_is_no_row(rows_left: Any) -> None:
    rows = [{"id": 1, "deleted_at": None}, {"id": 2, "deleted_at": "2026-01-01T00:00:00Z"}]
    found, _ = preview(paged(rows), {"tombstone": {"field": "deleted_at", "rows": rows_left}})
    shown = [row["id"] for row in found.tables[0].rows]
    note = "1 row would delete the table's row of the same key."
    assert (shown, found.notes) == (([1], [note]) if rows_left == "delete" else ([1, 2], []))
