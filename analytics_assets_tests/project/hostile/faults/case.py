"""A case: a fault, the expected outcome, and the API's rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from analytics_assets.config.api import Api
from analytics_assets.defs.analytics.api import API
from analytics_assets_tests.project.hostile.faults.visits import PATH
from analytics_assets_tests.support.http.fault import Fault

OPENAPI = Path(__file__).with_name("openapi.json")
RESOURCE = "visits"
LOADED, FAILED, EITHER = "loaded", "failed", "loaded or failed"
FIRST_DAY = date(2025, 1, 1)

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A fault, and the expected outcome of a load under it.

    Args:
        name: the fault in words.
        fault: the server's fault; None for faults of the rows themselves.
        expected: `loaded`, `failed`, or either, where both are right.
        says: a part of the error.
        rejected: the positions of the API's rows that belong in the table of rejected rows.
        rows: makes the API's rows from the usual ones.
        read_as: turns those rows into the ones that the fault makes of them.
        settings: environment of the load.
        columns: dlt's column hints of the resource.
        statement: SQL that somebody runs between the loads; `{table}` is the table.
        token_lifetime: seconds that a token lives.
        stated_lifetime: seconds by the token endpoint; the true ones if not given.
        first: True for the first load, without a table before it.
        most_requests: the most requests for rows that the load may send.
        slow: True if it takes more than five seconds.
        duckdb_only: True if it is beyond the limits of PostgreSQL.
    """

    name: str
    fault: Fault | None = None
    expected: str = LOADED
    says: str = ""
    rejected: tuple[int, ...] = ()
    rows: Callable[[list[Row]], list[Any]] = list
    read_as: Callable[[list[Row]], list[Any]] = list
    settings: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    statement: str = ""
    token_lifetime: float = 3600
    stated_lifetime: float | None = None
    first: bool = False
    most_requests: int | None = None
    slow: bool = False
    duckdb_only: bool = False

    def table(self, api_rows: list[Any]) -> list[Row]:
        """Return what the table must hold: of each key the row that the API sends last."""
        rows = self.read_as(list(api_rows))
        good = [row for position, row in enumerate(rows) if position not in self.rejected]
        return one_per_key(good)


def one_per_key(rows: list[Row]) -> list[Row]:
    """Return of each key the row that comes last."""
    return list({row["id"]: row for row in rows}.values())


def row(number: int, version: int = 1) -> Row:
    """Make a row; another version of it differs in its numbers and its time."""
    return {
        "id": f"v-{number:04}",
        "date": (FIRST_DAY + timedelta(days=number)).isoformat(),
        "sessions": 100 * number + version,
        "bounce_rate": None if number % 5 == 0 else number / 1000 + version,
        "note": f"visit {number}, “Ж”",
        "updated_at": f"2025-10-0{version}T12:00:00Z",
    }


def rows_before() -> list[Row]:
    """The API's rows at the time of the load before."""
    return [row(number) for number in range(240)]


def rows_now() -> list[Row]:
    """The API's rows at the time of the fault: 250, some restated, one new at 50, nine at the end.

    None is gone, as rows that are gone from the API stay in a table.
    """
    rows = [row(number, version=2 if number % 40 == 7 else 1) for number in range(249)]
    return [*rows[:50], row(900), *rows[50:]]


def visits_api(columns: Mapping[str, Any] | None = None, typed: bool = False) -> Api:
    """The analytics API with the resource of these tests in place of its own."""
    entry = {
        "name": RESOURCE,
        "columns": {"date": {"data_type": "date"}, **(columns or {})},
        "endpoint": {
            "path": PATH,
            "data_selector": "data",
            "paginator": {"type": "offset", "limit": 100},
        },
    }
    openapi = str(OPENAPI) if typed else None
    return Api(name=API.name, config={**API.config, "resources": [entry]}, openapi=openapi)
