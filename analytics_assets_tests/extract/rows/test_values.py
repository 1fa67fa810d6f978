"""Values of JSON reach the table as they were, or reject their row alone."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from analytics_assets.contract.column import Column
from analytics_assets.contract.contract import Contract
from analytics_assets_tests.extract.rows.reading import MERGED, load, read_rows
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import Answer, in_turn, orders, paged, row

ID = Column("id", "id", "bigint", nullable=False)
KEYED = Contract("orders", primary_key=("id",))
TIMED = Contract("orders", (ID, Column("at", "at", "timestamp", nullable=True)), ("id",))
AMOUNTS = Contract("orders", (ID, Column("amount", "amount", "double", nullable=True)), ("id",))


def test_values_outside_json_are_rejected_and_readable() -> None:
    body = b'{"data": [{"id": 1, "amount": NaN}, {"id": 2, "text": "\\u0000"}], "total": 2}'

    found = read_rows(in_turn(Answer(body), Answer({"data": [], "total": 2})), contract=AMOUNTS)

    assert [each["row"] for each in found.rejected] == [
        '{"id": 1, "amount": NaN}',
        '{"id": 2, "text": "\\u0000"}',
    ]


JSON_VALUES = ["t", "5", "null", 5, 1.5, True, [1], {"a": "1"}]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_a_json_column_has_any_value_as_it_was() -> None:
    free = Column("free", "free", "json", nullable=True)
    contract = Contract("orders", (ID, free), ("id",))
    step = {"processing_steps": [{"map": lambda each: each}]}  # not as Arrow
    all_rows = [{"id": number, "free": value} for number, value in enumerate(JSON_VALUES)]

    pipeline = load(paged(all_rows), orders({**MERGED, **step}), contract=contract)

    assert [each["free"] for each in table_values(pipeline, "orders")] == JSON_VALUES


def test_a_hint_by_hand_lets_longer_integers_in() -> None:
    entry = orders({**MERGED, "columns": {"n": {"data_type": "decimal", "scale": 0}}})

    found = read_rows(paged([row(1, n=2**64 - 1)]), entry, contract=KEYED)

    assert found.valid == [row(1, n=2**64 - 1)]
    assert found.rejected == []


EARLY, LATE = "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00"
NESTS: tuple[Callable[[int], Any], ...] = (lambda n: n, lambda n: [n], lambda n: {"of": [{"n": n}]})


def extremes() -> Iterator[tuple[Contract, list[Any]]]:
    """Three rows each; no warehouse can store the second."""
    for contract in (TIMED, KEYED):
        for value in (EARLY, LATE):
            times = ("0001-01-01T00:00:00Z", value, "2025-01-01T00:00:00Z")
            yield contract, [row(number, at=at) for number, at in enumerate(times)]
    for nest in NESTS:
        integers = (2**63 - 1, 2**63, -(2**63))
        yield KEYED, [row(number, n=nest(n)) for number, n in enumerate(integers)]


@pytest.mark.parametrize(("contract", "all_rows"), list(extremes()))
def test_a_value_that_no_warehouse_stores_rejects_its_row_alone(
    contract: Contract, all_rows: list[Any]
) -> None:
    found = read_rows(paged(all_rows), contract=contract)

    assert found.valid == [all_rows[0], all_rows[2]]
    assert [json.loads(each["row"]) for each in found.rejected] == [all_rows[1]]


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
def test_the_extreme_values_that_are_valid_can_be_stored() -> None:
    first: dict[str, Any] = {
        "id": 1,
        "at": "0001-01-01T00:00:00Z",
        "untyped": "0001-01-01T00:00:00Z",
    }
    for number, nest in enumerate(NESTS):
        first[f"n{number}"] = nest(2**63 - 1)
    second = {**first, "id": 2, **{f"n{n}": nest(-(2**63)) for n, nest in enumerate(NESTS)}}
    entry = orders({**MERGED, "columns": {"hinted": {"data_type": "decimal", "scale": 0}}})
    all_rows = [{**each, "hinted": 2**64 - 1} for each in (first, second)]

    pipeline = load(paged(all_rows), entry, contract=TIMED)

    found = table_values(pipeline, "orders")
    assert [each["n0"] for each in found] == [2**63 - 1, -(2**63)]
    assert [each["hinted"] for each in found] == [2**64 - 1] * 2
    assert {each[at].year for each in found for at in ("at", "untyped")} == {1}
    assert "rejected_rows" not in pipeline.default_schema.tables
