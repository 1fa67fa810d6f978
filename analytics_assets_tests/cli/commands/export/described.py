"""Tables of an API with two resources, one of them without a contract."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analytics_assets.cli.commands.export.tables import ExportedTable, describe_tables
from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resources_of
from analytics_assets.warehouse.warehouse import Warehouse

FIELDS = {
    "shop": {"type": "string"},
    "number": {"type": "integer", "description": "Counts {{ from }} 1."},
    "day": {"type": "string", "format": "date"},
    "state": {"type": "string", "enum": ["new", "paid"]},
    "rank": {"type": "integer", "enum": [1, 2]},
    "note": {"type": ["string", "null"]},
}


def orders_api(place: Path, key: Sequence[str] = ("shop", "number"), **policy: Any) -> Api:
    """An API with `orders`, which have a contract and a key, and `events`, which have neither."""
    own: Any = {"date_column": "day", **policy}
    required = [name for name in FIELDS if name != "note"]
    row = {"type": "object", "properties": FIELDS, "required": required}
    rows = {"content": {"application/json": {"schema": {"type": "array", "items": row}}}}
    document = place / "openapi.json"
    document.write_text(
        json.dumps(
            {
                "openapi": "3.1.0",
                "info": {"title": "Shop", "version": "2.3"},
                "paths": {"/v1/orders": {"get": {"responses": {"200": rows}}}},
            }
        )
    )
    return Api(
        name="shop",
        openapi=str(document),
        config={
            "client": {"base_url": "https://user:hidden@shop.example.com"},
            "resources": [
                {
                    "name": "orders",
                    "primary_key": list(key),
                    "write_disposition": "merge",
                    "endpoint": {"path": "/v1/orders"},
                },
                {"name": "events", "endpoint": {"path": "/v1/events"}},
            ],
        },
        policies={"orders": own},
    )


def described(api: Api, contract_only: bool = False) -> dict[str, ExportedTable]:
    """Describe the tables of an API, by resource."""
    warehouses = {api.name: Warehouse.from_settings(api.name)}
    tables = describe_tables(list(resources_of(api).values()), warehouses, contract_only)
    return {table.resource.name: table for table in tables}
