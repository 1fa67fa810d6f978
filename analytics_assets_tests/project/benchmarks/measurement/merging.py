"""Duration of merging changed rows into tables of growing size."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import dlt
import duckdb
import pyarrow as pa

from analytics_assets.config.api import Api
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.compat import DLT_COLUMNS, load_id
from analytics_assets.extract.entry import DEDUPLICATED
from analytics_assets.extract.rows.columns.dlt_columns import with_dlt_columns
from analytics_assets.warehouse.queries.keys import duplicated_keys
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.loaders.own_api import own_api
from analytics_assets_tests.project.benchmarks.loaders.stages import seconds_in
from analytics_assets_tests.project.benchmarks.loaders.task import DATASET, RESOURCES, Task
from analytics_assets_tests.project.benchmarks.measurement.copying import copy_seconds, write_rows
from analytics_assets_tests.support.postgres import PostgresServer, postgres_settings

SIZES = (100_000, 1_000_000, 10_000_000)  # rows of the table
DUCKDB, POSTGRES = WAREHOUSES = ("duckdb", "postgres")
POSTGRES_URL = "DESTINATION__POSTGRES__CREDENTIALS"
CHANGED = 100  # one row of so many is merged again
ROUNDS, REPEATED = 3, (100_000, 1_000_000)  # sizes that take seconds are merged anew
BATCH_ROWS = 20_000
RESOURCE = RESOURCES[0]
ROWS = """
    SELECT 'event_' || lpad(n::text, 10, '0') AS id, DATE '2025-01-01' + (n % 365)::int AS date,
        'property_' || n % 50 AS analytics_id, md5(n::text)[:16] AS user_key,
        ['DE', 'FR', 'JP', 'US'][n % 4 + 1] AS country,
        ['desktop', 'mobile', 'tablet'][n % 3 + 1] AS device, (n % 5000)::bigint AS sessions,
        (n % 30000)::bigint AS page_views, n % 10000 / 1e4 AS bounce_rate,
        n % 90000 / 1e2 AS avg_session_duration,
        TIMESTAMPTZ '2025-01-01 00:00:00Z' + to_seconds(n) AS updated_at, n % 5 < 2 AS is_returning
    FROM range(0, {rows}, {step}) AS numbers(n)
"""


@dataclass(frozen=True)
class Merge:
    """Duration of a merge.

    Args:
        warehouse: the warehouse of the table.
        rows: number of its rows.
        changed: number of rows that were merged again, spread over the table.
        first_seconds: duration of dlt's load step when all rows were new.
        seconds: its duration for the changed rows.
        copy_seconds: seconds of COPY into a staging table and one INSERT of all rows; in PostgreSQL
            alone.
    """

    warehouse: str
    rows: int
    changed: int
    first_seconds: float
    seconds: float
    copy_seconds: float | None = None


def merges(sizes: Sequence[int] = SIZES, warehouses: Sequence[str] = WAREHOUSES) -> Iterator[Merge]:
    """Fill a table of each size in each warehouse, and merge one row in a hundred again.

    Raises:
        BenchmarkError: the table does not have the rows that it should have.
    """
    for warehouse in warehouses:
        for rows in sizes:
            rounds = ROUNDS if REPEATED[0] <= rows <= REPEATED[1] else 1
            yield _medians([_merge(warehouse, rows) for _ in range(rounds)])


def _merge(warehouse: str, rows: int) -> Merge:
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-merge-") as folder,
        pointed_at(warehouse, Path(folder)),
    ):
        contract = resource_of(_api(Path(folder)), RESOURCE).contract
        if warehouse == POSTGRES:
            file, url = Path(folder) / "rows.parquet", os.environ[POSTGRES_URL]
            write_rows(_tables(rows, 1, "a load"), file)
            copied = copy_seconds(url, file)  # also warms the server up for the load
            first = _load(contract, rows, 1)
            copied = min(copied, copy_seconds(url, file))
        else:
            first, copied = _load(contract, rows, 1), None
        again = _load(contract, rows, CHANGED)
        _refuse_loss(rows)
    return Merge(warehouse, rows, -(-rows // CHANGED), first, again, copied)


def _medians(taken: Sequence[Merge]) -> Merge:
    copied = [merge.copy_seconds for merge in taken if merge.copy_seconds]
    return replace(
        taken[0],
        first_seconds=median(merge.first_seconds for merge in taken),
        seconds=median(merge.seconds for merge in taken),
        copy_seconds=median(copied) if copied else None,
    )


@contextmanager
def pointed_at(warehouse: str, folder: Path) -> Iterator[None]:
    """Set a new file, or a new server, as the warehouse in the environment."""
    before = dict(os.environ)
    with ExitStack() as stack:
        stack.callback(os.environ.update, before)
        stack.callback(os.environ.clear)
        os.environ |= {"DATASET_NAME": DATASET, "PIPELINES_DIR": str(folder / "work")}
        os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"  # or dlt warns of each batch of Arrow
        if warehouse == POSTGRES:
            os.environ |= postgres_settings(stack.enter_context(PostgresServer()).url())
        else:
            os.environ["DESTINATION__DUCKDB__CREDENTIALS"] = str(folder / "loaded.duckdb")
        yield


def _api(folder: Path) -> Api:
    return own_api(Task("http://127.0.0.1", folder / "unused.duckdb", 1, folder, stages=False))


def _load(contract: Contract, rows: int, step: int) -> float:
    """Load every `step`-th row as an asset does, and return the seconds of dlt's load step."""
    tables: Iterator[Any] = _loaded_tables(rows, step)
    resource = dlt.resource(
        tables,
        name=RESOURCE,
        primary_key="id",
        write_disposition=DEDUPLICATED,
        columns={**contract.hints(), **DLT_COLUMNS},
    )
    warehouse = Warehouse.from_settings("analytics")
    with warehouse.loading("merging", len(contract.columns)) as pipeline:
        pipeline.run(resource, loader_file_format="parquet")
        return seconds_in(pipeline.last_trace)["load"]


def _loaded_tables(rows: int, step: int) -> Iterator[pa.Table]:
    load = load_id()
    assert load, "tables are requested by a load"
    yield from _tables(rows, step, load)


def _tables(rows: int, step: int, load: str) -> Iterator[pa.Table]:
    with duckdb.connect() as connection:
        found = connection.sql(ROWS.format(rows=rows, step=step))
        for batch in found.to_arrow_reader(BATCH_ROWS):
            yield next(with_dlt_columns(pa.Table.from_batches([batch]), load)).rows


def _refuse_loss(rows: int) -> None:
    with Warehouse.from_settings("analytics").open() as tables:
        found = tables.row_count(RESOURCE)
        doubled = duplicated_keys(tables, RESOURCE, ["id"])
    if found != rows or doubled:
        raise BenchmarkError(
            f"There are {found} rows and {doubled} keys twice after {rows} rows were merged."
        )
