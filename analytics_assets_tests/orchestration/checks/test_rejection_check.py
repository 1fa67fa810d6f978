"""The check of rejected rows, on tables made by SQL and over several loads."""

from typing import Any

import dagster as dg
import pytest

from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.orchestration.checks.rejection_check import check_rejected_rows
from analytics_assets.orchestration.metadata.names import (
    ROWS_RECEIVED,
    ROWS_REJECTED,
)
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import check_of, load
from analytics_assets_tests.support.orders import orders_api
from analytics_assets_tests.support.tables import opened_with

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
TIME = "timestamp with time zone"
REJECTED = f'resource varchar, reason varchar, rejected_at {TIME}, "row" varchar'
NO_KEY = "`$.id`: missing primary key"


def orders(**policy: Any) -> Resource:
    return resource_of(orders_api(**policy), "orders")


@pytest.mark.parametrize(("bad", "severity"), [(1, WARN), (10, ERROR)])
def test_rejected_rows_are_a_warning_and_too_many_of_a_load_an_error(
    bad: int, severity: dg.AssetCheckSeverity, duckdb_warehouse: Warehouse
) -> None:
    rows = [f"('orders', '{NO_KEY}', now(), '')" for _ in range(bad)]
    rows += ["('orders', 'too long', now(), '')", f"('lines', '{NO_KEY}', now(), '')"]
    metadata = {ROWS_RECEIVED: 250, ROWS_REJECTED: bad}

    with opened_with(duckdb_warehouse, rejected_rows=(REJECTED, ", ".join(rows))) as tables:
        result = check_rejected_rows(tables, orders(), metadata)

    assert (result.passed, result.severity) == (False, severity)
    assert result.text.startswith(f"{bad + 1} rows are in `rejected_rows` and not in the table: ")
    assert f"{NO_KEY} ({bad} {'time' if bad == 1 else 'times'})" in result.text
    assert f"The last load rejected {bad} of its rows ({bad / 250:.2%}). Is `primary_key` in" in (
        result.text
    )
    assert "`analytics-assets rejected shop/orders` lists them; with `--retry`" in result.text
    assert result.numbers == {ROWS_REJECTED: bad + 1}


def test_rows_of_earlier_loads_are_a_warning_whatever_the_last_load_read(
    duckdb_warehouse: Warehouse,
) -> None:
    rows = ", ".join(["('orders', 'too long', now(), '')"] * 99)
    with opened_with(duckdb_warehouse, rejected_rows=(REJECTED, rows)) as tables:
        for metadata in ({}, {ROWS_RECEIVED: 1, ROWS_REJECTED: 0}):
            result = check_rejected_rows(tables, orders(), metadata)
            assert (result.passed, result.severity) == (False, WARN)


def test_dismissed_rows_of_the_last_load_are_none(duckdb_warehouse: Warehouse) -> None:
    with opened_with(duckdb_warehouse, rejected_rows=(REJECTED, "")) as tables:
        result = check_rejected_rows(tables, orders(), {ROWS_RECEIVED: 9, ROWS_REJECTED: 9})

    assert (result.passed, result.text) == (True, "No row is rejected.")


GOOD, BAD = {"id": 1, "article": "pen"}, {"id": 1, "article": "a\0b"}
KEYLESS = {"article": "without a key"}


@pytest.mark.parametrize(
    ("later", "left"),
    [([GOOD], 0), ([{"id": 2}], 1)],
    ids=["fits", "does not come"],
)
def test_a_row_is_a_warning_until_a_load_brings_it_and_it_fits(
    serve: Any,
    duckdb_warehouse: Warehouse,
    instance: dg.DagsterInstance,
    later: list[Any],
    left: int,
) -> None:
    found = []
    for rows in ([BAD, {"id": 3}], later):
        serve(rows)
        found.append(check_of(load(instance, api=orders_api()), "no_rejected_rows"))

    assert [each.passed for each in found] == [False, not left]
    with duckdb_warehouse.open() as tables:
        assert tables.row_count("rejected_rows") == left


def test_a_row_without_a_key_is_a_warning_until_a_complete_read_rejects_it_no_more(
    serve: Any, duckdb_warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    found = []
    for rows in ([KEYLESS, GOOD], [KEYLESS, GOOD], [GOOD]):
        serve(rows)
        result = check_of(load(instance, api=orders_api()), "no_rejected_rows")
        found.append((result.passed, result.metadata[ROWS_REJECTED].value))

    assert found == [(False, 1), (False, 1), (True, 0)]
