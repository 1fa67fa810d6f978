"""The command line, run on the day on which the embedded API's clock stands."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from analytics_assets.cli import first_page
from analytics_assets.cli import main as cli
from analytics_assets.config.api import Api
from analytics_assets.extract.http.connection import Connection
from analytics_assets.orchestration.partitions import due as due_runs
from analytics_assets.warehouse.tables import Tables


def due_on_that_day(
    api: Api,
    instance: dg.DagsterInstance,
    tables: Tables,
    resources: Sequence[str],
    now: datetime,
) -> list[due_runs.DueRun]:
    """Find what is due, whatever the day is."""
    return due_runs.due_runs(api, instance, tables, resources, today())


def first_page_on_that_day(api: Api, resource: str, connection: Connection, now: datetime) -> str:
    """Look at the newest partitions, whatever the day is."""
    return first_page.look_at_first_page(api, resource, connection, today())


def today() -> datetime:
    return datetime.fromisoformat(os.environ["SANDBOX__TODAY"]).replace(tzinfo=UTC)


if __name__ == "__main__":
    cli.due_runs = due_on_that_day  # type: ignore[attr-defined]
    cli.look_at_first_page = first_page_on_that_day  # type: ignore[attr-defined]
    cli.main()
