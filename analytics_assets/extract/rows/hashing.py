"""Hashes of whole rows, by which their contents are compared within one process."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import fields_of, have_other_fields
from analytics_assets.extract.rows.arrow import table_of_rows
from analytics_assets.extract.rows.columns.row_type import RowType

if TYPE_CHECKING:
    import pyarrow as pa


class RowHash:
    """Hashes of rows in a table, and of the same rows as objects.

    A row has the same hash either way. DuckDB hashes column by column; Arrow has no hash, and
    Python would need an object for each value.

    Args:
        contract: the contract of the rows.
    """

    def __init__(self, contract: Contract) -> None:
        import duckdb

        self._contract = contract
        self._fields = fields_of(contract.columns)
        self._duckdb = duckdb.connect(config={"threads": 1})

    def of_table(self, table: "pa.Table") -> list[int]:
        """Return the hash of each row, 64 bits with sign."""
        import pyarrow as pa

        with self._duckdb.cursor() as connection:  # safe to use in several threads
            columns = ", ".join(f"#{place}" for place in range(1, table.num_columns + 1))
            hashes = connection.from_arrow(table).project(f"hash({columns}) AS hash")
            column = hashes.to_arrow_table().column("hash").combine_chunks()
        found: list[int] = column.view(pa.int64()).to_pylist()
        return found

    def of_rows(self, rows: Sequence[Any]) -> list[int]:
        """Return the hash of each row, valid by the contract or not."""
        are_objects = all(isinstance(row, dict) for row in rows)
        if are_objects and not have_other_fields(rows, self._fields):
            table = table_of_rows(RowType(self._contract), rows)
            if table is not None:
                return self.of_table(table)
        if len(rows) > 1:
            return [found for row in rows for found in self.of_rows([row])]
        return [hash(repr(row)) for row in rows]


def json_hashes(rows: Sequence[Any]) -> list[int]:
    """Return the hash of the JSON of each row."""
    return list(map(_json_hash, rows))


def _json_hash(row: Any) -> int:
    try:
        return hash(msgspec.json.encode(row))
    except (UnicodeEncodeError, RecursionError, TypeError):
        return hash(repr(row))
