"""Checks of a table itself, whatever its last load reports."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
from dlt.common.schema.typing import DLT_NAME_PREFIX

from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import HOUR, age_of, count
from analytics_assets.config.times.timestamps import later
from analytics_assets.orchestration.checks.applicability import guesses_date_column
from analytics_assets.orchestration.checks.result import CheckResult, does_not_apply
from analytics_assets.orchestration.metadata.load import load_ids
from analytics_assets.orchestration.metadata.names import ROW_COUNT, ROWS_RECEIVED
from analytics_assets.orchestration.partitions.definition import expected_partitions, time_window_of
from analytics_assets.warehouse.queries.keys import duplicated_keys, rows_without_key
from analytics_assets.warehouse.queries.tables import Tables

TEMPORAL = ("date", "timestamp")
MOST = 0.5  # of the rows of a table


def check_rows_present(tables: Tables, table: str, counted: int | None = None) -> CheckResult:
    """Fail if the table has no rows.

    Args:
        tables: the open warehouse.
        table: the table.
        counted: the number of its rows that the load has just counted; None to count them.
    """
    has_rows = counted and tables.select("1", table, "LIMIT 1")
    rows = counted if counted and has_rows else tables.row_count(table)
    return CheckResult(rows > 0, f"{count(rows, 'row')}.", numbers={"rows": rows})


def check_primary_key(
    tables: Tables, table: str, key: Sequence[str], loads: Sequence[str] = ()
) -> CheckResult:
    """Fail if a part of the key is missing, is null in some row, or a key occurs twice.

    Args:
        tables: the open warehouse.
        table: the table.
        key: the columns of the key.
        loads: dlt's ids of the loads whose keys are looked up in the table; empty for all keys.
    """
    columns = tables.columns(table)
    missing = [column for column in key if tables.column_name(column) not in columns]
    if missing:
        return CheckResult(False, f"The table has no column {', '.join(missing)}.")
    nulls = rows_without_key(tables, table, key, loads)
    duplicates = duplicated_keys(tables, table, key, loads)
    return CheckResult(
        nulls == duplicates == 0,
        f"{'Of the last load, ' if loads else ''}{count(nulls, 'row')} without a key, "
        f"{count(duplicates, 'key')} more than once.",
        numbers={"rows without key": nulls, "duplicated keys": duplicates},
    )


def check_loaded_keys(
    tables: Tables, table: str, key: Sequence[str], load: Mapping[str, Any]
) -> CheckResult | None:
    """Return the result of `check_primary_key` for the keys of the last load.

    Only rows of a load can repeat a key, or lack one, that the table had once before.

    Args:
        tables: the open warehouse.
        table: the table.
        key: the columns of the key.
        load: the metadata of the last load.

    Returns:
        The result; None if the load has brought most of the table, which is quicker to look at as
        a whole.
    """
    if MOST * load.get(ROW_COUNT, 0) < load.get(ROWS_RECEIVED, 0):
        return None
    return check_primary_key(tables, table, key, load_ids(load))


def check_newest_data(
    tables: Tables, resource: ResourceConfig, now: datetime, measured: datetime | None = None
) -> CheckResult:
    """Fail if the newest day in the table ended longer ago than the policy allows.

    For weeks and months, the table must have a row of the newest one that is due.

    Args:
        tables: the open warehouse.
        resource: the resource, whose policy names the column of the day, and its freshness.
        now: the moment to compare with.
        measured: the newest day that the load has just found in the table; None to look it up.
    """
    table, policy = resource.table, resource.policy
    column = str(policy.date_column)
    columns, name = tables.columns(table), tables.column_name(column)
    if name not in columns:
        if guesses_date_column(resource):
            return does_not_apply(
                f"the table has no column `{column}`. Name the column of a row's day as "
                "`date_column` in the resource's policy, if there is one"
            )
        return CheckResult(
            False,
            f"The table has no column `{column}`: name the column of a row's day "
            "as `date_column` in the resource's policy, or None if it has none.",
        )
    newest = measured or tables.newest(table, column)
    if newest is None:
        if guesses_date_column(resource) and columns[name].get("data_type") in TEMPORAL:
            return does_not_apply(f"no row has a value in `{column}`, the default `date_column`")
        return CheckResult(False, f"No row has a date or a time in `{column}`.")
    # the end of its day, also of a time within it
    age = now - later(newest.replace(hour=0, minute=0, second=0, microsecond=0), timedelta(days=1))
    if age < -timedelta(days=2):
        return CheckResult(
            False, f"The newest `{column}` is {newest.date()}, which is in the future."
        )
    text, numbers = (
        f"The newest `{column}` is {newest.date()}",
        {"age (hours)": max(0, round(age.total_seconds() / HOUR))},
    )
    if isinstance(policy.load, Partitioned) and policy.load.by != "day":
        expected = expected_partitions(policy.load, policy.freshness, now)[-1:]
        starts = [time_window_of(policy.load, [key]).start.date() for key in expected]
        fresh = all(start <= newest.date() for start in starts)
        return CheckResult(fresh, f"{text}; {''.join(expected) or 'none'} is due.", numbers=numbers)
    return CheckResult(
        age <= policy.freshness,
        f"{text}, which {_end(age)}; up to {age_of(policy.freshness)} are fresh.",
        numbers=numbers,
    )


def check_columns(before: dg.TableSchema | None, now: dg.TableSchema) -> CheckResult:
    """Warn if columns were added, removed or changed their type since the load before.

    Args:
        before: the columns after the load before; None if there was none.
        now: the columns of the table.
    """
    if before is None:
        return CheckResult(True, "This is the first load.")
    if not before.columns:  # such as that of a day without rows
        return CheckResult(True, "The loads before had no rows, so that there were no columns.")
    old, new = _types(before), _types(now)
    changes = [
        *(f"added {name} ({new[name]})" for name in new if name not in old),
        *(f"removed {name} ({old[name]})" for name in old if name not in new),
        *(
            f"{name} was {old[name]} and is {new[name]}"
            for name in old
            if name in new and old[name] != new[name]
        ),
    ]
    text = "; ".join(changes) or f"{count(len(new), 'column')}, as before."
    return CheckResult(not changes, text, dg.AssetCheckSeverity.WARN)


def _types(schema: dg.TableSchema) -> dict[str, str]:
    """Return the types of columns by name, without dlt's own, which older loads did not record."""
    return {
        column.name: column.type
        for column in schema.columns
        if not column.name.startswith(DLT_NAME_PREFIX)
    }


def _end(age: timedelta) -> str:
    return "has not ended yet" if age < timedelta() else f"ended {age_of(age)} ago"
