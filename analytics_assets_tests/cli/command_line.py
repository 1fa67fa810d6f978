"""The command line, run on the day of the embedded API's clock."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from analytics_assets.cli import main
from analytics_assets.cli.commands.check import command as check_command
from analytics_assets.cli.commands.check import resource_check
from analytics_assets.cli.commands.materialize import command
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import Connection
from analytics_assets.orchestration.partitions import due
from analytics_assets.warehouse.queries.tables import Tables

BY_DAYS = ("website_overview", "traffic_sources")  # the resources that are loaded by days


def due_on_that_day(
    instance: dg.DagsterInstance,
    tables: Mapping[str, Tables],
    resources: Sequence[ResourceConfig],
    now: datetime,
) -> list[due.DueRun]:
    """Find the runs that are due on that day."""
    return due.due_runs(instance, tables, resources, today())


def check_on_that_day(
    resource: Resource, connection: Connection, now: datetime
) -> resource_check.Outcome:
    """Request the newest partitions of that day."""
    return resource_check.check_resource(resource, connection, today())


def today() -> datetime:
    return datetime.fromisoformat(os.environ["SANDBOX__TODAY"]).replace(tzinfo=UTC)


def summary(output: str) -> dict[str, list[str]]:
    """Return the cells of the table at the end, by resource."""
    rows = [line.strip() for line in output.splitlines()]
    lines = [re.split(r"\s{2,}", row) for row in rows if row.startswith("analytics/")]
    return {cells[0].removeprefix("analytics/"): cells[1:] for cells in lines}


if __name__ == "__main__":
    command.due_runs = due_on_that_day  # type: ignore[attr-defined]
    check_command.check_resource = check_on_that_day  # type: ignore[attr-defined]
    main.main()
