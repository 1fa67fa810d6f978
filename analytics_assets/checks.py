"""What is asked of a table after each load. Checks look at the table itself, not at the load."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg

from analytics_assets.asset_keys import asset_key
from analytics_assets.configuration import Api
from analytics_assets.materialization import COLUMN_SCHEMA, column_schema
from analytics_assets.policy import Policy
from analytics_assets.warehouse import TableReader, Warehouse

DESCRIPTIONS = {
    "rows_present": "The table has rows.",
    "primary_key": "No part of the primary key is null, and no key stands twice.",
    "newest_data": "The newest day in the table is fresh: a load of nothing is no news.",
    "columns_unchanged": "The table has the columns that it had after the load before.",
}


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Args:
        passed: whether all is well.
        text: what was found, in words.
        severity: how bad it is if not.
        numbers: what was found, in numbers that the UI plots over time.
    """

    passed: bool
    text: str
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    numbers: Mapping[str, int] = field(default_factory=dict)


def build_checks(api: Api, warehouse: Warehouse) -> list[dg.AssetChecksDefinition]:
    """Make the checks of each resource's table.

    Args:
        api: the API.
        warehouse: where the tables are.

    Returns:
        One definition per resource. A resource without a primary key or a date column does not
        have the check that would need it.
    """
    return [_build_checks(api, resource, warehouse) for resource in api.resources]


def check_rows_present(tables: TableReader, table: str) -> Verdict:
    """Fail if the table has no rows."""
    rows = tables.row_count(table)
    return Verdict(rows > 0, f"{rows} rows.", numbers={"rows": rows})


def check_primary_key(tables: TableReader, table: str, key: Sequence[str]) -> Verdict:
    """Fail if a part of the key is missing, is null in some row, or a key stands twice."""
    columns = tables.columns(table)
    missing = [column for column in key if tables.column_name(column) not in columns]
    if missing:
        return Verdict(False, f"The table has no column {', '.join(missing)}.")
    nulls, duplicates = tables.rows_without_key(table, key), tables.duplicated_keys(table, key)
    return Verdict(
        nulls == duplicates == 0,
        f"{nulls} rows without a key, {duplicates} keys more than once.",
        numbers={"rows_without_key": nulls, "duplicated_keys": duplicates},
    )


def check_newest_data(tables: TableReader, table: str, policy: Policy, now: datetime) -> Verdict:
    """Fail if the newest day in the table ended longer ago than the policy allows.

    Args:
        tables: the open warehouse.
        table: the table.
        policy: says which column holds the day, and how long it counts as fresh.
        now: the moment to compare with.
    """
    column = str(policy.date_column)
    if tables.column_name(column) not in tables.columns(table):
        return Verdict(
            False,
            f"The table has no column `{column}`: name the one that says which day a row is about "
            "as `date_column` in the resource's policy, or None if it has none.",
        )
    newest = tables.newest(table, column)
    if newest is None:
        return Verdict(False, f"No row has a date or a time in `{column}`.")
    age = now - (newest + timedelta(days=1))
    if age < -timedelta(days=2):
        return Verdict(False, f"The newest `{column}` is {newest.date()}, which is yet to come.")
    return Verdict(
        age <= policy.freshness,
        f"The newest `{column}` is {newest.date()}, which ended {_hours(age)} h ago; "
        f"up to {_hours(policy.freshness)} h are fresh.",
        numbers={"age_hours": _hours(age)},
    )


def check_columns(before: dg.TableSchema | None, now: dg.TableSchema) -> Verdict:
    """Warn if columns came, went or changed their type since the load before.

    Args:
        before: the columns after the load before; None if there was none.
        now: the columns of the table.
    """
    if before is None:
        return Verdict(True, "This is the first load.")
    old = {column.name: column.type for column in before.columns}
    new = {column.name: column.type for column in now.columns}
    changes = [
        *(f"added {name} ({new[name]})" for name in new if name not in old),
        *(f"removed {name} ({old[name]})" for name in old if name not in new),
        *(
            f"{name} was {old[name]} and is {new[name]}"
            for name in old
            if name in new and old[name] != new[name]
        ),
    ]
    text = "; ".join(changes) or f"{len(new)} columns, as before."
    return Verdict(not changes, text, dg.AssetCheckSeverity.WARN)


def _build_checks(api: Api, resource: str, warehouse: Warehouse) -> dg.AssetChecksDefinition:
    asset, policy, key = asset_key(api, resource), api.policy(resource), api.primary_key(resource)
    table = api.table(resource)
    applies = {
        "primary_key": bool(key) and api.has_one_row_per_key(resource),
        "newest_data": bool(policy.date_column),
    }

    @dg.multi_asset_check(
        name=f"{api.name}__{resource}_checks",
        specs=[
            dg.AssetCheckSpec(name, asset=asset, description=description)
            for name, description in DESCRIPTIONS.items()
            if applies.get(name, True)
        ],
        can_subset=True,
        pool=warehouse.pool(table),
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        with warehouse.reading() as tables:
            evaluate: dict[str, Callable[[], Verdict]] = {
                "rows_present": partial(check_rows_present, tables, table),
                "primary_key": partial(check_primary_key, tables, table, key),
                "newest_data": partial(check_newest_data, tables, table, policy, datetime.now(UTC)),
                "columns_unchanged": lambda: check_columns(
                    _columns_before(context, asset), column_schema(tables.columns(table))
                ),
            }
            exists = bool(tables.columns(table))
            for wanted in sorted(context.selected_asset_check_keys):
                verdict = (
                    evaluate[wanted.name]() if exists else Verdict(False, "There is no such table.")
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


def _columns_before(
    context: dg.AssetCheckExecutionContext, asset: dg.AssetKey
) -> dg.TableSchema | None:
    """Find the columns after the load before the one of this run, or after the last one."""
    op_context = context.op_execution_context
    loads = op_context.instance.fetch_materializations(asset, limit=2).records
    earlier = [load for load in loads if load.run_id != op_context.run_id]
    materialization = earlier[0].asset_materialization if earlier else None
    schema = materialization.metadata.get(COLUMN_SCHEMA) if materialization else None
    return schema.value if isinstance(schema, dg.TableSchemaMetadataValue) else None


def _hours(duration: timedelta) -> int:
    return round(duration.total_seconds() / 3600)
