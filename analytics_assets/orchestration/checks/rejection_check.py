"""The check of rejected rows: those that no load, retry or user has settled."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from analytics_assets.config.resource import REJECTED_ROWS
from analytics_assets.config.text.quantities import count, number
from analytics_assets.contract.resource import Resource
from analytics_assets.contract.rows.primary_key import MISSING_KEY
from analytics_assets.orchestration.checks.names import NO_REJECTED_ROWS
from analytics_assets.orchestration.checks.result import CheckResult
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata.names import ROWS_RECEIVED, ROWS_REJECTED
from analytics_assets.orchestration.runs.last_load import last_load
from analytics_assets.warehouse.queries.tables import Tables

REASONS_SHOWN = 3


def check_rejected_rows(tables: Tables, resource: Resource, load: Mapping[str, Any]) -> CheckResult:
    """Warn while rows are rejected; fail if the last load rejected more than the policy allows.

    Args:
        tables: the open warehouse.
        resource: the resource.
        load: the metadata of its last load; empty if there is none.
    """
    reasons = tables.rejections(resource).reasons()
    left = sum(reason.rows for reason in reasons)
    if not left:
        return CheckResult(True, "No row is rejected.", numbers={ROWS_REJECTED: 0})
    rejected, received = load.get(ROWS_REJECTED, 0), load.get(ROWS_RECEIVED, 0)
    share = rejected / max(received, rejected, 1)
    severe = share > resource.policy.max_rejected_share
    examples = "; ".join(
        f"{reason.text} ({count(reason.rows, 'time')})" for reason in reasons[:REASONS_SHOWN]
    )
    text = (
        f"{count(left, 'row is', 'rows are')} in `{REJECTED_ROWS}` and not in the table: "
        f"{examples}. The last load rejected {number(rejected)} of its rows ({share:.2%})."
    )
    if any(reason.text.endswith(MISSING_KEY) for reason in reasons):
        text += " Is `primary_key` in the entry the field that identifies a row?"
    command = f"`analytics-assets rejected {resource.full_name}`"
    text += f" {command} lists them; with `--retry` it loads those that fit now, with `--dismiss` "
    text += "it forgets them."
    return CheckResult(
        False,
        text,
        dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        {ROWS_REJECTED: left},
    )


def report_rejected_rows(tables: Tables, resource: Resource, instance: dg.DagsterInstance) -> None:
    """Report the result of the check outside a run, once rows were retried or dismissed.

    Args:
        tables: the open warehouse.
        resource: the resource.
        instance: holds the event log.
    """
    asset = asset_key(resource)
    result = check_rejected_rows(tables, resource, last_load(instance, asset, "").metadata)
    instance.report_runless_asset_event(result.outside_a_run(asset, NO_REJECTED_ROWS))
