"""Rejected rows of a resource, which stay in their table until they are settled.

A row is settled by a later load that brings its key, or that rejects it again; by a retry; or by
the user, who dismisses it. The table holds those alone that are not.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, NamedTuple

from dlt.common.schema.typing import C_DLT_ID, C_DLT_LOAD_ID, TTableSchemaColumns

from analytics_assets.config.resource import REJECTED_ROWS
from analytics_assets.config.times.timestamps import parse_timestamp
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.rejected_row import RowKeys, row_of, text_of
from analytics_assets.warehouse.destinations.client import WarehouseClient
from analytics_assets.warehouse.destinations.row_changes import delete_rows, set_texts
from analytics_assets.warehouse.queries.placeholders import placeholders

BATCH = 1000  # values in a statement
NOTHING: Mapping[str, str] = {}


class Reason(NamedTuple):
    """Rejected rows with one reason.

    Args:
        text: the reason.
        rows: the number of rows.
        oldest: the time of the first rejection.
        newest: the time of the last one.
        example: one of the rows as JSON.
    """

    text: str
    rows: int
    oldest: datetime
    newest: datetime
    example: str


class RejectedRow(NamedTuple):
    """A rejected row.

    Args:
        id: dlt's identifier of the row in `rejected_rows`.
        load: dlt's id of the load that rejected it.
        reason: the violation.
        text: the row as JSON.
        after_steps: True if it is the row that `processing_steps` have made of the API's.
    """

    id: str
    load: str
    reason: str
    text: str
    after_steps: bool = False


class Rejections:
    """The rejected rows of a resource.

    Args:
        client: dlt's client of the destination, open.
        columns_of: returns the columns of a table, empty if there is no such table.
        api: the name of the API.
        resource: the name of the resource.
    """

    def __init__(
        self,
        client: WarehouseClient,
        columns_of: Callable[[str], TTableSchemaColumns],
        api: str,
        resource: str,
    ) -> None:
        self._client, self._sql, self._columns_of = client, client.sql_client, columns_of
        columns = columns_of(REJECTED_ROWS)
        self._exists = bool(columns)
        self._where, self._values = f"{self._column('resource')} = %s", [resource]
        # older versions stored neither of the two
        self._after_steps = self._column("after_steps") if "after_steps" in columns else "NULL"
        if "api" in columns:
            api_column = self._column("api")
            self._where += f" AND ({api_column} = %s OR {api_column} IS NULL)"
            self._values.append(api)

    def reasons(self, containing: str = "") -> list[Reason]:
        """Count the rows by reason, most frequent first.

        Args:
            containing: a part of the reasons to count, in small or capital letters.
        """
        reason, at = self._column("reason"), self._column("rejected_at")
        rows = self._select(
            f"{reason}, count(*) AS times, min({at}), max({at}), min({self._column('row')})",
            f"GROUP BY {reason} ORDER BY times DESC, {reason}",
        )
        return [Reason(*row) for row in rows if containing.lower() in str(row[0]).lower()]

    def rows(self, containing: str = "") -> list[RejectedRow]:
        """Return the rows in the order of their rejection.

        Args:
            containing: a part of the reasons of these rows, in small or capital letters.
        """
        names = (C_DLT_ID, C_DLT_LOAD_ID, "reason", "row")
        rows = self._select(
            ", ".join([*map(self._column, names), self._after_steps]),
            f"ORDER BY {self._column(C_DLT_LOAD_ID)}, {self._column('offset')}",
        )
        found = [
            RejectedRow(str(name), str(load), str(reason), str(text), bool(after_steps))
            for name, load, reason, text, after_steps in rows
        ]
        return [row for row in found if containing.lower() in row.reason.lower()]

    def delete(self, ids: Iterable[str]) -> None:
        """Delete rows by dlt's identifiers."""
        for batch in _batches(ids):
            delete_rows(self._client, REJECTED_ROWS, self._has_id(batch), *batch)

    def change_reason(self, ids: Iterable[str], reason: str) -> None:
        """Replace the reason of rows by dlt's identifiers."""
        for batch in _batches(ids):
            where, texts = self._has_id(batch), {"reason": reason}
            set_texts(self._client, REJECTED_ROWS, texts, where, *batch)

    def _has_id(self, ids: Sequence[str]) -> str:
        """Return the condition for rows with some identifiers."""
        return f"{self._column(C_DLT_ID)} IN ({placeholders(ids)})"

    def settle(
        self,
        table: str,
        contract: Contract,
        whole: Collection[str] = (),
        deleted: Mapping[str, str] = NOTHING,
    ) -> int:
        """Delete the rows that later loads have settled.

        Args:
            table: the table of the resource.
            contract: the contract of its rows.
            whole: dlt's ids of the last load if it was a complete read of all rows; else empty.
            deleted: the keys, as JSON, that the last load has deleted from the table, and its id.

        Returns:
            The number of deleted rows.
        """
        rows, keys = self.rows(), RowKeys(contract)
        if not rows:
            return 0
        key_of = {row.id: key for row in rows if (key := keys.of(row_of(row.text)))}
        texts = {identifier: text_of(key) for identifier, key in key_of.items()}
        stored = self.stored_keys(table, contract, list(key_of.values()))
        settled = settled_rows(rows, texts, {**stored, **deleted}, whole)
        self.delete(settled)
        return len(settled)

    def stored_keys(
        self, table: str, contract: Contract, keys: Sequence[Mapping[str, Any]]
    ) -> Mapping[str, str]:
        """Find rows of the table by their primary keys.

        Args:
            table: the table.
            contract: the contract with the columns of the key.
            keys: primary keys by the API's names.

        Returns:
            By the JSON text of a key, dlt's id of the load that last wrote its row; keys that the
            table does not have are left out.
        """
        columns = self._columns_of(table)
        names = contract.key_columns
        if not keys or not {*names, C_DLT_LOAD_ID} <= columns.keys():
            return {}
        types = [str(columns[name].get("data_type")) for name in names]
        wanted: dict[tuple[Any, ...], list[str]] = {}  # the table may take several keys for one
        for key in keys:
            wanted.setdefault(tuple(map(in_column, key.values(), types)), []).append(text_of(key))
        found: dict[str, str] = {}
        selected = ", ".join(map(self._column, (*names, C_DLT_LOAD_ID)))
        for batch in _batches(key for key in wanted if None not in key):
            # of several columns, also keys that mix those of two rows
            parts = [list(dict.fromkeys(values)) for values in zip(*batch, strict=True)]
            where = " AND ".join(
                f"{self._column(name)} IN ({placeholders(part)})"
                for name, part in zip(names, parts, strict=True)
            )
            rows = self._sql.execute_sql(
                f"SELECT {selected} FROM {self._table(table)} WHERE {where}",
                *(value for part in parts for value in part),
            )
            for *values, load in rows or ():
                for text in wanted.get(tuple(map(in_column, values, types)), ()):
                    found[text] = max(found.get(text, ""), str(load))
        return found

    def _select(self, columns: str, rest: str) -> Sequence[Sequence[Any]]:
        if not self._exists:
            return ()
        query = f"SELECT {columns} FROM {self._table(REJECTED_ROWS)} WHERE {self._where} {rest}"
        return self._sql.execute_sql(query, *self._values) or ()

    def _table(self, name: str) -> str:
        return self._sql.make_qualified_table_name(name)

    def _column(self, name: str) -> str:
        return self._sql.escape_column_name(self._client.schema.naming.normalize_path(name))


def settled_rows(
    rows: Sequence[RejectedRow],
    keys: Mapping[str, str],
    stored: Mapping[str, str],
    whole: Collection[str] = (),
) -> list[str]:
    """Find the rows that a later load has settled.

    A row with a key is settled by a later load that stores this key, or rejects it again. A row
    without one by a later load that rejects the same row again, or that read all rows of the API:
    those without a key that the API still has are then rejected anew.

    Args:
        rows: the rejected rows.
        keys: the keys of those that have one, by identifier.
        stored: the newest load of the keys that are in the table, or that it has deleted there.
        whole: the ids of the last load if it was a complete read of all rows; else empty.

    Returns:
        The identifiers of the settled rows.
    """
    newest: dict[str, str] = {}
    for row in rows:
        name = keys.get(row.id, row.text)
        newest[name] = max(newest.get(name, ""), row.load)
    return [
        row.id
        for row in rows
        if newest[keys.get(row.id, row.text)] > row.load
        or stored.get(keys.get(row.id, ""), "") > row.load
        or (whole and row.id not in keys and row.load not in whole)
    ]


def in_column(value: Any, data_type: str) -> Any:
    """Return a value of JSON or of a table as a column of some type holds it; None if it cannot."""
    try:
        if data_type == "text":
            return value if isinstance(value, str) else text_of(value)
        if data_type == "bigint":
            number = int(value)
            return number if value in (number, str(number)) else None
        if data_type == "double":
            return float(value)
        if data_type == "time":
            return time.fromisoformat(value) if isinstance(value, str) else value
        if data_type == "decimal":
            return Decimal(str(value))
    except (ValueError, TypeError, OverflowError, InvalidOperation):
        return None
    if data_type in ("date", "timestamp"):
        moment = parse_timestamp(value)
        return moment.date() if moment and data_type == "date" else moment
    return value if data_type == "bool" and isinstance(value, bool) else None


def _batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while batch := list(islice(rest, BATCH)):
        yield batch
