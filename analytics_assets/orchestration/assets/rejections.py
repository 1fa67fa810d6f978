"""Rejected rows of an asset: the loads that settle them, and the retry of those that are left."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlt.destinations.exceptions import DatabaseException

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Full
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.validation.load import has_incremental_cursor
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import Resource
from analytics_assets.contract.rows.delete_marker import BLANKS, DeleteMarker
from analytics_assets.contract.rows.rejected_row import RowKeys, row_of, text_of
from analytics_assets.extract.rows.rejected_rows import RowsRejectedAgain
from analytics_assets.extract.source import kept_rows_source
from analytics_assets.orchestration.assets.errors import explanation_of
from analytics_assets.orchestration.metadata.load import load_ids
from analytics_assets.orchestration.metadata.names import COMPLETE, DELETED_KEYS
from analytics_assets.warehouse.evolution.comparison import compare
from analytics_assets.warehouse.pipeline import LoadingPipeline
from analytics_assets.warehouse.queries.rejections import RejectedRow, Rejections
from analytics_assets.warehouse.queries.tables import Tables, open_tables
from analytics_assets.warehouse.warehouse import Warehouse

TWIN = "a valid row of its key came with the same load, and may be the newer one"


class RetryError(AnalyticsAssetsError):
    """The rejected rows of a resource cannot be loaded by themselves."""


@dataclass(frozen=True)
class Retry:
    """The outcome of a retry.

    Args:
        loaded: the number of rows that fit now.
        superseded: the number of rows whose key has been read again since.
        rejected: the number of rows that are still rejected, by today's reason.
    """

    loaded: int = 0
    superseded: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)


def settle_rejected_rows(
    tables: Tables,
    resource: ResourceConfig,
    contract: Contract,
    load: Mapping[str, Any],
    log: logging.Logger,
) -> None:
    """Delete the rejected rows that a load has brought, rejected again, or marked as deleted.

    Args:
        tables: the open warehouse.
        resource: the resource.
        contract: the contract of the load.
        load: the metadata of the load.
        log: for a warning if the destination refuses to.
    """
    reads_all = isinstance(resource.policy.load, Full) and load[COMPLETE]
    whole = reads_all and not has_incremental_cursor(resource.endpoint)
    keys = load.get(DELETED_KEYS)
    deleted = dict.fromkeys(keys, load_ids(load)[-1]) if keys else {}
    try:
        tables.rejections(resource).settle(
            resource.table, contract, load_ids(load) if whole else (), deleted
        )
    except DatabaseException as error:  # some destinations delete nothing; the load is whole
        log.warning(f"Rejected rows that this load has settled could not be deleted: {error}")


def retry_rejected_rows(resource: Resource, warehouse: Warehouse, containing: str = "") -> Retry:
    """Load the rejected rows of a resource that fit today's contract, without a request.

    They pass the steps of a load, and its lock. A row whose key was loaded later than it was
    rejected stays as it is.

    Args:
        resource: the resource.
        warehouse: the warehouse of its table.
        containing: a part of the reasons of the rows to retry; empty for all rows.

    Raises:
        RetryError: a load would delete other rows, or a row does not fit a column of the table.
        WarehouseLockedError: another process holds the table for longer than `lock_patience`.
    """
    with warehouse.loading(
        resource.pipeline_name, len(resource.contract.columns), table=resource.table
    ) as pipeline:
        with open_tables(pipeline) as tables:
            contract = compare(tables, resource, resource.contract).contract
            rejections = tables.rejections(resource)
            superseded = rejections.settle(resource.table, contract)
            if resource.has_unique_keys:
                superseded += _delete_all_but_last(rejections, contract)
            rows = rejections.rows(containing)
            staying = _staying(rejections, resource, contract, rows)
        if not rows:
            return Retry(superseded=superseded)
        if not resource.leaves_other_rows:
            raise RetryError(
                f"{resource.name}: its rejected rows cannot be loaded by themselves, as each load "
                "also deletes other rows, by its `write_disposition` or `merge_key`. Load the "
                "resource: rows that fit now come with it."
            )
        reasons: dict[RejectedRow, str] = {}
        for after_steps in (False, True):
            part = [row for row in rows if row.after_steps is after_steps and row not in staying]
            if part:
                reasons |= _load(pipeline, warehouse, resource, contract, part)
        with open_tables(pipeline) as tables:
            rejections = tables.rejections(resource)
            for reason in set(reasons.values()):
                rejections.change_reason(
                    [row.id for row in reasons if row.reason != reason == reasons[row]], reason
                )
            rejections.delete(row.id for row in rows if row not in reasons and row not in staying)
    found = Counter([*reasons.values(), *staying.values()])
    return Retry(len(rows) - found.total(), superseded, dict(found.most_common()))


def _delete_all_but_last(rejections: Rejections, contract: Contract) -> int:
    """Delete the rows whose key a later rejected row has, and return their number."""
    keys, rows = RowKeys(contract), rejections.rows()
    last: dict[str, str] = {}
    for row in rows:
        key = keys.of(row_of(row.text))
        last[text_of(key) if key else row.id] = row.id
    earlier = {row.id for row in rows} - {*last.values()}
    rejections.delete(earlier)
    return len(earlier)


def _staying(
    rejections: Rejections, resource: Resource, contract: Contract, rows: Sequence[RejectedRow]
) -> dict[RejectedRow, str]:
    """Return the rows that no retry loads, and why.

    The table has the key of some from the very load that rejected them. Kept tombstones would empty
    the columns of their rows, which the rows of their load alone can show.
    """
    keeps = DeleteMarker(contract).keeps
    staying = {row: row.reason for row in rows if keeps and BLANKS in row.reason}
    if not resource.has_unique_keys:
        return staying
    keys = RowKeys(contract)
    key_of = {row: key for row in rows if (key := keys.of(row_of(row.text)))}
    stored = rejections.stored_keys(resource.table, contract, list(key_of.values()))
    twins = {row: TWIN for row, key in key_of.items() if stored.get(text_of(key)) == row.load}
    return staying | twins


def _load(
    pipeline: LoadingPipeline,
    warehouse: Warehouse,
    resource: Resource,
    contract: Contract,
    rows: Sequence[RejectedRow],
) -> dict[RejectedRow, str]:
    """Load the rows that fit, all before or all after the steps; return why others do not."""
    again = RowsRejectedAgain(resource.api_name, resource.name)
    source = kept_rows_source(
        resource.config,
        resource.api_name,
        contract,
        [row_of(row.text) for row in rows],
        again,
        resource.pipeline_name,
        after_steps=rows[0].after_steps,
    )
    try:
        options: Any = {"loader_file_format": warehouse.loader_file_format}  # None is the default
        pipeline.run(source, **options)
    except Exception as error:
        reason = explanation_of(error, resource.contract.key_columns)
        if reason is None:
            raise
        raise RetryError(f"{resource.name}: no rejected row was loaded. {reason}") from error
    return {rows[place]: reason for place, reason in again.reasons.items()}
