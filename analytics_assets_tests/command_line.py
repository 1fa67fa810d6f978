"""The command line, run on the day on which the embedded API's clock stands."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from analytics_assets import cli, due_runs
from analytics_assets.configuration import Api
from analytics_assets.tables import Tables


def due_on_that_day(
    api: Api,
    instance: dg.DagsterInstance,
    tables: Tables,
    resources: Sequence[str],
    now: datetime,
) -> list[due_runs.DueRun]:
    """Find what is due, whatever the day is."""
    today = datetime.fromisoformat(os.environ["SANDBOX__TODAY"])
    return due_runs.due_runs(api, instance, tables, resources, today.replace(tzinfo=UTC))


if __name__ == "__main__":
    cli.due_runs = due_on_that_day  # type: ignore[attr-defined]
    cli.main()
