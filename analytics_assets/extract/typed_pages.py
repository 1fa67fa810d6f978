"""Bodies of pages decoded and held against the contract in one pass, and rows as columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from analytics_assets.contract import Contract
from analytics_assets.contract.row_type import row_type
from analytics_assets.extract.arrow import KNOWN_TYPES, columns_of

if TYPE_CHECKING:
    import pyarrow as pa

KEY_TYPES = ("text", "bigint")  # such a key is the same in JSON and in the table
Envelope = tuple[tuple[int, str, bytes], ...]
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])


class TypedPage(NamedTuple):
    """A page whose rows all fit.

    Args:
        rows: the values of each, in the order of the contract's columns.
        envelope: what is around them: how deep, the name, the JSON.
    """

    rows: list[tuple[Any, ...]]
    envelope: Envelope


class TypedPages:
    """Decodes pages by the contract.

    Args:
        contract: what the rows are.
        selector: the names that lead to the rows, with dots between.
    """

    def __init__(self, contract: Contract, selector: str) -> None:
        self._contract = contract
        self._path = selector.split(".")
        self._type = row_type(contract.columns, closed=True)
        self._rows = msgspec.json.Decoder(list[self._type])  # type: ignore[name-defined]
        fields = [column.field for column in contract.columns]
        self._key = [fields.index(field) for field in contract.primary_key]

    @staticmethod
    def can_read(contract: Contract, selector: object) -> bool:
        """Tell whether rows can be found and told apart without looking at each in Python."""
        types = {column.field: column.data_type for column in contract.columns}
        return (
            isinstance(selector, str)
            and all(name.isidentifier() for name in selector.split("."))
            and set(types.values()) <= set(KNOWN_TYPES)
            and bool(contract.primary_key)
            and all(types.get(field) in KEY_TYPES for field in contract.primary_key)
        )

    def read(self, body: bytes) -> TypedPage | None:
        """Decode a page.

        Returns:
            The page; None if its rows are not where they should be, or one of them may not fit.
        """
        envelope: list[tuple[int, str, bytes]] = []
        raw: Any = body
        try:
            for depth, name in enumerate(self._path):
                parts = _parts.decode(raw)
                raw = parts.pop(name)
                envelope += [(depth, other, bytes(part)) for other, part in parts.items()]
            rows = list(map(msgspec.structs.astuple, self._rows.decode(raw)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            return None
        if b"\\u0000" in body:  # which PostgreSQL cannot store
            return None
        return TypedPage(rows, tuple(envelope))

    def rows_as_they_came(self, body: bytes) -> list[Any]:
        """Return the rows of a page that could be read, decoded without the contract."""
        found: Any = msgspec.json.decode(body)
        for name in self._path:
            found = found[name]
        return list(found)

    def around(self, envelope: Envelope) -> Any:
        """Return the decoded body of a page, without its rows."""
        inner: Any = []
        for depth, name in reversed(list(enumerate(self._path))):
            others = [part for part in envelope if part[0] == depth]
            inner = {name: inner, **{other: msgspec.json.decode(raw) for _, other, raw in others}}
        return inner

    def keys(self, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the key of each row, as `Proof` has them."""
        if len(self._key) == 1:
            place = self._key[0]
            return [row[place] for row in rows]
        return [tuple(row[place] for place in self._key) for row in rows]

    @staticmethod
    def contents(rows: Sequence[tuple[Any, ...]]) -> list[int]:
        """Return a hash of each row."""
        try:
            return list(map(hash, rows))
        except TypeError:  # objects within rows
            return [hash(repr(row)) for row in rows]

    def content(self, row: Any) -> int:
        """Return the hash of a row that was decoded without the contract."""
        try:
            typed = msgspec.convert(row, self._type)
            return self.contents([msgspec.structs.astuple(typed)])[0]
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return hash(repr(row))

    def table(self, columns: "Columns") -> "pa.Table | None":
        """Make a table of the rows of several pages.

        Returns:
            The table, by the names of its columns; None if a row does not fit after all.
        """
        return columns_of(self._contract, lambda _, place: columns.values[place])


class Columns:
    """The rows of several pages, column by column, and the pages as they came."""

    def __init__(self) -> None:
        self.values: list[list[Any]] = []
        self.bodies: list[bytes] = []
        self.rows = 0
        self.bytes = 0

    def add(self, rows: Sequence[tuple[Any, ...]], body: bytes) -> None:
        """Add a page."""
        columns = zip(*rows, strict=True)
        if self.values:
            for values, more in zip(self.values, columns, strict=True):
                values.extend(more)
        else:
            self.values = list(map(list, columns))
        self.bodies.append(body)
        self.rows += len(rows)
        self.bytes += len(body)
