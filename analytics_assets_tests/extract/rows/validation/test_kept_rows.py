"""Rows of earlier reads, validated and named as in a load."""

from dataclasses import replace
from typing import Any

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.rejected_rows import RowsRejectedAgain
from analytics_assets.extract.source import kept_rows_source

LINES = Contract(
    "lines",
    (
        Column("no", "number", "bigint", nullable=False),
        Column("size", "size", "json", nullable=True),
    ),
    primary_key=("_orders_id", "no"),
    rename={"no": "number"},
)


def kept(
    rows: list[Any], contract: Contract = LINES, after_steps: bool = False, **entry: Any
) -> tuple[list[Any], dict[int, str]]:
    """Validate kept rows of a child whose entry has what only requests need."""
    config = {
        "client": {"base_url": "http://127.0.0.1:1", "auth": {"type": "bearer"}},
        "resource_defaults": {
            "primary_key": ["_orders_id", "no"],
            "parallelized": True,
            "endpoint": {"params": {"limit": 100}, "paginator": "offset"},
        },
        "resources": [
            "orders",
            {
                "name": "lines",
                "include_from_parent": ["id"],
                "endpoint": {
                    "path": "orders/{resources.orders.id}/lines",
                    "params": {"since": "{incremental.start_value}"},
                    "incremental": {"cursor_path": "at", "initial_value": "2026-01-01"},
                },
                **entry,
            },
        ],
    }
    again = RowsRejectedAgain("shop", "lines")
    source = kept_rows_source(config, "shop", contract, rows, again, "shop_lines", after_steps)
    assert list(source.resources) == ["lines"]
    return list(source), again.reasons


def test_kept_rows_are_validated_and_named_as_in_a_load_without_a_request() -> None:
    fits = {"_orders_id": 7, "no": 1, "size": "large"}

    found, reasons = kept([{**fits, "no": "1"}, fits, 17])

    assert found == [{"_orders_id": 7, "number": 1, "size": '"\\"large\\""'}]
    assert reasons == {
        0: "`$.no`: Expected `int`, got `str`",
        2: "`$`: Expected `object`, got `int`",
    }


def test_kept_rows_pass_the_processing_steps_of_their_entry() -> None:
    def shift(row: Any) -> Any:
        return {**row, "no": row["no"] + 10}

    steps = [{"filter": lambda row: row["no"] < 3}, {"map": shift}]
    found, reasons = kept(
        [{"_orders_id": 7, "no": number} for number in range(1, 5)], processing_steps=steps
    )

    assert [row["number"] for row in found] == [11, 12]
    assert reasons == {}


def test_each_of_many_kept_rows_has_its_place() -> None:
    rows = [{"_orders_id": 7, "no": number} for number in range(25_000)]
    rows[20_001] = {"_orders_id": 7}

    found, reasons = kept(rows)

    assert len(found) == 24_999
    assert list(reasons) == [20_001]


def test_rows_that_steps_have_altered_pass_neither_them_nor_the_contract_again() -> None:
    def refuse(row: Any) -> Any:
        raise AssertionError(row)

    at = replace(LINES, time_formats={"at": "epoch_seconds"})
    altered = {"_orders_id": 7, "no": "1", "at": "2026-01-31T00:00:00+00:00"}

    found, reasons = kept(
        [altered, {"no": 2}], at, after_steps=True, processing_steps=[{"map": refuse}]
    )

    assert found == [{"_orders_id": 7, "number": "1", "at": altered["at"]}]
    assert reasons == {1: "`$._orders_id`: missing primary key"}
