"""Rows that mark a row of the table as deleted, by a column with dlt's hint `hard_delete`.

https://dlthub.com/docs/general-usage/merge-loading#delete-records
"""

from typing import Any

from analytics_assets.contract.contract import Contract


class DeleteMarker:
    """Distinguishes deletes from rows to load.

    Args:
        contract: the contract of the rows, with the column of the mark.

    Example:
        >>> marker = DeleteMarker(Contract("orders", hard_delete="deleted"))
        >>> [marker.marks(row) for row in ({"id": 7, "deleted": True}, {"deleted": False}, {})]
        [True, False, False]
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._column = contract.hard_delete
        self._names: dict[str, bool] = {}

    def marks(self, row: Any) -> bool:
        """Return True if a row is a delete: its mark is neither null nor false."""
        if self._column is None or not isinstance(row, dict):
            return False
        return any(
            row[name] is not None and row[name] is not False for name in row if self._is_mark(name)
        )

    def count_in(self, table: Any) -> int:
        """Count the deletes in an Arrow table, by the names of its columns."""
        if self._column is None or self._column not in table.column_names:
            return 0
        marks = table.column(self._column).to_pylist()
        return sum(mark is not None and mark is not False for mark in marks)

    def _is_mark(self, name: str) -> bool:
        if name not in self._names:
            self._names[name] = self._contract.name_of(name) == self._column
        return self._names[name]
