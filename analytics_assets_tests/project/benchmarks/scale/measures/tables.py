"""A load of ten rows, with its checks, into a table of many rows."""

from collections.abc import Mapping
from contextlib import closing
from functools import partial

import duckdb
import psycopg2

from analytics_assets_tests.project.benchmarks.measurement.merging import DUCKDB, POSTGRES
from analytics_assets_tests.project.benchmarks.scale.api_server import serving
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.measures.resources import JOB
from analytics_assets_tests.project.benchmarks.scale.place import Place, placed
from analytics_assets_tests.project.benchmarks.scale.project import Project

SIZES = (100_000, 1_000_000, 10_000_000)
ROWS = 10  # of a load
TABLE = "scale.resource_0"
FILL = f"""
    INSERT INTO {TABLE} (id, date, country, sessions, updated_at, _dlt_load_id, _dlt_id)
    SELECT 'older-' || n, date '2020-01-01' + CAST(n % 1000 AS integer), 'DE', n,
        timestamp '2020-01-01', (SELECT max(_dlt_load_id) FROM {TABLE}), 'older-' || n
    FROM {{numbers}}
"""


def _take(warehouse: str, project: Project, size: int) -> Mapping[str, float]:
    """Load into an empty table, which is then filled, and twice more; the last load counts."""
    with serving() as url, placed(project, warehouse, {"url": f"{url}/{ROWS}x1/"}) as place:
        place.run_job(JOB)
        _fill(place, size - ROWS)
        place.run_job(JOB)
        usage = place.run_job(JOB)
    return {
        "10 rows, CPU s": usage.cpu_seconds,
        "10 rows, s": usage.seconds,
        "10 rows, memory MB": usage.peak_bytes / 1e6,
    }


def _fill(place: Place, rows: int) -> None:
    if place.server is None:
        with duckdb.connect(str(place.folder.path / "warehouse.duckdb")) as connection:
            connection.execute(FILL.format(numbers=f"range({rows}) AS numbers(n)"))
        return
    with closing(psycopg2.connect(place.server.url())) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(FILL.format(numbers=f"generate_series(1, {rows}) AS numbers(n)"))
        cursor.execute(f"VACUUM ANALYZE {TABLE}")  # as the server does by itself some time later
        cursor.execute("CHECKPOINT")


MEASURES = [
    Measure(
        name="tables",
        title=f"Load of {ROWS} rows into a large table, {title}",
        counted="rows",
        sizes=SIZES,
        take=partial(_take, warehouse),
        further="each further million rows",
        step=1_000_000,
    )
    for warehouse, title in ((DUCKDB, "DuckDB"), (POSTGRES, "PostgreSQL"))
]
