"""The table `load_health`: a row for each load of a resource, and each that failed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from dlt.common.data_types import TDataType
from dlt.common.schema.typing import TTableSchemaColumns

from analytics_assets.config.resource import LOAD_HEALTH
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.warehouse.destinations.client import WarehouseClient

LOADED = "loaded"
KEY = ("api", "run_id", "resource", "attempt")
COLUMNS: Mapping[str, tuple[TDataType, str]] = {  # the type and the description
    "api": ("text", "The API."),
    "resource": ("text", "The resource, whose table was loaded."),
    "outcome": (
        "text",
        "`loaded`, `failed`, or `killed` if its process ended early.",
    ),
    "started_at": ("timestamp", "The start of the load, in UTC."),
    "day": ("date", "The day of the start, in UTC."),
    "seconds": ("double", "The duration of the load."),
    "rows_loaded": ("bigint", "Rows that the load wrote."),
    "rows_received": ("bigint", "Rows that the API gave."),
    "rows_rejected": ("bigint", "Rows that broke the contract."),
    "rows_in_table": ("bigint", "Rows of the table after the load."),
    "newest_data": ("text", "The newest day in the table after the load."),
    "first_partition": ("text", "The first partition of the load."),
    "last_partition": ("text", "The last one."),
    "partitions": ("bigint", "The number of partitions that were loaded."),
    "complete": ("bool", "Whether the load was to read all rows that the API has."),
    "requests": ("bigint", "Requests sent to the API, retries included."),
    "retries": ("bigint", "Requests sent again."),
    "seconds_waiting": (
        "double",
        "Seconds of waiting for the API, of all requests added up.",
    ),
    "bytes_received": (
        "bigint",
        "Bytes of answers as they arrived: compressed if they were.",
    ),
    "unknown_fields": ("text", "Fields of the rows that the contract does not know."),
    "absent_fields": ("text", "Fields of the contract that no row has."),
    "pages_typed": ("bigint", "Pages that were decoded straight into columns."),
    "pages_by_dlt": ("bigint", "Pages whose rows dlt read one by one."),
    "error": ("text", "The first line of the error."),
    "requested_by": ("text", "The schedule, sensor or person that asked for the run."),
    "run_id": ("text", "The Dagster run."),
    "attempt": ("bigint", "The attempt of the run, from 1."),
    "load_id": ("text", "dlt's id of the load, as `_dlt_load_id` in the table."),
}


class Day(NamedTuple):
    """The loads of one day with one outcome.

    Args:
        day: the day in UTC on which they started.
        outcome: `loaded`, `failed` or `killed`.
        loads: their number.
        rows: the rows that they loaded.
        rejected: the rows that they rejected.
        seconds: their duration, added up.
    """

    day: date
    outcome: str
    loads: int
    rows: int
    rejected: int
    seconds: float


class LoadHealth:
    """The loads of an API, as its table `load_health` has them.

    Args:
        client: dlt's client of the destination, open.
        columns_of: returns the columns of a table, empty if there is no such table.
        api: the name of the API.
    """

    def __init__(
        self,
        client: WarehouseClient,
        columns_of: Callable[[str], TTableSchemaColumns],
        api: str,
    ) -> None:
        self._client, self._sql, self._api = client, client.sql_client, api
        self.exists = bool(columns_of(LOAD_HEALTH))

    def count(self) -> int:
        """Count the loads."""
        where = f"WHERE {self._column('api')} = %s"
        rows = self.exists and self._sql.execute_sql(
            f"SELECT count(*) FROM {self._table} {where}", self._api
        )
        return int(rows[0][0]) if rows else 0

    def days(self, since: date) -> list[Day]:
        """Count the loads from a day on, by day and outcome, oldest first."""
        names = ", ".join(map(self._column, ("day", "outcome")))
        return [_day(row) for row in self._totals(names, since)]

    def days_by_resource(self, since: date) -> dict[str, list[Day]]:
        """Count the loads of each resource from a day on, by day and outcome, oldest first."""
        names = ", ".join(map(self._column, ("day", "outcome", "resource")))
        found: dict[str, list[Day]] = {}
        for row in self._totals(names, since):
            found.setdefault(str(row[2]), []).append(_day([*row[:2], *row[3:]]))
        return found

    def last(self, *, succeeded: bool) -> dict[str, dict[str, Any]]:
        """Return the last load of each resource that succeeded, or that failed, as its row.

        Args:
            succeeded: True for the last one that succeeded, False for the last one that did not.
        """
        if not self.exists:
            return {}
        operator = "=" if succeeded else "<>"
        resource, at, outcome = map(self._column, ("resource", "started_at", "outcome"))
        where = f"{self._column('api')} = %s AND {outcome} {operator} %s"
        selected = ", ".join(f"h.{self._column(name)}" for name in COLUMNS)
        rows = self._sql.execute_sql(
            f"SELECT {selected} FROM {self._table} h JOIN (SELECT {resource} AS of_resource, "
            f"max({at}) AS newest FROM {self._table} WHERE {where} GROUP BY {resource}) n "
            f"ON h.{resource} = n.of_resource AND h.{at} = n.newest WHERE h.{where}",
            *(self._api, LOADED, self._api, LOADED),
        )
        found = (dict(zip(COLUMNS, row, strict=True)) for row in rows or ())
        return {
            str(row["resource"]): {**row, "started_at": parse_timestamp(row["started_at"])}
            for row in found
        }

    def _totals(self, names: str, since: date) -> Sequence[Sequence[Any]]:
        if not self.exists:
            return ()
        columns = ("rows_loaded", "rows_rejected", "seconds")
        sums = ", ".join(f"sum({self._column(name)})" for name in columns)
        return (
            self._sql.execute_sql(
                f"SELECT {names}, count(*), {sums} FROM {self._table} "
                f"WHERE {self._column('api')} = %s AND {self._column('day')} >= %s "
                f"GROUP BY {names} ORDER BY {names}",
                *(self._api, since),
            )
            or ()
        )

    @property
    def _table(self) -> str:
        return self._sql.make_qualified_table_name(LOAD_HEALTH)

    def _column(self, name: str) -> str:
        return self._sql.escape_column_name(self._client.schema.naming.normalize_path(name))


def _day(row: Sequence[Any]) -> Day:
    day, outcome, loads, rows, rejected, seconds = row
    moment = day.date() if isinstance(day, datetime) else day
    return Day(
        moment, str(outcome), int(loads), int(rows or 0), int(rejected or 0), float(seconds or 0)
    )
