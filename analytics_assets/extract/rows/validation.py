"""Steps that validate the pages of a resource and put rejected rows into a table of their own.

No row is dropped: a row that breaks the contract goes to the table `rejected_rows` of its load.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract import DltResource
from dlt.extract.items import SupportsPipe

from analytics_assets.config.resource import REJECTED_ROWS
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.validation import RowValidator
from analytics_assets.extract.compat import is_loaded, load_id
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.rows.arrow import ArrowRows, is_table, with_dlt_columns
from analytics_assets.extract.rows.column_collisions import ColumnCollisions
from analytics_assets.extract.rows.pipe_step import PipeStep, is_unaltered

REJECTED_COLUMNS: TTableSchemaColumns = {
    "resource": {"data_type": "text", "nullable": False},
    "rejected_at": {"data_type": "timestamp", "nullable": False},
    "offset": {"data_type": "bigint", "nullable": False},
    "reason": {"data_type": "text", "nullable": False},
    "row": {"data_type": "text", "nullable": False},
}


def validate_rows(
    resource: DltResource,
    contract: Contract,
    as_arrow: bool = False,
    has_children: bool = False,
) -> None:
    """Add the steps that pass only valid rows to the table of a resource.

    The validation is the first step of the resource's pipe, before the entry's own
    `processing_steps`, as the contract describes the API's rows. Renaming is the last, so that the
    whole entry uses the API's names.

    Args:
        resource: the resource; changed in place.
        contract: the contract of its rows.
        as_arrow: whether dlt may get them as Arrow tables.
        has_children: whether other resources are read from its rows. They see all rows of the API;
            if its own table is loaded too, each row must be valid.
    """
    if has_children:
        resource.add_step(ParentValidation(contract, [], resource), insert_at=2)
        return
    rejected: list[dict[str, Any]] = []
    resource.add_step(Validation(contract, rejected, resource), insert_at=2)
    resource.add_step(TableRows(contract, rejected, as_arrow))


class Validation(PipeStep):
    """The step that takes invalid rows out of a page.

    Args:
        contract: the contract of the rows.
        rejected: receives the invalid rows, as rows of `rejected_rows`.
        resource: the resource, with the hints of its entry.
    """

    placement_affinity = -0.9

    def __init__(
        self, contract: Contract, rejected: list[dict[str, Any]], resource: DltResource
    ) -> None:
        super().__init__()
        self._contract = contract
        self._rejected = rejected
        hints = resource.columns if isinstance(resource.columns, dict) else {}
        self._types = {name: hint.get("data_type") for name, hint in hints.items()}
        self._max_nesting = resource.max_table_nesting

    def bind(self, pipe: SupportsPipe) -> "Validation":
        """Start counting."""
        hinted = {name for name in self._types if self._types[name]}
        self._validator = RowValidator(self._contract, hinted)
        self._offset = 0
        whole = {name for name, kind in self._types.items() if kind == "json"}
        self._collisions = ColumnCollisions(self._contract, whole, self._max_nesting)
        self._rejected.clear()
        self._custom_metrics = {"rows_rejected": 0}
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Return the valid rows of a page."""
        if is_table(item):
            self._offset += item.num_rows
            self._validator.observe_table(item)
            return item
        if not isinstance(item, list):
            return item
        page = self._validator.validate(item)
        self._collisions.check(page.rows)
        for rejection in page.rejected:
            self._rejected.append(
                {
                    "resource": self._contract.resource,
                    "rejected_at": datetime.now(UTC),
                    "offset": self._offset + rejection.position,
                    "reason": rejection.reason,
                    "row": json.dumps(rejection.row),
                }
            )
        self._offset += len(item)
        self._custom_metrics["rows_rejected"] += len(page.rejected)
        self._custom_metrics["unknown_fields"] = dict(self._validator.unknown_fields)
        self._custom_metrics["absent_fields"] = sorted(self._validator.absent_fields)
        self._custom_metrics["key_types"] = self._validator.key_types
        return page.rows


class InvalidParentError(ApiError):
    """A row can neither be loaded nor be left out, as other resources are read from it."""


class ParentValidation(Validation):
    """The step of a resource from whose rows others are read: no row is taken out."""

    def bind(self, pipe: SupportsPipe) -> "ParentValidation":
        """Start counting."""
        self._pipe = pipe
        super().bind(pipe)
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Return the page as it is.

        Raises:
            InvalidParentError: its table is loaded too, and a row is invalid.
        """
        if not isinstance(item, list) or not is_loaded(self._pipe):
            return item
        super().__call__(item, meta)
        for first in self._rejected:
            name = self._contract.resource
            raise InvalidParentError(
                f"{name}: its row at offset {first['offset']} cannot be loaded: {first['reason']}. "
                f"Nor can it be taken out, as other resources are read from the rows of `{name}` "
                f"in the same load. Load `{name}` by itself, and the others without it, by "
                "`with_resources`; such rows then go to `rejected_rows`."
            )
        return item


class TableRows(PipeStep):
    """The step that names fields as columns, and emits rejected rows to their own table.

    Args:
        contract: the names of the columns.
        rejected: the rows of `rejected_rows` that are to be emitted.
        as_arrow: whether dlt may get the rows as Arrow tables.
    """

    placement_affinity = 1.2  # behind dlt's incremental step, which uses the API's names

    def __init__(
        self, contract: Contract, rejected: list[dict[str, Any]], as_arrow: bool = False
    ) -> None:
        super().__init__()
        self._arrow = ArrowRows(contract) if as_arrow else None
        self._rename = contract.rename
        self._json = [each.field for each in contract.columns if each.data_type == "json"]
        self._rejected = rejected

    def bind(self, pipe: SupportsPipe) -> "TableRows":
        """Leave rows to dlt if steps of the user's own may have altered them."""
        if not is_unaltered(pipe):
            self._arrow = None
        return self

    def __call__(self, item: Any, meta: Any = None) -> Iterator[Any]:
        """Yield the page, and its rejected rows."""
        load = load_id()
        if is_table(item):
            assert load, "tables are made in a load only"
            yield with_dlt_columns(item, load)
        else:
            yield self._table_rows(item, load) if isinstance(item, list) else item
        if self._rejected:
            rejected = list(self._rejected)
            self._rejected.clear()  # before they are emitted: dlt takes the next page in between
            # a table begins with the hints of its resource: empty ones take them away first
            for columns, rows in (({}, []), (REJECTED_COLUMNS, rejected)):
                hints = dlt.mark.make_hints(
                    table_name=REJECTED_ROWS,
                    columns=columns,
                    write_disposition="append",
                    primary_key=(),
                    merge_key=(),
                )
                yield dlt.mark.with_hints(rows, hints, create_table_variant=True)

    def _table_rows(self, rows: list[dict[str, Any]], load: str | None) -> Any:
        table = self._arrow.table(rows, load) if self._arrow and load and rows else None
        if table is not None:
            return table
        if self._json:
            rows = [self._with_json(row) for row in rows]
        if self._rename:
            rows = [{self._rename.get(name, name): row[name] for name in row} for row in rows]
        return rows

    def _with_json(self, row: dict[str, Any]) -> dict[str, Any]:
        """Encode texts and numbers in JSON columns.

        dlt 1.31 would put numbers into columns of their own, and decodes texts once.
        """
        plain = {
            name: _encoded_for_dlt(row[name])
            for name in self._json
            if row.get(name) is not None and not isinstance(row[name], dict | list)
        }
        return {**row, **plain} if plain else row


def _encoded_for_dlt(value: Any) -> str:
    encoded = json.dumps(value, ensure_ascii=False)
    return json.dumps(encoded) if isinstance(value, str) else encoded
