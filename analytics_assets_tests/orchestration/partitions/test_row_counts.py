"""Row counts of partitions, read from the date column of the table itself."""

import pytest

from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.partitions.row_counts import row_counts
from analytics_assets.sandbox.series import FIRST_DAY
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.partitioned import api_of

DAYS = ["2025-07-02", "2025-07-03", "2025-07-04"]
COLUMNS = {
    "date": ("date", "'2025-07-02'", "'2025-07-04'"),
    "when": (
        "timestamp with time zone",
        "'2025-07-02T23:59:59Z'",
        "'2025-07-04T00:00:00Z'",
    ),
    "about__day": ("varchar", "'2025-07-02'", "'2025-07-04T12:00:00Z'"),
}


def resource_by(date_column: str) -> ResourceConfig:
    load = Partitioned(start=FIRST_DAY)
    return api_of("page_views", load, date_column=date_column).resources["page_views"]


def insert(warehouse: Warehouse, column: str) -> None:
    kind, first, last = COLUMNS[column]
    with warehouse.pipeline("writer").sql_client() as client:
        client.create_dataset()
        table, name = client.make_qualified_table_name("page_views"), f'"{column}"'
        client.execute_sql(f"CREATE TABLE {table} (id bigint, {name} {kind})")
        client.execute_sql(f"INSERT INTO {table} VALUES (1, {first}), (2, {last}), (3, {last})")


@pytest.mark.parametrize("column", COLUMNS)
def test_rows_count_to_the_day_of_their_date_time_or_nested_text(
    warehouse: Warehouse, column: str
) -> None:
    insert(warehouse, column)
    with warehouse.open() as tables:
        counts = row_counts(tables, resource_by(column), DAYS)
    assert counts == {"2025-07-02": 1, "2025-07-03": 0, "2025-07-04": 2}


def test_a_table_without_the_column_or_no_table_has_no_rows_of_any_day(
    warehouse: Warehouse,
) -> None:
    with warehouse.open() as tables:
        assert row_counts(tables, resource_by("date"), DAYS) == dict.fromkeys(DAYS, 0)
    insert(warehouse, "when")
    with warehouse.open() as tables:
        assert row_counts(tables, resource_by("date"), DAYS) == dict.fromkeys(DAYS, 0)
