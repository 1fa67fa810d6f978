"""Queries on tables that were made by SQL, alike on DuckDB and on PostgreSQL."""

from datetime import UTC, date, datetime

import pytest

from analytics_assets.warehouse.errors import SpanUnknownError
from analytics_assets.warehouse.queries.tables import Span
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.tables import opened_with

TIME = "timestamp with time zone"
MARCH, APRIL = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC)


def test_the_newest_time_is_known_wherever_the_server_is(warehouse: Warehouse) -> None:
    last = "9999-12-31T23:59:59Z"
    with opened_with(warehouse, times=(f"until {TIME}", f"('{last}')")) as tables:
        assert tables.newest("times", "until") == datetime.fromisoformat(last)


def test_the_newest_value_is_found_in_dates_times_and_text(warehouse: Warehouse) -> None:
    columns = f"id bigint, day date, moment {TIME}, text varchar, words varchar, nothing date"
    rows = """
    (1, '2025-03-01', '2025-03-01T23:00:00Z', '2025-03-01', 'x', NULL),
    (2, '2025-03-02', '2025-03-02T10:30:00Z', '2025-03-02', 'y', NULL)
    """
    with opened_with(warehouse, kinds=(columns, rows)) as tables:
        assert tables.newest("kinds", "day") == datetime(2025, 3, 2, tzinfo=UTC)
        assert tables.newest("kinds", "moment") == datetime(2025, 3, 2, 10, 30, tzinfo=UTC)
        assert tables.newest("kinds", "text") == datetime(2025, 3, 2, tzinfo=UTC)
        assert tables.newest("kinds", "nothing") is None
        assert tables.newest("kinds", "id") is None
        assert tables.newest("kinds", "words") is None
        last = datetime(2025, 3, 2, tzinfo=UTC)
        assert tables.size("kinds", ["day", "nothing"]) == (2, {"day": last, "nothing": None})
        assert tables.size("kinds", []) == (2, {})


def test_a_table_that_does_not_exist_has_no_columns(warehouse: Warehouse) -> None:
    with opened_with(warehouse, there=("id bigint", "(1)")) as tables:
        assert list(tables.columns("there")) == ["id"]
        assert tables.columns("no_such_table") == {}


def test_rows_of_a_span_are_counted_by_day_or_by_minute(warehouse: Warehouse) -> None:
    columns = f"day date, moment {TIME}"
    rows = """
    ('2025-03-31', '2025-03-31T23:59:58Z'), ('2025-03-31', '2025-03-31T23:59:59Z'),
    ('2025-04-01', '2025-04-01T00:00:00Z')
    """
    with opened_with(warehouse, visits=(columns, rows)) as tables:
        by_day = tables.rows_by_minute("visits", Span("day", MARCH, APRIL))
        by_minute = tables.rows_by_minute("visits", Span("moment", MARCH, APRIL))
    assert by_day == [(date(2025, 3, 31), 2)]
    [(minute, rows_of_it)] = by_minute
    assert (minute.astimezone(UTC), rows_of_it) == (datetime(2025, 3, 31, 23, 59, tzinfo=UTC), 2)


ORDERS = ("id bigint, day date, words varchar, _dlt_load_id varchar, _dlt_id varchar", """
(1, '2025-03-01', '', 'old', 'r1'), (2, '2025-03-02', '', 'new', 'r2'),
(3, '2025-04-01', '', 'old', 'r3')
""")  # fmt: skip


@pytest.mark.parametrize(
    ("span", "of_other_loads", "left"),
    [(None, 2, 1), (Span("day", MARCH, APRIL), 1, 2)],
    ids=["whole table", "span"],
)
def test_rows_of_other_loads_are_deleted_with_their_rows_in_child_tables(
    warehouse: Warehouse, span: Span | None, of_other_loads: int, left: int
) -> None:
    parts = ("_dlt_parent_id varchar, _dlt_id varchar", "('r1', 'c1'), ('r2', 'c2'), ('r3', 'c3')")
    with opened_with(warehouse, orders=ORDERS, orders__parts=parts) as tables:
        assert tables.rows_of_loads("orders", ["new"], span) == 1
        assert tables.rows_of_other_loads("orders", ["new"], span) == of_other_loads
        tables.delete_rows_of_other_loads("orders", ["new"], span)
        assert tables.row_count("orders") == tables.row_count("orders__parts") == left
        assert tables.rows_of_other_loads("orders", ["new"], span) == 0


def test_the_rows_of_a_span_are_unknown_where_its_column_holds_text(warehouse: Warehouse) -> None:
    with (
        opened_with(warehouse, orders=ORDERS) as tables,
        pytest.raises(SpanUnknownError, match="`words` of `orders` is neither a date nor a time"),
    ):
        tables.rows_of_loads("orders", ["new"], Span("words", MARCH, APRIL))
