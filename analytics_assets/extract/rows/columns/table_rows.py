"""The step that names fields as columns, and emits rejected rows to their own table."""

from collections.abc import Iterator, Sequence
from secrets import token_hex
from typing import Any

from dlt.common.schema.typing import C_DLT_ID
from dlt.extract import DltResource
from dlt.extract.items import SupportsPipe

from analytics_assets.contract.contract import DELETED, Contract
from analytics_assets.contract.rows.delete_marker import DeleteMarker
from analytics_assets.contract.rows.primary_key import PrimaryKeyCheck
from analytics_assets.contract.rows.validation import Rejection
from analytics_assets.extract.compat import load_id
from analytics_assets.extract.rows.arrow import is_table, table_of_rows
from analytics_assets.extract.rows.columns.compat import child_rows
from analytics_assets.extract.rows.columns.dlt_columns import with_dlt_columns
from analytics_assets.extract.rows.columns.named_rows import NamedRows, hints_of
from analytics_assets.extract.rows.columns.row_type import RowType
from analytics_assets.extract.rows.pipe_step import (
    PipeStep,
    is_unaltered,
    may_expand,
    may_make_fields,
)
from analytics_assets.extract.rows.rejected_rows import RejectedRows


class TableRows(PipeStep):
    """The step that names fields as columns, and emits rejected rows to their own table.

    Rows that steps of the user may have altered must have their key now.

    Args:
        contract: the key, and the names of the columns.
        resource: the resource, with the types of the columns.
        rejected: the rejected rows to emit.
        as_arrow: True to load the rows as Arrow tables.
    """

    placement_affinity = 1.2  # behind dlt's incremental step, which uses the API's names

    def __init__(
        self,
        contract: Contract,
        resource: DltResource,
        rejected: RejectedRows,
        as_arrow: bool = False,
    ) -> None:
        super().__init__()
        self._contract = contract
        self._type = RowType(contract, resource) if as_arrow else None
        hints = hints_of(resource)
        self._table = str(resource.table_name)
        self._named = NamedRows(contract, hints)
        self._is_numbered = "dedup_sort" in hints.get(C_DLT_ID, {})
        self._rejected = rejected
        self._marker = DeleteMarker(contract)

    def bind(self, pipe: SupportsPipe) -> "TableRows":
        """Yield rows as dictionaries if a step of the user may have altered them."""
        if not is_unaltered(pipe):
            self._type = None
        self._key = PrimaryKeyCheck(self._contract) if may_make_fields(pipe) else None
        self._expands = may_expand(pipe)
        self._number = 0
        self._custom_metrics = {"rows_marked_deleted": 0, "deleted_keys": []}
        if self._marker.keeps:
            self._custom_metrics["tombstones_kept"] = 0
        return self

    def __call__(self, item: Any, meta: Any = None) -> Iterator[Any]:
        """Yield the page, and its rejected rows."""
        load = load_id()
        if is_table(item):
            assert load, "tables are made in a load only"
            self._count(self._marker.deletes_in(item))
            for table, name, parent in with_dlt_columns(item, load):
                if name:
                    yield from child_rows(
                        *(table, name, parent or self._table, self._contract.resource)
                    )
                else:
                    yield table
        else:
            # a `yield_map` hands rows on one by one
            rows = [item] if isinstance(item, dict) else item
            yield self._table_rows(self._keyed(rows), load) if isinstance(rows, list) else item
        self._custom_metrics["rows_rejected"] = self._rejected.count
        if self._rejected.count:
            self._custom_metrics["rejection_reasons"] = self._rejected.by_reason
        yield from self._rejected.items()

    def _keyed(self, rows: list[Any]) -> list[Any]:
        """Return the rows that have their key; reject the others."""
        if not self._key:
            return rows
        if not any(map(self._key.missing, rows)) and self._key.accepts(rows):
            self._key.learn(rows)
            return rows
        kept = []
        for position, row in enumerate(rows):
            reason = self._key.missing(row) or self._key.reason(row)
            if reason:
                offset = self._rejected.page_offset + (0 if self._expands else position)
                self._rejected.add(Rejection(position, reason, row), offset, after_steps=True)
            else:
                self._key.learn([row])
                kept.append(row)
        return kept

    def _table_rows(self, rows: list[dict[str, Any]], load: str | None) -> Any:
        marked = [at for at, row in enumerate(rows) if self._marker.marks(row)]
        if marked:
            self._count(self._marker.keys_of([rows[at] for at in marked]))
        if self._marker.keeps:
            kept = sum(map(self._marker.is_tombstone, rows))
            self._custom_metrics["tombstones_kept"] += kept
        deleted = {*marked} if self._marker.removes and load else set()
        is_typed = load and rows and not deleted
        table = table_of_rows(self._type, rows) if self._type and is_typed else None
        if table is not None and load:
            return next(with_dlt_columns(table, load)).rows
        rows = self._named(rows)
        if deleted:
            rows = [{**row, DELETED: True} if at in deleted else row for at, row in enumerate(rows)]
        return [self._numbered(row) for row in rows] if self._is_numbered and load else rows

    def _count(self, deleted: Sequence[str]) -> None:
        """Count deletes by their keys, as JSON."""
        self._custom_metrics["rows_marked_deleted"] += len(deleted)
        self._custom_metrics["deleted_keys"] += deleted

    def _numbered(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row with an identifier of dlt that is greater than those of the rows before."""
        self._number += 1
        return {**row, C_DLT_ID: f"{self._number:012}{token_hex(8)}"}
