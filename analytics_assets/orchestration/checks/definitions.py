"""Asset checks of each resource: of its last load, and of the table itself."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

import dagster as dg

from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.assets.dropped import remedy_of
from analytics_assets.orchestration.checks.applicability import has_date_column
from analytics_assets.orchestration.checks.context import Check, CheckContext
from analytics_assets.orchestration.checks.document_cache import DocumentCache
from analytics_assets.orchestration.checks.drift_check import check_drift
from analytics_assets.orchestration.checks.load_checks import (
    check_complete_read,
    check_cursor,
    check_dropped,
    check_former_configuration,
    check_pruned,
)
from analytics_assets.orchestration.checks.names import (
    COLUMNS_UNCHANGED,
    CONTRACT_DRIFT,
    NEWEST_DATA,
    NEWEST_PARTITION,
    NO_REJECTED_ROWS,
)
from analytics_assets.orchestration.checks.partition_checks import (
    check_lost_partitions,
    check_missing_partitions,
    check_newest_partition,
    check_partition_rows,
    check_rows_elsewhere,
    check_rows_in_window,
)
from analytics_assets.orchestration.checks.quality_check import check_answer_quality
from analytics_assets.orchestration.checks.rejection_check import check_rejected_rows
from analytics_assets.orchestration.checks.result import CheckResult, does_not_apply
from analytics_assets.orchestration.checks.table_checks import (
    check_columns,
    check_loaded_keys,
    check_newest_data,
    check_primary_key,
    check_rows_present,
)
from analytics_assets.orchestration.compat import with_signature
from analytics_assets.orchestration.keys import asset_key, op_name
from analytics_assets.orchestration.metadata import names
from analytics_assets.orchestration.metadata.table_schema import table_schema
from analytics_assets.orchestration.partitions.lost import CHECK as LOST_PARTITIONS
from analytics_assets.orchestration.runs.check_results import last_results
from analytics_assets.orchestration.runs.last_load import last_load
from analytics_assets.orchestration.runs.liveness.lease import executing
from analytics_assets.redaction.errors import errors_redacted
from analytics_assets.warehouse.warehouse import Warehouse


def _is_verified(resource: Resource) -> bool:
    """Return False for a resource function of dlt, which makes its own requests."""
    return not resource.is_function


def _is_partitioned(resource: Resource) -> bool:
    return isinstance(resource.policy.load, Partitioned)


# in the order in which they run
CHECKS: Mapping[str, Check] = {
    # it asks the API, and no other process can open a DuckDB file that is open meanwhile
    CONTRACT_DRIFT: Check(
        "The API's document and rows match the stored contract.",
        lambda context: check_drift(
            context.resource, context.load.metadata, context.documents, context.now
        ),
        applies=lambda resource: resource.contract.has_schema,
    ),
    "complete_read": Check(
        "All rows that the API has have arrived.",
        lambda context: check_complete_read(
            context.load.metadata,
            getattr(context.resource.policy.load, "requests_overlap", False),
        ),
        applies=_is_verified,
        per_load=True,
        proves_load=True,
        blocking=True,
    ),
    "cursor": Check(
        "All rows of the load have a time of change, within the requested range.",
        lambda context: check_cursor(context.load.metadata, context.resource.policy),
        applies=lambda resource: isinstance(resource.policy.load, Incremental),
        per_load=True,
    ),
    NO_REJECTED_ROWS: Check(
        "No row is kept out of the table because it broke the contract.",
        lambda context: check_rejected_rows(
            context.tables, context.resource, context.load.metadata
        ),
        applies=_is_verified,
        proves_load=True,
    ),
    "answer_quality": Check(
        "The API's answers are exact: not sampled, thresholded, summed up or cut.",
        lambda context: check_answer_quality(context.load.metadata),
        applies=lambda resource: bool(resource.merged_entry.get("answer_quality")),
        per_load=True,
    ),
    "dropped": Check(
        "No row is missing since somebody dropped the table or a column of it.",
        lambda context: check_dropped(context.load.metadata),
        applies=lambda resource: remedy_of(resource) is not None,
    ),
    "former_configuration": Check(
        "No partition and no row is still as another key, path or parameter has read it.",
        check_former_configuration,
        applies=lambda resource: resource.is_merged or _is_partitioned(resource),
    ),
    "pruned": Check(
        "Rows that the API no longer has are deleted.",
        lambda context: check_pruned(context.load.metadata, context.resource.policy),
        applies=lambda resource: resource.policy.prune,
        per_load=True,
        proves_load=True,
    ),
    "rows_present": Check(
        "The table has rows.",
        lambda context: check_rows_present(
            context.tables, context.resource.table, context.measured(names.ROW_COUNT)
        ),
        needs_table=True,
    ),
    "primary_key": Check(
        "No part of the primary key is null, and no key occurs twice.",
        lambda context: check_primary_key(
            context.tables, context.resource.table, context.resource.contract.key_columns
        ),
        of_load=lambda context: check_loaded_keys(
            context.tables,
            context.resource.table,
            context.resource.contract.key_columns,
            context.load.metadata,
        ),
        columns=lambda resource: resource.contract.key_columns,
        applies=lambda resource: bool(resource.primary_key) and resource.has_unique_keys,
        needs_table=True,
    ),
    NEWEST_DATA: Check(
        "The newest day in the table is fresh: a load without rows does not count.",
        lambda context: check_newest_data(
            context.tables,
            context.resource,
            context.now,
            parse_timestamp(context.measured(names.NEWEST_DATA)),
        ),
        applies=has_date_column,
        needs_table=True,
    ),
    COLUMNS_UNCHANGED: Check(
        "The table has the columns that it had after the load before.",
        lambda context: check_columns(
            context.load.columns_before,
            table_schema(context.tables.columns(context.resource.table), context.resource),
        ),
        needs_table=True,
    ),
    "rows_in_window": Check(
        "The API gave rows of the requested days, and of no others.",
        lambda context: check_rows_in_window(context.load.metadata),
        applies=_is_partitioned,
        per_load=True,
    ),
    NEWEST_PARTITION: Check(
        "The newest partition that is due is loaded.",
        lambda context: check_newest_partition(context.instance, context.resource, context.now),
        applies=_is_partitioned,
    ),
    "missing_partitions": Check(
        "Every partition that has ended is loaded as a whole.",
        lambda context: check_missing_partitions(context.instance, context.resource, context.now),
        applies=_is_partitioned,
    ),
    LOST_PARTITIONS: Check(
        "The table still has all rows of every loaded partition.",
        lambda context: check_lost_partitions(
            context.instance, context.tables, context.resource, context.now
        ),
        of_load=lambda context: check_rows_elsewhere(context.load.metadata),
        columns=lambda resource: [str(resource.policy.date_column)],
        applies=_is_partitioned,
        needs_table=True,
    ),
    "partition_rows": Check(
        "No partition has far fewer rows than the same weekday before.",
        lambda context: check_partition_rows(
            context.tables, context.resource, context.load.partitions, context.now
        ),
        applies=_is_partitioned,
        needs_table=True,
        per_load=True,
    ),
}


def build_checks(
    resources: Mapping[str, Resource], warehouse: Warehouse
) -> list[dg.AssetChecksDefinition]:
    """Build the checks of each resource's asset.

    Args:
        resources: the resources by name.
        warehouse: the warehouse of their tables.

    Returns:
        One definition per resource, with the checks that apply to it.
    """
    return [_build_checks(resource, warehouse) for resource in resources.values()]


def _build_checks(resource: Resource, warehouse: Warehouse) -> dg.AssetChecksDefinition:
    asset = asset_key(resource)

    @dg.multi_asset_check(
        name=f"{op_name(resource)}_checks",
        description=f"Runs the checks of {resource.full_name} after a load.",
        specs=[
            dg.AssetCheckSpec(
                name, asset=asset, description=check.shown_description, blocking=check.blocking
            )
            for name, check in CHECKS.items()
            if check.applies(resource)
        ],
        can_subset=True,
        op_tags=resource.policy.op_tags,
        pool=warehouse.pool(resource.table),
    )
    @with_signature
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        run = context.op_execution_context
        with executing(run), errors_redacted(), ExitStack() as stack:
            inputs = CheckContext(
                resource,
                DocumentCache(warehouse.pipelines_dir),
                run.instance,
                run.run_id,
                last_load(run.instance, asset, run.run_id),
                datetime.now(UTC),
                lambda: stack.enter_context(warehouse.open(context.log, limited=True)),
            )
            selected = {key.name for key in context.selected_asset_check_keys}
            before = last_results(run.instance, partly_checked(resource))
            for name in [name for name in CHECKS if name in selected]:
                last = before.get(dg.AssetCheckKey(asset, name))
                yield _result(CHECKS[name], inputs, last).of(asset, name)

    return checks


def partly_checked(resource: Resource) -> list[dg.AssetCheckKey]:
    """Return the checks of a resource that look at a part of its table after a load."""
    return [
        dg.AssetCheckKey(asset_key(resource), name)
        for name, check in CHECKS.items()
        if check.of_load and check.applies(resource)
    ]


def _result(
    check: Check, context: CheckContext, before: dg.AssetCheckEvaluation | None
) -> CheckResult:
    """Return the result of a check, with the moment of its last look at the whole table."""
    without_table = _without_table(context) if check.needs_table else None
    if check.of_load is None:
        return without_table or check.run(context)
    columns = check.columns(context.resource)
    moment = context.whole_table_checked(before, columns) if without_table is None else None
    result = check.of_load(context) if moment else None
    if moment and result:
        return result.after_whole_table(moment, columns)
    return (without_table or check.run(context)).after_whole_table(context.now, columns)


def _without_table(context: CheckContext) -> CheckResult | None:
    """Return the result of all checks of a table that is not there, or need not be yet."""
    if context.is_without_rows_yet:
        return does_not_apply("the API has no rows yet")
    if not context.tables.columns(context.resource.table):
        return CheckResult(False, "The table does not exist.")
    return None
