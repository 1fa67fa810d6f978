"""The traffic of each day: a table made by `daily_traffic.sql` of two tables that are loaded.

To make a mart of your own, copy this folder, whose name is the mart's, and change the table. To do
without it, delete the folder: nothing else refers to it.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from analytics_assets import Warehouse

PAGE_VIEWS = dg.AssetKey(["analytics", "page_views"])
ACTIVE_USERS = dg.AssetKey(["analytics", "daily_active_users"])

MART = Path(__file__).parent.name  # so that a copy of the folder is a mart of its own
TABLE = "daily_traffic"
WAREHOUSE = Warehouse.from_settings(MART)  # its tables are in a dataset of this name
SOURCE = Warehouse.from_settings("analytics").dataset  # {analytics} in the SELECT
SELECT = Path(__file__).with_name(f"{TABLE}.sql").read_text("utf-8")
SELECT = SELECT.replace("{analytics}", SOURCE)

# each column with its type, its description, and the columns that it is made of
COLUMNS = {
    "analytics_id": (
        "text",
        "The analytics property.",
        [(PAGE_VIEWS, "analytics_id"), (ACTIVE_USERS, "analytics_id")],
    ),
    "date": ("date", "The day.", [(PAGE_VIEWS, "date"), (ACTIVE_USERS, "date")]),
    "page_views": ("bigint", "Views of all pages.", [(PAGE_VIEWS, "page_views")]),
    "pages": ("bigint", "Pages that were viewed.", [(PAGE_VIEWS, "page")]),
    "active_users": ("bigint", "Active users of all segments.", [(ACTIVE_USERS, "active_users")]),
    "views_per_user": (
        "double",
        "Views per active user; null without users.",
        [(PAGE_VIEWS, "page_views"), (ACTIVE_USERS, "active_users")],
    ),
}
COLUMN_METADATA: dict[str, Any] = {
    "dagster/column_schema": dg.TableSchema(
        [dg.TableColumn(name, kind, about) for name, (kind, about, _) in COLUMNS.items()]
    ),
    "dagster/column_lineage": dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(key, column) for key, column in origin]
            for name, (_, _, origin) in COLUMNS.items()
        }
    ),
}


@dg.asset(
    key=[MART, TABLE],
    deps=[PAGE_VIEWS, ACTIVE_USERS],
    description=f"Page views and active users per property and day.\n\n```sql\n{SELECT}```",
    group_name=MART,
    owners=["team:analytics"],
    kinds={"sql", "table", WAREHOUSE.destination_type},
    metadata={"dagster/table_name": WAREHOUSE.qualified(TABLE), **COLUMN_METADATA},
    pool=WAREHOUSE.pool(TABLE),
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36)),
    # once both tables are loaded and complete; the sensor below evaluates it
    automation_condition=dg.AutomationCondition.eager()
    & dg.AutomationCondition.all_deps_blocking_checks_passed(),
)
def daily_traffic(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Replace the table in one transaction: a second run gives the same rows."""
    rows = WAREHOUSE.replace_table(TABLE, SELECT, run=context.run.run_id, log=context.log)
    [(newest,)] = WAREHOUSE.query(f"SELECT max(date) FROM {WAREHOUSE.qualified(TABLE)}")
    metadata = {"dagster/row_count": rows, "newest data": str(newest or "none"), **COLUMN_METADATA}
    return dg.MaterializeResult(metadata=metadata)


# off until somebody switches it on under Automation, as all schedules are
sensor = dg.AutomationConditionSensorDefinition(
    MART,
    target=dg.AssetSelection.groups(MART),
    description="Makes the tables of the mart anew once those that they read are loaded.",
)


@dg.asset_check(
    asset=daily_traffic,
    description="Each property and day occurs once.",
    pool=WAREHOUSE.pool(TABLE),
)
def one_row_per_day(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Look for keys that are null or occur more than once."""
    repeated = WAREHOUSE.query(
        f"SELECT analytics_id, date FROM {WAREHOUSE.qualified(TABLE)} GROUP BY analytics_id, date "
        "HAVING count(*) > 1 OR analytics_id IS NULL OR date IS NULL",
        context.log,
    )
    return dg.AssetCheckResult(passed=not repeated, metadata={"repeated keys": len(repeated)})


@dg.asset_check(
    asset=daily_traffic,
    additional_deps=[PAGE_VIEWS],
    description="The table has all page views: none is lost or doubled by the join.",
    pool=WAREHOUSE.pool(TABLE),
)
def views_as_loaded(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Compare the sum with that of the loaded table."""
    [(views, loaded)] = WAREHOUSE.query(
        f"SELECT (SELECT CAST(sum(page_views) AS BIGINT) FROM {WAREHOUSE.qualified(TABLE)}), "
        f"(SELECT CAST(sum(page_views) AS BIGINT) FROM {SOURCE}.page_views)",
        context.log,
    )
    # the two differ after a later load of the views, until the next one of the mart
    return dg.AssetCheckResult(
        passed=views == loaded,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"page views": views or 0, "page views loaded": loaded or 0},
    )
