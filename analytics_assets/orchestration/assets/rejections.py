"""Rejected rows of an asset that its loads settle."""

from collections.abc import Mapping
from typing import Any

from analytics_assets.config.load import Full
from analytics_assets.config.load_validation import has_incremental_cursor
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.metadata import COMPLETE, load_ids
from analytics_assets.warehouse.queries.tables import Tables


def settle_rejected_rows(tables: Tables, resource: Resource, load: Mapping[str, Any]) -> None:
    """Delete the rejected rows that a load has brought, or rejected again.

    Args:
        tables: the open warehouse.
        resource: the resource.
        load: the metadata of its load.
    """
    reads_all = isinstance(resource.policy.load, Full) and load[COMPLETE]
    whole = reads_all and not has_incremental_cursor(resource.endpoint)
    tables.rejections(resource).settle(
        resource.table, resource.contract, load_ids(load) if whole else ()
    )
