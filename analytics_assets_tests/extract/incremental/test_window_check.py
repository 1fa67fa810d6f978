"""Rows outside the time window are counted, and an API that ignores its dates is detected."""

from datetime import UTC, datetime
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.config.errors import find_cause
from analytics_assets.config.times.window import TimeWindow, Window
from analytics_assets.contract.column import Column, DataType
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.incremental.window_check import (
    WindowCheck,
    WindowIgnoredError,
    value_in_column,
)
from analytics_assets.extract.rows.arrow import table_of_rows
from analytics_assets.extract.rows.columns.row_type import RowType
from analytics_assets_tests.extract.rows.reading import MERGED, extract_source, metrics_of
from analytics_assets_tests.support.paged_server import orders, paged, serving, source_of

KEYED = Contract("orders", primary_key=("id",))
TYPED = Contract(
    "orders",
    (Column("id", "id", "bigint", nullable=False), Column("day", "day", "text", nullable=True)),
    ("id",),
)


def rows_on(*days: Any, field: str = "day") -> list[dict[str, Any]]:
    return [{"id": number, field: day} for number, day in enumerate(days)]


def two_days(how: Window) -> TimeWindow:
    start, end = (datetime(2025, 7, day, tzinfo=UTC) for day in (4, 6))
    return TimeWindow(start, end, how)


def read(
    contract: Contract, rows: list[dict[str, Any]], how: Window | None = None, column: str = "day"
) -> dict[str, Any]:
    """Read rows of two days, and return the metrics of the read."""
    with serving(paged(rows)) as server:
        source = source_of(server, orders(MERGED), contract=contract)
        source.resources["orders"].add_step(
            WindowCheck("orders", column, two_days(how or Window()))
        )
        return metrics_of(extract_source(source))


def rows_outside(
    kind: DataType, rows: list[dict[str, Any]], how: Window | None = None
) -> tuple[int, int]:
    """Count rows outside, once one by one and once as an Arrow table."""
    columns = (Column("id", "id", "bigint", nullable=False), Column("day", "day", kind, True))
    contract = Contract("orders", columns, ("id",))
    table = table_of_rows(RowType(contract), rows)
    assert table is not None
    counts = []
    for item in (rows, table):
        step = WindowCheck("orders", "day", two_days(how or Window()))
        step.bind(dlt.resource([], name="orders")._pipe)
        step(item)
        counts.append(step.custom_metrics["rows_outside_window"])
    return counts[0], counts[1]


def error_of(rows: list[dict[str, Any]], **options: Any) -> str:
    with pytest.raises(PipelineStepFailed) as failed:
        read(KEYED, rows, **options)
    return str(find_cause(failed.value, WindowIgnoredError))


def test_a_read_with_most_of_its_rows_outside_fails() -> None:
    ignored = Window(start_param="from", end_param="until")

    error = error_of(rows_on("2025-07-03", "2025-07-06", "2025-07-04"), how=ignored)

    assert error.startswith(
        "orders: 2 of the 3 rows for from=2025-07-04, until=2025-07-05 have a "
        "`day` outside of it; the API seems to ignore `from` and `until`. Check their names, "
    )


@pytest.mark.parametrize("contract", [KEYED, TYPED])
def test_a_read_with_half_of_its_rows_inside_counts_the_others(
    contract: Contract, arrow_tables: list[Any]
) -> None:
    rows = rows_on("2025-07-03", "2025-07-04", "2025-07-05T12:00:00Z", "2025-07-06")

    metrics = read(contract, rows)

    assert metrics["rows_outside_window"] == 2
    assert metrics["items_count"] == 4
    assert arrow_tables


def test_rejected_rows_are_not_counted_and_the_date_column_may_be_renamed() -> None:
    contract = Contract("orders", primary_key=("id",), rename={"day": "placed_on"})
    rejected = [{"day": "2025-07-09"} for _ in range(3)]

    metrics = read(contract, [*rows_on("2025-07-04", "2025-07-06"), *rejected], column="placed_on")

    assert metrics["rows_outside_window"] == 1
    assert metrics["rows_rejected"] == 3


def test_a_date_column_that_no_row_has_is_named() -> None:
    error = error_of(rows_on("2025-07-05"), column="date")

    assert "none of the 1 rows" in error
    assert "has a value in `date`" in error
    assert "`date_column`" in error


def test_a_window_without_rows_is_read() -> None:
    assert read(KEYED, [])["rows_outside_window"] == 0


@pytest.mark.parametrize("column", ["day", "about__day", "when"])
def test_the_date_of_a_row_is_found_in_the_field_of_its_column(column: str) -> None:
    rows = [
        {"id": number, "day": day, "about": {"day": day}, "When": f"{day}T23:00:00Z"}
        for number, day in enumerate(("2025-07-05", "2025-07-05", "2025-07-06"))
    ]

    assert read(KEYED, rows, column=column)["rows_outside_window"] == 1
    assert [str(value_in_column(row, column))[:10] for row in rows] == [row["day"] for row in rows]
    assert value_in_column(rows[0], "week") is None
    assert value_in_column("no object", column) is None


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("date", ["2025-07-04", "2025-07-05", "2025-07-05", "2025-07-06"]),
        (
            "timestamp",
            ["2025-07-03T23:59:59.999999Z", "2025-07-04T00:00:00Z", "2025-07-06T01:00:00+02:00"],
        ),
        ("text", ["20250703", "2025-07-05", "2025-07-05T23:00:00Z", "20250704"]),
    ],
)
def test_arrow_tables_are_counted_like_rows(kind: DataType, written: list[Any]) -> None:
    assert rows_outside(kind, rows_on(*written, None)) == (2, 2)


@pytest.mark.parametrize(
    ("form", "kind", "written"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", "date", ["2025-07-06", "2025-07-07"]),
        ("%Y-%m-%dT%H:%M:%SZ", "timestamp", ["2025-07-06T00:00:00.9Z", "2025-07-06T00:00:01Z"]),
        ("%Y-%m-%dT%HZ", "timestamp", ["2025-07-06T00:59:59Z", "2025-07-06T01:00:00Z"]),
        ("%Y-%m-%dT%HZ", "text", ["2025-07-06", "2025-07-06T01:00:00Z"]),
    ],
)
def test_rows_at_an_inclusive_end_are_inside(form: str, kind: DataType, written: list[str]) -> None:
    rows = rows_on(*["2025-07-05" if kind == "date" else "2025-07-05T00:00:00Z"] * 2, *written)

    assert rows_outside(kind, rows, Window(format=form)) == (1, 1)
    assert rows_outside(kind, rows, Window(format=form, end_is_inclusive=False)) == (2, 2)
