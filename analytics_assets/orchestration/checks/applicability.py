"""The resources and tables that a check says something about."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from analytics_assets.config.load import Partitioned
from analytics_assets.config.policy import Policy
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.metadata.names import (
    ROW_COUNT,
    ROWS_EXPECTED,
    ROWS_LOADED,
    ROWS_RECEIVED,
    UNKNOWN,
)
from analytics_assets.orchestration.runs.materializations import newest_first


def has_date_column(resource: Resource) -> bool:
    """Return True if the table may have a column with the day of a row.

    The default `date` is a guess, which a contract without such a field refutes, unless the entry
    itself adds the column.
    """
    column, contract = resource.policy.date_column, resource.contract
    if column is None or not contract.has_schema or not guesses_date_column(resource):
        return column is not None
    hints = resource.columns or {}
    named = {name for each in contract.columns for name in (each.name, each.field)}
    named |= {contract.name_of(field) for field in resource.added_fields}
    if column in named or resource.merged_entry.get("processing_steps"):
        return True
    return column in hints if isinstance(hints, dict) else True


def guesses_date_column(resource: ResourceConfig) -> bool:
    """Return True if `date_column` is the default; a partitioned load needs the column."""
    policy = resource.policy
    return policy.date_column == Policy.date_column and not isinstance(policy.load, Partitioned)


def is_without_rows_yet(
    instance: dg.DagsterInstance, asset: dg.AssetKey, load: Mapping[str, Any]
) -> bool:
    """Return True if the API gave no rows so far, in no load.

    A table that had rows once and has none now is another matter: they are lost.

    Args:
        instance: holds the event log.
        asset: the asset.
        load: the metadata of its last load.
    """
    # a resource function of dlt counts no rows that it received
    gave_none = load.get(ROWS_RECEIVED) == 0 and load.get(ROWS_LOADED) == 0
    if not gave_none or load.get(ROWS_EXPECTED) not in (0, None, UNKNOWN) or load.get(ROW_COUNT):
        return False
    return not any(
        count.value
        for _, event in newest_first(instance, asset)
        if (count := event.metadata.get(ROW_COUNT))
    )
