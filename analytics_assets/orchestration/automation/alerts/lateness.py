"""Late tables: those whose last load is older than their policy allows.

A freshness policy of Dagster reports to the UI alone, and only while its daemon runs. Partitioned
tables have the check `newest_partition`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import age_of
from analytics_assets.orchestration.automation.alerts.delivery.cause import remedy_of
from analytics_assets.orchestration.automation.alerts.incident import (
    Kind,
    Problem,
    Severity,
    Success,
    late_key,
)
from analytics_assets.orchestration.keys import asset_key


def late_tables(
    resources: Iterable[ResourceConfig], loads: Mapping[str, float], now: float
) -> list[Problem | Success]:
    """Return a problem for each late table, and a success for each that is not.

    Args:
        resources: the resources.
        loads: the last load of each table, in seconds since 1970; others are never late.
        now: the moment, in seconds since 1970.
    """
    findings = list[Problem | Success]()
    for resource in resources:
        policy, name = resource.policy, resource.full_name
        severity = Severity.of(policy.alert, is_warning=False)
        if isinstance(policy.load, Partitioned) or name not in loads or severity is None:
            continue
        age = now - loads[name]
        if age <= policy.freshness.total_seconds():
            findings.append(Success(late_key(name), loads[name]))
            continue
        last = datetime.fromtimestamp(loads[name], UTC)
        cause = (
            f"The last load was at {last:%Y-%m-%d %H:%M} UTC, "
            f"{age_of(timedelta(seconds=age))} ago; up to {age_of(policy.freshness)} are fresh."
        )
        remedy = remedy_of(Kind.LATE, name)
        at = loads[name] + policy.freshness.total_seconds()
        findings.append(Problem(late_key(name), Kind.LATE, name, severity, cause, remedy, at))
    return findings


def last_loads_of(
    instance: dg.DagsterInstance, resources: Iterable[ResourceConfig]
) -> dict[str, float]:
    """Return the last load of each table that has one, in seconds since 1970.

    Args:
        instance: holds the event log.
        resources: the resources.
    """
    names = {asset_key(resource): resource.full_name for resource in resources}
    records = instance.get_asset_records(list(names)) if names else []
    return {
        names[record.asset_entry.asset_key]: record.asset_entry.last_materialization.timestamp
        for record in records
        if record.asset_entry.last_materialization
    }
