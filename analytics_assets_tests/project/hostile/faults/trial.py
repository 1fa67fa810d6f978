"""One trial of a case: the load under its fault, the outcome, and the verdict on it."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from analytics_assets_tests.project.hostile.faults.case import (
    EITHER,
    FAILED,
    LOADED,
    Case,
    Row,
    one_per_key,
    rows_before,
    rows_now,
)
from analytics_assets_tests.project.hostile.faults.visits import TOKEN_PATH, VisitsServer

SETTINGS = {"RUNTIME__REQUEST_TIMEOUT": "5", "RUNTIME__REQUEST_BACKOFF_FACTOR": "0.01"}
ERROR_LENGTH = 1500  # characters; some errors of dlt hold the whole page


class Target(Protocol):
    """A table, or its like, and the means to load it."""

    def load(self, columns: Mapping[str, Any]) -> str | None:
        """Load the resource; return why that failed, None if it did not."""

    def change(self, statement: str) -> None:
        """Run SQL on the warehouse, `{table}` being the table."""

    def content(self) -> tuple[list[Row], int]:
        """Return the rows of the table, and how many rows have been rejected."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a load.

    Args:
        case: The name of the case.
        outcome: `loaded` or `failed`.
        expected: How many rows the table had to hold.
        found: How many it holds.
        wrong: How many rows differ from the expected ones.
        rejected: How many are in the table of rejected rows.
        requests: How many requests for rows were sent.
        example: The first rows that differ.
        error: Why it failed.
        next_run: The outcome of the next run, without the fault; only if this one failed.
    """

    case: str
    outcome: str
    expected: int
    found: int
    wrong: int = 0
    rejected: int = 0
    requests: int = 0
    example: str = ""
    error: str = ""
    next_run: "Outcome | None" = None


def try_case(case: Case, target: Target) -> Outcome:
    """Load under the fault, and once more without it if that failed.

    Args:
        case: The case.
        target: Holds the rows of the load before.

    Returns:
        The outcome.
    """
    with (
        VisitsServer(case.rows(rows_now()), case.token_lifetime, case.stated_lifetime) as server,
        environment({**SETTINGS, **address(server), **case.settings}),
    ):
        server.play(case.fault)
        if case.statement:
            target.change(case.statement)
        error = target.load(case.columns)
        before = [] if case.first else rows_before()
        expected = before if error is not None else case.table(server.rows)
        outcome = outcome_of(case.name, target, expected, error, server.count())
        if error is None:
            return outcome
        server.recover()
        if case.rows is not list:
            server.rows = rows_now()
        error = target.load(case.columns)
        again = outcome_of("the next run", target, one_per_key(server.rows), error)
        return replace(outcome, next_run=again)


def judge(case: Case, outcome: Outcome) -> None:
    """Refuse an outcome that is wrong.

    Raises:
        AssertionError: The table is wrong, or the outcome is not the one that the case expects.
    """
    assert outcome.wrong == 0, outcome.example
    assert outcome.outcome == case.expected or case.expected == EITHER, outcome.error
    assert case.most_requests is None or outcome.requests <= case.most_requests
    if outcome.next_run is None:
        assert outcome.rejected == len(case.rejected)
        return
    assert case.says in outcome.error, outcome.error
    assert outcome.next_run.outcome == LOADED, outcome.next_run.error
    assert outcome.next_run.wrong == 0, outcome.next_run.example


def outcome_of(
    name: str, target: Target, expected: list[Row], error: str | None, requests: int = 0
) -> Outcome:
    """Compare the table with the expected rows."""
    found, rejected = target.content()
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
    """Return the rows that are not the same, by content; empty columns do not count."""
    wanted, held = ({row["id"]: _filled(row) for row in rows} for rows in (expected, found))
    differing = [
        f"{key}: expected {str(wanted.get(key))[:200]}, found {str(held.get(key))[:200]}"
        for key in sorted(wanted.keys() | held.keys())
        if wanted.get(key) != held.get(key)
    ]
    return differing + ["a row that is there twice"] * (len(found) - len(held))


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


def address(server: VisitsServer) -> dict[str, str]:
    """Return the settings of the API's address and client."""
    return {
        "BASE_URL": server.base_url,
        "TOKEN_URL": server.url(TOKEN_PATH),
        "CLIENT_ID": server.client_id,
        "CLIENT_SECRET": "a secret of the tests",
    }


def _filled(row: Row) -> dict[str, Any]:
    """Return the columns that are not empty, JSON texts parsed."""
    return {name: _parsed(value) for name, value in row.items() if value is not None}


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return value
