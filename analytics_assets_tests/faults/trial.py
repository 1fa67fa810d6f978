"""One trial of a fault: the load under it, and whether what came out may come out."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg

from analytics_assets.warehouse import Warehouse
from analytics_assets_tests.faults.fault import (
    EITHER,
    FAILED,
    LOADED,
    RESOURCE,
    Fault,
    Row,
    one_per_key,
    rows_before,
    rows_now,
    visits_api,
)
from analytics_assets_tests.faults.server import FaultyServer
from analytics_assets_tests.loading import failures_of, load, table_rows

SETTINGS = {"RUNTIME__REQUEST_TIMEOUT": "5", "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.01"}


@dataclass(frozen=True)
class Outcome:
    """What came out of a load.

    Args:
        fault: the name of the fault.
        outcome: `loaded` or `failed`.
        expected: how many rows the table had to hold.
        found: how many it holds.
        rejected: how many are in the table of rejected rows.
        requests: how many requests for rows were sent.
        error: why it failed.
    """

    fault: str
    outcome: str
    expected: int
    found: int
    rejected: int
    requests: int
    error: str = ""

    def as_property(self) -> tuple[str, str]:
        """Return it as a property of a test's report, which passes between processes."""
        return "fault", json.dumps(asdict(self))


def try_fault(
    fault: Fault, warehouse: Warehouse, instance: dg.DagsterInstance
) -> Iterator[Outcome]:
    """Load under the fault, and without it if that failed; the warehouse holds the load before.

    Yields:
        What came out of the load under the fault, before it is judged.

    Raises:
        AssertionError: it may not come out.
    """
    api = visits_api(fault.columns)
    before = [] if fault.first else rows_before()
    served = fault.rows(rows_now())
    with (
        FaultyServer(served, fault.token_lifetime, fault.stated_lifetime) as server,
        environment({**SETTINGS, **address(server), **fault.settings}),
    ):
        server.play(fault.trick)
        result = load(instance, RESOURCE, api=api)
        error = "\n".join(failures_of(result).values())
        found = rows_in(warehouse)
        rejected = count_rejected(warehouse)
        outcome = LOADED if result.success else FAILED
        expected = shaped(fault.table(server.rows) if result.success else before)
        requests = server.requests["rows"]
        yield Outcome(
            fault.name, outcome, len(expected), len(found), rejected, requests, error[:2000]
        )
        assert outcome == fault.expected or fault.expected == EITHER, error[:1000]
        assert differences(expected, found) == []
        assert fault.most_requests is None or requests <= fault.most_requests
        if result.success:
            assert rejected == len(fault.rejected)
            return
        assert RESOURCE in error
        assert fault.says in error
        server.mend()
        if fault.trick is None:
            server.rows = rows_now()
        again = load(instance, RESOURCE, api=api)
        assert again.success, str(failures_of(again))[:1000]
        assert differences(shaped(one_per_key(server.rows)), rows_in(warehouse)) == []


def address(server: FaultyServer) -> dict[str, str]:
    """Return the settings that say where the API is."""
    return {
        "BASE_URL": server.url,
        "TOKEN_URL": f"{server.url}/token",
        "CLIENT_ID": server.client_id,
        "CLIENT_SECRET": "a secret of the tests",
    }


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def shaped(rows: list[Row]) -> list[Row]:
    """Return rows as a table holds them: ordered by key, and each with every column."""
    columns = dict.fromkeys(name for row in rows for name in row)
    return sorted(({**columns, **row} for row in rows), key=lambda row: str(row["id"]))


def differences(expected: list[Row], found: list[Row]) -> list[str]:
    """Tell the first few rows that are not the same, by content; empty columns do not count."""
    wanted, held = ({row["id"]: _filled(row) for row in rows} for rows in (expected, found))
    told = [
        f"{key}: expected {str(wanted.get(key))[:200]}, found {str(held.get(key))[:200]}"
        for key in sorted(wanted.keys() | held.keys())
        if wanted.get(key) != held.get(key)
    ]
    doubled = len(found) - len(held)
    return [*told[:3], *([f"{len(told)} rows differ"] if told else [])] + (
        [f"{doubled} rows stand twice"] if doubled else []
    )


def rows_in(warehouse: Warehouse) -> list[Row]:
    """Return the table's rows, none if there is no table."""
    with warehouse.open() as tables:
        exists = bool(tables.columns(RESOURCE))
    return table_rows(warehouse, RESOURCE) if exists else []


def count_rejected(warehouse: Warehouse) -> int:
    """Count the rows in the table of rejected rows; none if there is no such table."""
    with warehouse.open() as tables:
        return tables.row_count("rejected_rows") if tables.columns("rejected_rows") else 0


def _filled(row: Row) -> dict[str, Any]:
    """Return the columns that hold something, JSON texts as what they say."""
    return {name: _parsed(value) for name, value in row.items() if value is not None}


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value
