"""The state of a table, as the report shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any

from analytics_assets.orchestration.checks.names import OF_FRESHNESS
from analytics_assets.warehouse.queries.load_health import LOADED, Day


class Status(Enum):
    """The state of a table in a word, the worst first; the symbol stands beside its colour."""

    failed = "✕"
    never_loaded = "○"
    late = "◷"
    attention = "!"
    ok = "✓"

    @property
    def word(self) -> str:
        """The word."""
        return self.name.replace("_", " ")


@dataclass(frozen=True)
class CheckReport:
    """The last result of a check.

    Args:
        name: the check.
        passed: its result.
        severity: `WARN` or `ERROR`.
        text: its finding.
        at: the time of the result.
    """

    name: str
    passed: bool
    severity: str
    text: str
    at: datetime


@dataclass(frozen=True)
class RejectedReport:
    """Rejected rows with one reason.

    Args:
        reason: the reason.
        rows: the number of rows.
        oldest: the time of the first rejection.
        example: one of the rows, without sensitive columns; empty if none may be shown.
    """

    reason: str
    rows: int
    oldest: datetime
    example: str = ""


@dataclass(frozen=True)
class ScheduleReport:
    """A schedule that loads the table.

    Args:
        name: its name.
        cron: its cron expression, with the time zone.
        is_on: True if it is switched on; None if that is unknown.
    """

    name: str
    cron: str
    is_on: bool | None


@dataclass(frozen=True)
class TableReport:
    """The state of a table.

    Args:
        name: the resource as `api/resource`.
        table: the table as `dataset.table`.
        endpoint: the path of the resource.
        description: the policy's description; empty if there is none.
        url: the asset's page in the Dagster UI; empty if its address is not set.
        last: the last load as a row of `load_health`; None if there is none.
        last_loaded: the last load that succeeded, likewise.
        last_failure: the last one that failed.
        days: the loads of the last weeks by day and outcome.
        rows: the rows of each day by the table's own column of the day; empty if it has none.
        day_column: that column; empty if there is none.
        checks: the last results of its checks.
        rejected: its rejected rows by reason.
        schedules: the schedules that load it.
    """

    name: str
    table: str
    endpoint: str = ""
    description: str = ""
    url: str = ""
    last: Mapping[str, Any] | None = None
    last_loaded: Mapping[str, Any] | None = None
    last_failure: Mapping[str, Any] | None = None
    days: Sequence[Day] = ()
    rows: Mapping[date, int] = field(default_factory=dict)
    day_column: str = ""
    checks: Sequence[CheckReport] = ()
    rejected: Sequence[RejectedReport] = ()
    schedules: Sequence[ScheduleReport] = ()

    @property
    def status(self) -> Status:
        """The state in a word."""
        if self.last is None:
            return Status.never_loaded
        if self.last["outcome"] != LOADED:
            return Status.failed
        failed = [check for check in self.checks if not check.passed]
        if any(check.name in OF_FRESHNESS for check in failed):
            return Status.late
        return Status.attention if failed or self.rejected else Status.ok

    @property
    def anchor(self) -> str:
        """The name of its part of the page, for links."""
        return self.name.replace("/", "-")

    @property
    def rejected_rows(self) -> int:
        """The number of rejected rows."""
        return sum(each.rows for each in self.rejected)

    @property
    def failed_checks(self) -> list[CheckReport]:
        """The checks that failed, errors first."""
        failed = [check for check in self.checks if not check.passed]
        return sorted(failed, key=lambda check: check.severity != "ERROR")

    @property
    def passed_checks(self) -> list[CheckReport]:
        """The checks that passed."""
        return [check for check in self.checks if check.passed]


@dataclass(frozen=True)
class Report:
    """The state of all tables.

    Args:
        made: the moment of the report.
        place: the warehouse, for display.
        tables: the tables.
        dagster_url: the address of the Dagster UI; empty if it is not set.
    """

    made: datetime
    place: str
    tables: Sequence[TableReport]
    dagster_url: str = ""

    @property
    def worst_first(self) -> Sequence[TableReport]:
        """The tables in the order of their states, the worst first."""
        order = list(Status)
        return sorted(self.tables, key=lambda table: order.index(table.status))

    @property
    def by_status(self) -> Mapping[Status, int]:
        """The number of tables in each state that there is, the worst first."""
        found = [table.status for table in self.tables]
        return {status: found.count(status) for status in Status if status in found}
