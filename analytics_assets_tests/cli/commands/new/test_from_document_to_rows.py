"""From a document to rows in DuckDB, over HTTP: `new`, `check` and `materialize`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analytics_assets import defs
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.cli.commands.new.documents import (
    NUMBER,
    TEXT,
    TIME,
    array,
    body,
    document,
    get,
    in_path,
    query,
)
from analytics_assets_tests.cli.conftest import Invoke
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.server import Server
from analytics_assets_tests.support.loading import table_rows, table_values

ORDERS = [
    {"id": number, "updated_at": f"2026-01-0{number}T00:00:00Z", "state": "paid"}
    for number in (1, 2, 3, 4, 5)
]
LINES: dict[Any, list[dict[str, Any]]] = {
    order["id"]: [{"number": 1, "sku": f"a{order['id']}"}, {"number": 2}] for order in ORDERS
}
LIMIT = query("limit", {"type": "integer", "maximum": 2})
SCHEMES = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}


def shop() -> dict[str, Any]:
    """The document, with a server relative to its own address."""
    order = {"id": NUMBER, "updated_at": TIME, "state": TEXT}
    orders = body(data=array(order), total=NUMBER)
    since = query("updated_since", TIME)
    lines = array({"number": NUMBER, "sku": TEXT})
    paths = {
        "/orders": get(orders, LIMIT, query("offset", NUMBER), since),
        "/orders/{order_id}/lines": get(lines, in_path("order_id")),
    }
    others = {"components": SCHEMES, "security": [{"token": []}]}
    return {**document(paths, **others), "servers": [{"url": "/v1"}]}


def answer(asked: Request) -> Answer:
    """Answer as the document says."""
    if asked.path == "/docs/openapi.json":
        return Answer(shop())
    if asked.headers.get("authorization") != "Bearer word-of-the-shop":
        return Answer({"message": "sign in"}, status=401)
    if asked.path == "/v1/orders":
        since = asked.query.get("updated_since", "")
        found = [order for order in ORDERS if str(order["updated_at"]) >= since]
        offset, limit = asked.number("offset"), asked.number("limit")
        return Answer({"data": found[offset : offset + limit], "total": len(found)})
    return Answer(LINES[int(asked.path.split("/")[3])])


@pytest.fixture
def server() -> Iterator[Server]:
    """The shop's API, and its document."""
    with Server(answer) as running:
        yield running


def test_three_commands_lead_from_a_document_to_all_its_rows(
    invoke: Invoke,
    project: Path,
    server: Server,
    duckdb_warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(defs, "__file__", str(project / "__init__.py"))  # for Dagster
    monkeypatch.setenv("SOURCES__SHOP__TOKEN", "word-of-the-shop")
    url = f"{server.base_url}/docs/openapi.json"

    for arguments in (f"new shop --openapi {url}", "check shop", "materialize shop"):
        done = invoke(*arguments.split())
        assert done.exit_code == 0, done.output

    orders = table_rows(duckdb_warehouse, "orders")
    assert [(row["id"], row["state"]) for row in orders] == [
        (each["id"], "paid") for each in ORDERS
    ]
    lines = table_values(duckdb_warehouse.pipeline("reader"), "lines", "_orders_id")
    found = {(row["_orders_id"], row["number"], row["sku"]) for row in lines}
    assert len(lines) == len(found)
    assert found == {
        (order, line["number"], line.get("sku")) for order in LINES for line in LINES[order]
    }
