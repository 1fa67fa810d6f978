"""Changes between two loads: of types in the entry, and of the warehouse by hand."""

from collections.abc import Callable
from typing import Any

from analytics_assets_tests.project.hostile.faults.case import Case, Row
from analytics_assets_tests.project.hostile.faults.cases.values import changed


def each(change: Callable[[Row], Row]) -> Callable[[list[Row]], list[Any]]:
    """Change every row."""
    return lambda rows: [{**row, **change(row)} for row in rows]


CASES = [
    Case(
        "integers were stored, numbers with fractions come",
        rows=changed(sessions=12.5),
        columns={"sessions": {"data_type": "double"}},
    ),
    Case(
        "integers were stored, texts with leading zeros come",
        rows=each(lambda row: {"sessions": f"{row['sessions']:07}"}),
        columns={"sessions": {"data_type": "text"}},
    ),
    Case(
        "dates were stored, times come",
        rows=each(lambda row: {"date": f"{row['date']}T23:30:00Z"}),
        columns={"date": {"data_type": "timestamp"}},
    ),
    Case(
        "texts were stored, the entry now says integers",
        columns={"note": {"data_type": "bigint"}},
    ),
    Case("the table dropped", statement="DROP TABLE {table}"),
    Case("a column dropped", statement="ALTER TABLE {table} DROP COLUMN sessions"),
    Case(
        "dlt's column of the load dropped", statement="ALTER TABLE {table} DROP COLUMN _dlt_load_id"
    ),
    Case("dlt's records of loads dropped", statement="DROP TABLE analytics._dlt_loads"),
    Case(
        "the table of rows that wait for a merge dropped",
        statement="DROP TABLE analytics_staging.visits",
    ),
]
