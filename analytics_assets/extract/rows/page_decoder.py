"""Pages decoded and validated by their contract in one pass."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import fields_of
from analytics_assets.contract.rows.numbers import decode_json, json_integer, loses_digits
from analytics_assets.contract.rows.row_type import row_type, values_by_field
from analytics_assets.extract.rows.arrow import KNOWN_TYPES, table_of_values
from analytics_assets.extract.rows.hashing import RowHash
from analytics_assets.extract.rows.json_columns import JsonTable

if TYPE_CHECKING:
    import pyarrow as pa

KEY_TYPES = ("text", "bigint")  # such a key is the same in JSON and in the table
Envelope = tuple[tuple[int, str, bytes], ...]
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])


class SplitPage(NamedTuple):
    """A page split into its rows and their envelope.

    Args:
        rows: the JSON of the list of rows.
        envelope: the fields beside it: depth, name and JSON of each.
    """

    rows: bytes
    envelope: Envelope


class TypedRows(NamedTuple):
    """The rows of several pages, all of them valid.

    Args:
        table: the rows, by the names of the columns.
        keys: the primary key of each row; a key of one field is the field.
        hashes: the hash of each row.
    """

    table: "pa.Table"
    keys: list[Any]
    hashes: list[int]


class PageDecoder:
    """Decodes pages by a contract.

    Args:
        contract: the contract of the rows.
        selector: the path of the rows, names joined by dots.
    """

    def __init__(self, contract: Contract, selector: str) -> None:
        self._contract = contract
        self._path = selector.split(".")
        self._has_numbers = any(each.data_type in ("double", "json") for each in contract.columns)
        self._json = JsonTable(contract) if JsonTable.can_parse(contract) else None

    @staticmethod
    def can_decode(contract: Contract, selector: object) -> bool:
        """Test if rows can be decoded and compared without a Python object for each."""
        types = {column.field: column.data_type for column in contract.columns}
        return (
            isinstance(selector, str)
            and all(name.isidentifier() for name in selector.split("."))
            and set(types.values()) <= set(KNOWN_TYPES)
            and not contract.time_formats
            and bool(contract.primary_key)
            and all(types.get(field) in KEY_TYPES for field in contract.primary_key)
        )

    def split(self, body: bytes) -> SplitPage | None:
        """Split a body; None if it is no JSON, or has no field in the place of the rows."""
        envelope: list[tuple[int, str, bytes]] = []
        raw: Any = body
        try:
            for depth, name in enumerate(self._path):
                parts = _parts.decode(raw)
                raw = parts.pop(name)
                envelope += [(depth, other, bytes(part)) for other, part in parts.items()]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            return None
        return SplitPage(bytes(raw), tuple(envelope))

    def body_of(self, envelope: Envelope) -> Any:
        """Return the decoded body of a page, its rows left out."""
        inner: Any = []
        for depth, name in reversed(list(enumerate(self._path))):
            others = [part for part in envelope if part[0] == depth]
            inner = {name: inner, **{other: _decoded(raw) for _, other, raw in others}}
        return inner

    def decode(self, pages: Sequence[bytes], rows_each: int) -> TypedRows | None:
        """Decode the rows of several pages.

        Args:
            pages: the JSON of their lists of rows.
            rows_each: the expected number of rows of each.

        Returns:
            The rows; None if a page has another number of them, or a row may not be valid.
        """
        if self._has_numbers and any(map(loses_digits, pages)):
            return None
        table = self._json.parse(pages, rows_each) if self._json else None
        if table is None:
            # accepts what Arrow does not, such as 5.0 for an integer
            table = self._decode_in_python(pages, rows_each)
        if table is None:
            return None
        names = [self._contract.name_of(field) for field in self._contract.primary_key]
        keys = [table.column(name).to_pylist() for name in names]
        return TypedRows(
            table,
            keys[0] if len(keys) == 1 else list(zip(*keys, strict=True)),
            self._hash.of_table(table),
        )

    def _decode_in_python(self, pages: Sequence[bytes], rows_each: int) -> "pa.Table | None":
        try:
            decoded = list(map(self._decoder.decode, pages))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if any(b"\\u0000" in page for page in pages):  # which PostgreSQL cannot store
            return None
        if {*map(len, decoded)} != {rows_each}:
            return None
        rows = [row for page in decoded for row in page]
        values = values_by_field(rows, fields_of(self._contract.columns))
        return table_of_values(self._contract, lambda column: values[column.field])

    def hashes_of(self, rows: Sequence[Any]) -> list[int]:
        """Return the hashes of rows that were decoded without the contract."""
        return self._hash.of_rows(rows)

    @cached_property
    def _hash(self) -> RowHash:
        return RowHash(self._contract)

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[list[Any]]:
        row = row_type(self._contract.columns, closed=True)
        return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]


def _decoded(raw: bytes) -> Any:
    try:
        return decode_json(raw)
    except msgspec.DecodeError:  # an integer of thousands of digits
        return json.loads(raw, parse_int=json_integer)
