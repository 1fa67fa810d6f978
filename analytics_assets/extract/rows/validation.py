"""Pages held against the contract: rows that fit go to their table, the others are set aside.

No row is dropped: what breaks the contract goes to the table `rejected_rows` of the same load.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract import DltResource
from dlt.extract.incremental import IncrementalResourceWrapper
from dlt.extract.items import SupportsPipe
from dlt.extract.items_transform import ItemTransform, LimitItem
from dlt.extract.pipe import ForkPipe, Pipe

from analytics_assets.config.api import REJECTED_ROWS
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.validation import RowValidator
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.rows.arrow import ArrowRows, is_table, load_id, with_dlt_columns
from analytics_assets.extract.rows.column_collisions import Collisions

REJECTED_COLUMNS: TTableSchemaColumns = {
    "resource": {"data_type": "text", "nullable": False},
    "rejected_at": {"data_type": "timestamp", "nullable": False},
    "offset": {"data_type": "bigint", "nullable": False},
    "reason": {"data_type": "text", "nullable": False},
    "row": {"data_type": "text", "nullable": False},
}


def check_rows(
    resource: DltResource,
    contract: Contract,
    as_arrow: bool = False,
    has_children: bool = False,
) -> None:
    """Let only rows that fit the contract through to the table of a resource.

    The check comes first in the resource's pipe, before the entry's own `processing_steps`, as the
    contract describes what the API sends. Renaming comes last, so that all of the entry speaks of
    the API's names.

    Args:
        resource: the resource; changed in place.
        contract: what its rows must be.
        as_arrow: whether dlt may have them as Arrow tables.
        has_children: whether other resources are read from its rows. They are to see what the API
            sent, so that no row is taken out; if its table is loaded too, each row must fit.
    """
    if has_children:
        resource.add_step(ParentRows(contract, [], resource), insert_at=2)
        return
    rejected: list[dict[str, Any]] = []
    resource.add_step(FittingRows(contract, rejected, resource), insert_at=2)
    resource.add_step(FinishedRows(contract, rejected, as_arrow))


class FittingRows(ItemTransform[Any, dict[str, Any]]):
    """The step that takes rows which break the contract out of a page.

    Args:
        contract: what the rows must be.
        rejected: where the others are put, as rows of `rejected_rows`.
        resource: what the entry says of its columns.
    """

    leaves_rows_alone = True
    placement_affinity = -0.9

    def __init__(
        self, contract: Contract, rejected: list[dict[str, Any]], resource: DltResource
    ) -> None:
        super().__init__(lambda item: item)
        self._contract = contract
        self._rejected = rejected
        hints = resource.columns if isinstance(resource.columns, dict) else {}
        self._types = {name: hint.get("data_type") for name, hint in hints.items()}
        self._deepest = resource.max_table_nesting

    def bind(self, pipe: SupportsPipe) -> "FittingRows":
        """Start counting."""
        hinted = {name for name in self._types if self._types[name]}
        self._validator = RowValidator(self._contract, hinted)
        self._offset = 0
        whole = {name for name, kind in self._types.items() if kind == "json"}
        self._collisions = Collisions(self._contract, whole, self._deepest)
        self._rejected.clear()
        self._custom_metrics = {"rows_rejected": 0}
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Return the page's rows that fit."""
        if is_table(item):
            self._offset += item.num_rows
            self._validator.observe_table(item)
            return item
        if not isinstance(item, list):
            return item
        checked = self._validator.validate(item)
        self._collisions.look(checked.rows)
        for rejection in checked.rejected:
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
        self._custom_metrics["rows_rejected"] += len(checked.rejected)
        self._custom_metrics["unknown_fields"] = dict(self._validator.unknown_fields)
        self._custom_metrics["absent_fields"] = sorted(self._validator.absent_fields)
        self._custom_metrics["key_types"] = self._validator.key_types
        return checked.rows


class UnfitParentError(ApiError):
    """A row can neither be loaded nor be taken out, as others are read by it."""


class ParentRows(FittingRows):
    """The step of a resource from whose rows others are read: no row is taken out."""

    def bind(self, pipe: SupportsPipe) -> "ParentRows":
        """Start counting."""
        self._pipe = pipe
        super().bind(pipe)
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Return the page as it is.

        Raises:
            UnfitParentError: its table is to be loaded too, and a row does not fit.
        """
        if not isinstance(item, list) or not self._is_loaded():
            return item
        super().__call__(item, meta)
        for first in self._rejected:
            name = self._contract.resource
            raise UnfitParentError(
                f"{name}: its row at offset {first['offset']} cannot be loaded: {first['reason']}. "
                f"Nor can it be taken out, as other resources are read from the rows of `{name}` "
                f"in the same load. Load `{name}` by itself, and the others without it, by "
                "`with_resources`; such rows then go to `rejected_rows`."
            )
        return item

    def _is_loaded(self) -> bool:
        """Tell whether the rows go to the resource's own table, and not only to others'."""
        pipe = self._pipe
        assert isinstance(pipe, Pipe), "dlt has one kind of pipe"
        last = pipe.steps[-1]  # dlt puts it there before it reads
        return not isinstance(last, ForkPipe) or last.has_pipe(pipe)


DLTS_OWN_STEPS = (IncrementalResourceWrapper, LimitItem)  # which leave rows as they are, too


class FinishedRows(ItemTransform[Any, dict[str, Any]]):
    """The step that gives columns their names, and sends rejected rows to their own table.

    Args:
        contract: how columns are called.
        rejected: the rows of `rejected_rows` that wait to be sent.
        as_arrow: whether dlt may have the rows as Arrow tables.
    """

    leaves_rows_alone = True
    placement_affinity = 1.2  # behind dlt's incremental step, which speaks of the API's names

    def __init__(
        self, contract: Contract, rejected: list[dict[str, Any]], as_arrow: bool = False
    ) -> None:
        super().__init__(lambda item: item)
        self._arrow = ArrowRows(contract) if as_arrow else None
        self._rename = contract.rename
        self._json = [each.field for each in contract.columns if each.data_type == "json"]
        self._rejected = rejected

    def bind(self, pipe: SupportsPipe) -> "FinishedRows":
        """Leave rows to dlt if steps of the user's own may have changed them."""
        assert isinstance(pipe, Pipe), "dlt has one kind of pipe"
        steps = [step for step in pipe.steps if step is not pipe.gen]
        if not all(
            getattr(step, "leaves_rows_alone", isinstance(step, DLTS_OWN_STEPS)) for step in steps
        ):
            self._arrow = None
        return self

    def __call__(self, item: Any, meta: Any = None) -> Iterator[Any]:
        """Give the page on, and the rejected rows of it."""
        load = load_id()
        if is_table(item):
            assert load, "tables are made in a load only"
            yield with_dlt_columns(item, load)
        else:
            yield self._finished(item, load) if isinstance(item, list) else item
        if self._rejected:
            rejected = list(self._rejected)
            self._rejected.clear()  # before they are sent: dlt takes the next page in between
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

    def _finished(self, rows: list[dict[str, Any]], load: str | None) -> Any:
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

        dlt 1.31 would make columns of their own of numbers, and decodes texts once.
        """
        plain = {
            name: _twice(row[name])
            for name in self._json
            if row.get(name) is not None and not isinstance(row[name], dict | list)
        }
        return {**row, **plain} if plain else row


def _twice(value: Any) -> str:
    encoded = json.dumps(value, ensure_ascii=False)
    return json.dumps(encoded) if isinstance(value, str) else encoded
