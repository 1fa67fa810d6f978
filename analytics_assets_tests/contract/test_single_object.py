"""The contract of an endpoint that answers with one object and no list."""

import json
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import resource_of
from analytics_assets_tests.extract.rows.reading import MERGED, read_rows
from analytics_assets_tests.support.paged_server import Answer, in_turn, orders

ROW = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "plan": {"type": "string"}},
    "required": ["id", "plan"],
}
ACCOUNT = {"id": 7, "plan": "pro"}
COLUMNS = (
    Column("id", "id", "bigint", nullable=False),
    Column("plan", "plan", "text", nullable=False),
)
ONE_PAGE: dict[str, Any] = {"paginator": "single_page", "data_selector": None}


def contract_of(folder: Path, answer: Any, entry: Any) -> Contract:
    content = {"application/json": {"schema": answer}}
    paths = {"/orders": {"get": {"responses": {"200": {"content": content}}}}}
    file = folder / "shop.json"
    file.write_text(json.dumps({"openapi": "3.0.3", "paths": paths}))
    config = {"client": {"base_url": "https://shop.example.com"}, "resources": [entry]}
    return resource_of(Api(name="shop", config=config, openapi=str(file)), "orders").contract


@pytest.mark.parametrize(
    "endpoint",
    [
        ONE_PAGE,
        {**ONE_PAGE, "paginator": {"type": "single_page"}},
        {**ONE_PAGE, "paginator": None},
        {**ONE_PAGE, "paginator": "auto"},
        {**ONE_PAGE, "data_selector": "$"},
        {**ONE_PAGE, "data_selector": "account"},
    ],
)
def test_a_single_object_is_held_to_its_contract(clean_place: Path, endpoint: Any) -> None:
    within = endpoint["data_selector"] == "account"
    schema = {"properties": {"account": ROW}} if within else ROW
    entry = orders(MERGED, **endpoint)

    contract = contract_of(clean_place, schema, entry)

    assert contract.columns == COLUMNS
    for row, is_valid in ((ACCOUNT, True), ({"id": 7, "plan": 5}, False)):
        answer = Answer({"account": row} if within else row)
        found = read_rows(in_turn(answer), entry, contract=contract)
        assert [found.valid, len(found.rejected)] == ([[row], 0] if is_valid else [[], 1])


def test_an_object_of_many_pages_is_no_row(clean_place: Path) -> None:
    entry = orders(MERGED, data_selector=None)

    assert not contract_of(clean_place, ROW, entry).has_schema
