"""Rows that mark a row of the table as deleted: by the policy `tombstone`, or dlt's `hard_delete`.

https://dlthub.com/docs/general-usage/merge-loading#delete-records
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.times.timestamps import (
    EXAMPLES,
    TimeFormatError,
    parse_timestamp,
    read_time,
)
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import value_at
from analytics_assets.contract.rows.rejected_row import RowKeys, text_of

BLANKS = "which would empty the columns of the row that is kept"
YES, NO = ("true", "yes", "y", "1"), ("false", "no", "n")


class TombstoneError(AnalyticsAssetsError):
    """The field of a tombstone has a value that says neither that a row is deleted nor not."""


class DeleteMarker:
    """Distinguishes deletes from rows to load.

    Args:
        contract: the contract of the rows, with the field of tombstones or the column of the mark.
        is_strict: False to take a value of the field that says neither for no mark, as steps behind
            may replace it.

    Example:
        >>> marker = DeleteMarker(Contract("orders", hard_delete="deleted"))
        >>> [marker.marks(row) for row in ({"id": 7, "deleted": True}, {"deleted": False}, {})]
        [True, False, False]
    """

    def __init__(self, contract: Contract, is_strict: bool = True) -> None:
        self._contract, self._is_strict = contract, is_strict
        self._column = contract.hard_delete
        self._names: dict[str, bool] = {}
        field = contract.tombstone["field"] if contract.tombstone else ""
        is_whole = any(column.field == field and not column.parents for column in contract.columns)
        self.path = [field] if is_whole else field.split(".") if field else []
        self._format = contract.time_formats.get(field)
        self._always: frozenset[str] | None = None  # fields of each row that is no tombstone

    @property
    def removes(self) -> bool:
        """True if the keys of tombstones leave the table."""
        return self._contract.tombstone is not None and self._contract.tombstone["rows"] == "delete"

    @property
    def keeps(self) -> bool:
        """True if tombstones stay rows of the table."""
        return self._contract.tombstone is not None and not self.removes

    def marks(self, row: Any) -> bool:
        """Return True if a row is a delete, whose key leaves the table.

        Raises:
            TombstoneError: the field of tombstones says neither.
        """
        if self.removes:
            return self.is_tombstone(row)
        if self._column is None or not isinstance(row, dict):
            return False
        return any(
            row[name] is not None and row[name] is not False for name in row if self._is_mark(name)
        )

    def is_tombstone(self, row: Any) -> bool:
        """Return True if a row is a deleted one by the policy `tombstone`.

        Raises:
            TombstoneError: its field says neither.
        """
        if not self.path or not isinstance(row, dict):
            return False
        return self.is_deleted(value_at(row, self.path))

    def is_deleted(self, value: Any) -> bool:
        """Return True if a value of the field of tombstones says that a row is deleted.

        Raises:
            TombstoneError: it says neither.

        Example:
            >>> tombstone = {"field": "deleted", "rows": "delete"}
            >>> marker = DeleteMarker(Contract("orders", tombstone=tombstone))
            >>> [marker.is_deleted(value) for value in (True, 1, "Y", "2026-01-31T12:00:00Z")]
            [True, True, True, True]
            >>> [marker.is_deleted(value) for value in (None, False, 0, "n", "", "0000-00-00")]
            [False, False, False, False, False, False]
        """
        if value is None or isinstance(value, bool):
            return bool(value)
        if isinstance(value, date):
            return True
        if isinstance(value, str):
            text = value.strip().lower()
            if text in YES:
                return True
            if text in NO or not text.strip("0-:. tz"):  # databases write no date as zeros
                return False
        elif isinstance(value, int | float | Decimal) and value in (0, 1):
            return bool(value)
        if self._is_time(value):
            return True
        if not self._is_strict:
            return False
        field, kind = ".".join(self.path), "text" if isinstance(value, str) else "number"
        if not isinstance(value, str | int | float | Decimal):
            kind = "list" if isinstance(value, list) else "object"
        raise TombstoneError(
            f"{self._contract.resource}: `{field}`, the field of `tombstone` in the policy, has a "
            f"{kind} that is neither a time nor true or false (true, yes, y or 1, and false, no, n "
            f"or 0). Nothing was loaded. For times in another format add `{field}` to "
            f"`time_formats` of the policy: {EXAMPLES}; make other values true or false by "
            "`processing_steps`."
        )

    def _is_time(self, value: Any) -> bool:
        if not self._format:
            return parse_timestamp(value) is not None
        try:
            return bool(read_time(value, self._format))
        except TimeFormatError:
            return parse_timestamp(value) is not None  # as the validation has converted it

    def observe(self, rows: Sequence[Any]) -> None:
        """Learn from a page the fields that each row has which is no tombstone."""
        for row in rows if self.keeps else ():
            if isinstance(row, dict) and not self.is_tombstone(row):
                always = self._always
                self._always = frozenset(row) if always is None else always.intersection(row)

    def blank_of(self, row: Any) -> str | None:
        """Return the reason why a tombstone that is kept would empty columns of its row.

        A merge replaces the whole row: a tombstone must have the fields that all other rows have,
        or, where none came with it, at least one besides its key and its mark.
        """
        if not self.keeps or not self.is_tombstone(row):
            return None
        missing = sorted((self._always or frozenset()) - row.keys())
        own = {*self._contract.primary_key, self.path[0]}
        if not missing and (self._always is not None or not row.keys() <= own):
            return None
        lacks = f"no `{missing[0]}`" if missing else "nothing but its key"
        return (
            f"`$.{'.'.join(self.path)}`: a deleted row with {lacks}, {BLANKS}; `tombstone` with "
            '"rows": "delete" needs the key alone'
        )

    def deletes_in(self, table: Any) -> list[str]:
        """Return the keys of the deletes in an Arrow table, as JSON."""
        if self._column is None or self._column not in table.column_names:
            return []
        names = (*self._contract.key_columns, self._column)
        if not {*names} <= {*table.column_names}:
            names = (self._column,)
        *keys, marks = (table.column(name).to_pylist() for name in names)
        fields = self._contract.primary_key
        rows = zip(*keys, strict=True) if keys else [()] * len(marks)
        return [
            text_of(dict(zip(fields, key, strict=False)))
            for key, mark in zip(rows, marks, strict=True)
            if mark is not None and mark is not False
        ]

    def keys_of(self, rows: Sequence[Any]) -> list[str]:
        """Return the keys of deletes, as JSON."""
        keys = RowKeys(self._contract)
        return [text_of(keys.of(row)) for row in rows]

    def _is_mark(self, name: str) -> bool:
        if name not in self._names:
            self._names[name] = self._contract.name_of(name) == self._column
        return self._names[name]
