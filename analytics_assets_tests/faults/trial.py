"""One trial of a fault: the load under it, what came out, and whether that may come out."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import dagster as dg

from analytics_assets.warehouse.warehouse import Warehouse
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
from analytics_assets_tests.support.loading import failures_of, load, table_rows

SETTINGS = {"RUNTIME__REQUEST_TIMEOUT": "5", "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.01"}
ERROR_LENGTH = 1500  # characters; some errors of dlt hold the whole page

Load = Callable[[Fault, FaultyServer], str | None]
"""Loads the resource; returns why that failed, None if it did not."""


@dataclass(frozen=True)
class Outcome:
    """What came out of a load.

    Args:
        fault: the name of the fault.
        outcome: `loaded` or `failed`.
        expected: how many rows the table had to hold.
        found: how many it holds.
        wrong: how many rows differ from what had to be there.
        rejected: how many are in the table of rejected rows.
        requests: how many requests for rows were sent.
        example: the first rows that differ.
        error: why it failed.
        next_run: the same of the next run, without the fault; only if this one failed.
    """

    fault: str
    outcome: str
    expected: int
    found: int
    wrong: int = 0
    rejected: int = 0
    requests: int = 0
    example: str = ""
    error: str = ""
    next_run: "Outcome | None" = None

    def as_property(self) -> tuple[str, str]:
        """Return it as a property of a test's report, which passes between processes."""
        return "fault", json.dumps(asdict(self))


def try_fault(fault: Fault, warehouse: Warehouse, load_once: Load) -> Outcome:
    """Load under the fault, and once more without it if that failed.

    Args:
        fault: what goes wrong.
        warehouse: holds the load before.
        load_once: loads the resource.

    Returns:
        What came out.
    """
    served = fault.rows(rows_now())
    with (
        FaultyServer(served, fault.token_lifetime, fault.stated_lifetime) as server,
        environment({**SETTINGS, **address(server), **fault.settings}),
    ):
        server.play(fault.trick)
        error = load_once(fault, server)
        before = [] if fault.first else rows_before()
        expected = before if error is not None else fault.table(server.rows)
        outcome = look(fault.name, warehouse, expected, error, server.requests["rows"])
        if error is None:
            return outcome
        server.mend()
        if fault.rows is not list:
            server.rows = rows_now()
        error = load_once(fault, server)
        again = look("the next run", warehouse, one_per_key(server.rows), error)
        return replace(outcome, next_run=again)


def judge(fault: Fault, outcome: Outcome) -> None:
    """Refuse what may not come out.

    Raises:
        AssertionError: the rule, or what the fault's entry says, does not hold.
    """
    assert outcome.wrong == 0, outcome.example
    assert outcome.outcome == fault.expected or fault.expected == EITHER, outcome.error
    assert fault.most_requests is None or outcome.requests <= fault.most_requests
    if outcome.next_run is None:
        assert outcome.rejected == len(fault.rejected)
        return
    assert outcome.error.startswith(f"{RESOURCE} was not loaded."), outcome.error
    assert fault.says in outcome.error, outcome.error
    assert outcome.next_run.outcome == LOADED, outcome.next_run.error
    assert outcome.next_run.wrong == 0, outcome.next_run.example


def load_by_dagster(instance: dg.DagsterInstance, typed: bool = False) -> Load:
    """Return what loads the resource as the project does, with or without a contract."""

    def load_once(fault: Fault, server: FaultyServer) -> str | None:
        result = load(instance, RESOURCE, api=visits_api(fault.columns, typed))
        return None if result.success else "\n".join(failures_of(result).values())

    return load_once


def look(
    name: str,
    warehouse: Warehouse,
    expected: list[Row],
    error: str | None,
    requests: int = 0,
) -> Outcome:
    """Hold the table against what it had to be."""
    found, rejected = held_by(warehouse)
    differing = differences(expected, found)
    return Outcome(
        name,
        LOADED if error is None else FAILED,
        len(expected),
        len(found),
        len(differing),
        rejected,
        requests,
        "\n".join(differing[:3]),
        (error or "")[:ERROR_LENGTH],
    )


def differences(expected: list[Row], found: list[Row]) -> list[str]:
    """Tell the rows that are not the same, by content; empty columns do not count."""
    wanted, held = ({row["id"]: _filled(row) for row in rows} for rows in (expected, found))
    differing = [
        f"{key}: expected {str(wanted.get(key))[:200]}, found {str(held.get(key))[:200]}"
        for key in sorted(wanted.keys() | held.keys())
        if wanted.get(key) != held.get(key)
    ]
    return differing + ["a row that stands twice"] * (len(found) - len(held))


def held_by(warehouse: Warehouse) -> tuple[list[Row], int]:
    """Return the table's rows, none if there is no table, and how many have been rejected."""
    with warehouse.open() as tables:
        exists = bool(tables.columns(RESOURCE))
        rejected = tables.row_count("rejected_rows") if tables.columns("rejected_rows") else 0
    return table_rows(warehouse, RESOURCE) if exists else [], rejected


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


def _filled(row: Row) -> dict[str, Any]:
    """Return the columns that hold something, JSON texts as what they say."""
    return {name: _parsed(value) for name, value in row.items() if value is not None}


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value
