"""Fields become columns by the contract, and the entry uses the API's names of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets_tests.extract.rows.reading import MERGED, extract, load, read_rows
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import orders, paged, row, rows

TYPED = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        Column("text", "text", "text", nullable=True),
        Column("amount", "amount", "double", nullable=True),
    ),
    ("id",),
)
RENAMED = Contract(
    "orders",
    (
        Column("id", "order_id", "bigint", nullable=False),
        Column("text", "label", "text", nullable=True),
    ),
    ("id",),
    {"id": "order_id", "text": "label"},
)


def columns_of(pipeline: dlt.Pipeline) -> Any:
    return pipeline.default_schema.tables["orders"]["columns"]


def test_columns_have_the_types_of_the_contract_whatever_the_first_rows_are() -> None:
    columns = columns_of(extract(paged([row(1, amount=5), row(2)]), contract=TYPED))

    assert columns["amount"]["data_type"] == "double"
    assert columns["id"]["nullable"] is False
    assert columns["text"]["nullable"] is True


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_renamed_fields_are_merged_by_the_renamed_key() -> None:
    for _ in range(2):
        pipeline = load(paged([*rows(1, 2, 3), {"text": "no key"}]), contract=RENAMED)

    assert table_values(pipeline, "orders", "order_id") == [
        {"order_id": number, "label": f"row {number}"} for number in (1, 2, 3)
    ]
    rejected = table_values(pipeline, "rejected_rows", "offset")
    assert {each["row"] for each in rejected} == {'{"text": "no key"}'}


@pytest.mark.parametrize("key", ["id", ["id"]])
def test_a_renamed_key_is_the_primary_key_of_the_table(key: Any) -> None:
    entry = orders({**MERGED, "primary_key": key})

    columns = columns_of(extract(paged(rows(1)), entry, contract=RENAMED))

    assert columns["order_id"]["primary_key"] is True
    assert "id" not in columns


def test_the_hints_of_an_entry_use_the_apis_names() -> None:
    entry = orders({**MERGED, "columns": {"text": {"description": "the name of it"}}})

    columns = columns_of(extract(paged(rows(1)), entry, contract=RENAMED))

    assert columns["label"]["description"] == "the name of it"
    assert "text" not in columns


def test_processing_steps_see_the_apis_names_and_the_table_gets_the_new_ones() -> None:
    names: list[set[str]] = []

    def note(each: dict[str, Any]) -> dict[str, Any]:
        names.append(set(each))
        return {**each, "text": each["text"].upper()}

    entry = orders({**MERGED, "processing_steps": [{"map": note}]})
    found = read_rows(paged(rows(1, 2)), entry, contract=RENAMED)

    assert names == [{"id", "text"}] * 2
    assert found.valid == [
        {"order_id": 1, "label": "ROW 1"},
        {"order_id": 2, "label": "ROW 2"},
    ]


def test_an_incremental_cursor_uses_the_apis_names() -> None:
    day = timedelta(days=1)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    all_rows = [row(number, at=(start + number * day).isoformat()) for number in range(4)]
    incremental = {"cursor_path": "at", "initial_value": (start + 2 * day).isoformat()}
    contract = Contract("orders", primary_key=("id",), rename={"at": "changed_at"})

    found = read_rows(
        paged([*all_rows, {"at": "2025-01-09"}]),
        orders(MERGED, incremental=incremental),
        contract=contract,
    )

    assert [each["id"] for each in found.valid] == [2, 3]
    assert {"id", "text", "changed_at"} == set(found.valid[0])
    assert [each["offset"] for each in found.rejected] == [4]
