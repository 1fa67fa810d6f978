"""What is asked of an asset after each load: of the load, and of the table itself."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.contract import Contract
from analytics_assets.orchestration.checks.load_checks import (
    check_complete_read,
    check_cursor,
    check_drift,
    check_pruned,
    check_rejected_rows,
)
from analytics_assets.orchestration.checks.partition_checks import (
    check_lost_partitions,
    check_missing_partitions,
    check_newest_partition,
    check_partition_rows,
    check_rows_in_window,
)
from analytics_assets.orchestration.checks.result import Verdict
from analytics_assets.orchestration.checks.table_checks import (
    check_columns,
    check_newest_data,
    check_primary_key,
    check_rows_present,
)
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.orchestration.metadata import column_schema
from analytics_assets.orchestration.runs.dead_runs import tell_machine
from analytics_assets.orchestration.runs.unchecked_loads import UncheckedLoads, unchecked_loads
from analytics_assets.orchestration.signature import signature_known
from analytics_assets.warehouse.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse

DESCRIPTIONS = {
    "complete_read": "All rows that the API has have arrived.",
    "cursor": "All rows of the load say when they changed, and it is as was asked for.",
    "no_rejected_rows": "No row of the load broke the contract.",
    "contract_drift": "The API is as the kept contract says.",
    "pruned": "Rows that the API no longer has are deleted.",
    "rows_present": "The table has rows.",
    "primary_key": "No part of the primary key is null, and no key stands twice.",
    "newest_data": "The newest day in the table is fresh: a load of nothing is no news.",
    "columns_unchanged": "The table has the columns that it had after the load before.",
    "rows_in_window": "The API gave rows of the days that it was asked for, and of no others.",
    "newest_partition": "The newest partition that is due has been loaded.",
    "missing_partitions": "Each partition that is over has been loaded as a whole.",
    "lost_partitions": "The table still has all rows of each partition that was loaded.",
    "partition_rows": "No partition has far fewer rows than the same weekday before.",
}
BLOCKING = ("complete_read",)


@dataclass(frozen=True)
class Checked:
    """What the checks of one asset look at.

    Args:
        api: the API.
        resource: the resource.
        policy: its policy.
        contract: what its rows must be.
        tables: the open warehouse.
        instance: what remembers the loads.
        loads: those that no check has looked at yet.
    """

    api: Api
    resource: str
    policy: Policy
    contract: Contract
    tables: Tables
    instance: dg.DagsterInstance
    loads: UncheckedLoads

    @property
    def load(self) -> Mapping[str, Any]:
        """The metadata of the loads."""
        return self.loads.metadata

    @property
    def table(self) -> str:
        """The asset's table."""
        return self.api.table(self.resource)


CHECKS: Mapping[str, Callable[[Checked], Verdict]] = {
    "complete_read": lambda asset: check_complete_read(asset.load),
    "cursor": lambda asset: check_cursor(asset.load, asset.policy),
    "no_rejected_rows": lambda asset: check_rejected_rows(
        asset.tables, asset.resource, asset.load, asset.policy
    ),
    "contract_drift": lambda asset: check_drift(asset.api, asset.contract, asset.load),
    "pruned": lambda asset: check_pruned(asset.load, asset.policy),
    "rows_present": lambda asset: check_rows_present(asset.tables, asset.table),
    "primary_key": lambda asset: check_primary_key(
        asset.tables, asset.table, asset.contract.key_columns
    ),
    "newest_data": lambda asset: check_newest_data(
        asset.tables, asset.table, asset.policy, datetime.now(UTC)
    ),
    "columns_unchanged": lambda asset: check_columns(
        asset.loads.columns_before, column_schema(asset.tables.columns(asset.table))
    ),
    "rows_in_window": lambda asset: check_rows_in_window(asset.load),
    "newest_partition": lambda asset: check_newest_partition(
        asset.instance, asset_key(asset.api, asset.resource), asset.policy, datetime.now(UTC)
    ),
    "missing_partitions": lambda asset: check_missing_partitions(
        asset.instance, asset_key(asset.api, asset.resource), asset.policy, datetime.now(UTC)
    ),
    "lost_partitions": lambda asset: check_lost_partitions(
        asset.instance, asset.tables, asset.api, asset.resource, datetime.now(UTC)
    ),
    "partition_rows": lambda asset: check_partition_rows(
        asset.tables, asset.api, asset.resource, asset.loads.partitions, datetime.now(UTC)
    ),
}
OF_PARTITIONS = (
    "rows_in_window",
    "newest_partition",
    "missing_partitions",
    "lost_partitions",
    "partition_rows",
)
# these look at the table, which may not be there
OF_THE_TABLE = (
    "rows_present",
    "primary_key",
    "newest_data",
    "columns_unchanged",
    "lost_partitions",
    "partition_rows",
)


def build_checks(
    api: Api, warehouse: Warehouse, contracts: Mapping[str, Contract]
) -> list[dg.AssetChecksDefinition]:
    """Make the checks of each resource's asset.

    Args:
        api: the API.
        warehouse: where the tables are.
        contracts: what the rows must be, by resource.

    Returns:
        One definition per resource. A resource without a primary key, a date column or a contract
        does not have the check that would need it.
    """
    return [
        _build_checks(api, resource, warehouse, contracts[resource]) for resource in api.resources
    ]


def _build_checks(
    api: Api, resource: str, warehouse: Warehouse, contract: Contract
) -> dg.AssetChecksDefinition:
    asset, policy = asset_key(api, resource), api.policy(resource)
    applies = {
        "primary_key": bool(contract.primary_key) and api.has_one_row_per_key(resource),
        "newest_data": bool(policy.date_column),
        "contract_drift": contract.has_schema,
        "pruned": policy.prune,
        "cursor": isinstance(policy.load, Incremental),
        **dict.fromkeys(OF_PARTITIONS, isinstance(policy.load, Partitioned)),
    }

    @dg.multi_asset_check(
        name=f"{api.name}__{resource}_checks",
        specs=[
            dg.AssetCheckSpec(name, asset=asset, description=description, blocking=name in BLOCKING)
            for name, description in DESCRIPTIONS.items()
            if applies.get(name, True)
        ],
        can_subset=True,
        pool=warehouse.pool(api.table(resource)),
    )
    @signature_known
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        run = context.op_execution_context
        tell_machine(run.instance, run.run_id)
        with warehouse.open(context.log) as tables:
            loads = unchecked_loads(run.instance, asset, run.run_id)
            looked_at = Checked(api, resource, policy, contract, tables, run.instance, loads)
            exists = bool(tables.columns(looked_at.table))
            for wanted in sorted(context.selected_asset_check_keys):
                missing = wanted.name in OF_THE_TABLE and not exists
                verdict = (
                    Verdict(False, "There is no such table.")
                    if missing
                    else CHECKS[wanted.name](looked_at)
                )
                yield dg.AssetCheckResult(
                    check_name=wanted.name,
                    asset_key=asset,
                    passed=verdict.passed,
                    severity=verdict.severity,
                    description=verdict.text,
                    metadata=verdict.numbers,
                )

    return checks
