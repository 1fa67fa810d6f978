"""The state of tables, collected from the warehouse and from Dagster's history."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from analytics_assets.cli.commands.report.schedules import SchedulesOf
from analytics_assets.cli.commands.report.table_report import (
    CheckReport,
    RejectedReport,
    Report,
    TableReport,
)
from analytics_assets.cli.project import warehouses_shown
from analytics_assets.config.settings.client import configured_base_url, no_sandbox
from analytics_assets.config.text.excerpts import excerpt
from analytics_assets.contract.resource import Resource
from analytics_assets.contract.rows.rejected_row import row_of
from analytics_assets.contract.sensitive import Sensitive
from analytics_assets.orchestration.keys import asset_key, op_name
from analytics_assets.orchestration.load_health.history import FIRST_LOOK_BACK, read_until
from analytics_assets.orchestration.load_health.rows import rows_since
from analytics_assets.orchestration.metadata.preview import OF_THE_EMBEDDED_API
from analytics_assets.redaction.redactor import redact
from analytics_assets.warehouse.queries.load_health import LOADED, Day
from analytics_assets.warehouse.queries.newest_rows import rows_by_day
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse

DAYS = timedelta(days=60)  # of the charts
CHECKS = 200  # results fetched at once
REASONS = 10  # of rejected rows that are shown
LONGEST = 400  # characters of an example


def collect(
    resources: Sequence[Resource],
    instance: dg.DagsterInstance,
    project: dg.Definitions,
    now: datetime,
    dagster_url: str = "",
) -> Report:
    """Collect the state of the tables of some resources.

    Args:
        resources: the resources.
        instance: holds the history.
        project: the definitions, for schedules and checks.
        now: the moment.
        dagster_url: the address of the Dagster UI; empty if it is not set.
    """
    schedules = SchedulesOf(project, instance)
    tables: list[TableReport] = []
    apis = list(dict.fromkeys(each.api_name for each in resources))
    for api in apis:
        chosen = {each.name: each for each in resources if each.api_name == api}
        results = _check_results(instance, project, map(asset_key, chosen.values()))
        warehouse = Warehouse.from_settings(api)
        with warehouse.open() as opened:
            loads = _loads(instance, opened, api, chosen, now)
            for name, resource in chosen.items():
                key = asset_key(resource)
                tables.append(
                    TableReport(
                        name=resource.full_name,
                        table=warehouse.qualified(resource.table),
                        endpoint="" if resource.is_function else resource.shown_path,
                        description=resource.policy.description or "",
                        url=f"{dagster_url}/assets/{'/'.join(key.path)}" if dagster_url else "",
                        last=loads.last(name),
                        last_loaded=loads.succeeded.get(name),
                        last_failure=loads.failed.get(name),
                        days=loads.days.get(name, ()),
                        **_rows(opened, resource, now.date()),
                        checks=results.get(key, ()),
                        rejected=list(_rejected(opened, resource)),
                        schedules=schedules.of(key),
                    )
                )
    return Report(now, warehouses_shown(apis), tables, dagster_url)


@dataclass(frozen=True)
class _Loads:
    """The loads of an API by resource: the last that succeeded, the last that failed, the days."""

    succeeded: dict[str, dict[str, Any]]
    failed: dict[str, dict[str, Any]]
    days: dict[str, list[Day]]

    def last(self, name: str) -> dict[str, Any] | None:
        """Return the last load of a resource."""
        found = [loads[name] for loads in (self.succeeded, self.failed) if name in loads]
        return max(found, key=_start, default=None)

    def add(self, row: dict[str, Any]) -> None:
        """Add a load that is newer than all others of its resource."""
        name, outcome = row["resource"], row["outcome"]
        (self.succeeded if outcome == LOADED else self.failed)[name] = row
        rows, rejected = row["rows_loaded"] or 0, row["rows_rejected"] or 0
        day = Day(row["day"], outcome, 1, rows, rejected, row["seconds"] or 0.0)
        self.days.setdefault(name, []).append(day)


def _loads(
    instance: dg.DagsterInstance,
    warehouse: Tables,
    api: str,
    resources: Mapping[str, Resource],
    now: datetime,
) -> _Loads:
    """Return the loads that `load_health` has, and those of the history since then."""
    health, first = warehouse.load_health(api), (now - DAYS).date()
    loads = _Loads(
        health.last(succeeded=True), health.last(succeeded=False), health.days_by_resource(first)
    )
    stored = {name: last["started_at"] for name in resources if (last := loads.last(name))}
    steps = {op_name(resource): name for name, resource in resources.items()}
    since = (health.exists and read_until(instance, api)) or now - FIRST_LOOK_BACK
    for row in sorted(rows_since(instance, api, steps, since), key=_start):
        name = row["resource"]
        if name not in stored or row["started_at"] > stored[name]:
            loads.add(row)
    return loads


def _start(row: Mapping[str, Any]) -> datetime:
    start: datetime = row["started_at"]
    return start


def _rows(warehouse: Tables, resource: Resource, today: date) -> dict[str, Any]:
    """Return the rows of each day by the column of the day, and that column, if there is one."""
    column = resource.policy.date_column
    name = warehouse.column_name(column) if column else ""
    if name not in warehouse.columns(resource.table):
        return {}
    rows = rows_by_day(warehouse, resource.table, name, today - DAYS, today)
    return {"rows": rows, "day_column": name} if rows else {}


def _check_results(
    instance: dg.DagsterInstance, project: dg.Definitions, assets: Iterable[dg.AssetKey]
) -> dict[dg.AssetKey, list[CheckReport]]:
    """Return the last result of each check of some assets."""
    known, wanted = project.resolve_asset_graph().asset_check_keys, set(assets)
    keys = [key for key in known if key.asset_key in wanted]
    found: dict[dg.AssetKey, list[CheckReport]] = {}
    for start in range(0, len(keys), CHECKS):
        records = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            keys[start : start + CHECKS]
        )
        for key, record in records.items():
            event = record.event.dagster_event if record.event else None
            if event is None or not hasattr(event.event_specific_data, "passed"):
                continue  # a check that is under way, or whose run failed
            result = event.asset_check_evaluation_data
            at = datetime.fromtimestamp(record.create_timestamp, UTC)
            found.setdefault(key.asset_key, []).append(
                CheckReport(
                    *(key.name, result.passed, result.severity.value),
                    *(redact(result.description or ""), at),
                )
            )
    return found


def _shows_rows(resource: Resource) -> bool:
    """Return True if the policy allows to show rows, as on the asset's page."""
    if resource.policy.preview is not None:
        return resource.policy.preview > 0
    client, name = resource.api.config["client"], resource.api_name
    is_embedded = not configured_base_url(client, name) and not no_sandbox(client, name)
    return is_embedded and OF_THE_EMBEDDED_API > 0


def _rejected(warehouse: Tables, resource: Resource) -> Iterator[RejectedReport]:
    """Yield the most frequent reasons of rejected rows, with an example where one may be shown."""
    sensitive = Sensitive.of(resource, resource.contract)
    shows = _shows_rows(resource)
    reasons = warehouse.rejections(resource).reasons()
    for each in reasons[:REASONS]:
        example = ""
        if shows:
            text = json.dumps(sensitive.row(row_of(each.example)), ensure_ascii=False, default=str)
            example = excerpt(redact(text), LONGEST)
        yield RejectedReport(redact(each.text), each.rows, each.oldest, example)
    if len(reasons) > REASONS:
        rest = reasons[REASONS:]
        rows, oldest = sum(each.rows for each in rest), min(each.oldest for each in rest)
        yield RejectedReport(f"{len(rest)} other reasons", rows, oldest)
