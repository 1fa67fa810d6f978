"""Changes of the warehouse that somebody makes by hand between two loads."""

from analytics_assets_tests.faults.case import Case

CASES = [
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
