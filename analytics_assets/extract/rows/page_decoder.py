"""Pages decoded and validated by the type of their rows in one pass."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from dlt.extract import DltResource

from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import value_at
from analytics_assets.contract.rows.delete_marker import DeleteMarker
from analytics_assets.contract.rows.numbers import (
    decode_json,
    json_integer,
    json_number,
)
from analytics_assets.extract.rows.arrow import with_sample
from analytics_assets.extract.rows.columns.compat import SchemaError
from analytics_assets.extract.rows.columns.json_columns import table_of_json
from analytics_assets.extract.rows.columns.row_type import RowType
from analytics_assets.extract.rows.validation import validator_of

if TYPE_CHECKING:
    import pyarrow as pa

MISFITS = 3
PATH = re.compile(r"\$|[\w@][\w@-]*(?:\.[\w@][\w@-]*)*")
KEY_TYPES = ("text", "bigint")  # such a key is the same in JSON and in the table
Envelope = tuple[tuple[int, str, bytes], ...]
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raw_rows = msgspec.json.Decoder(list[msgspec.Raw])


class SplitPage:
    """A page split into the JSON of its rows and its envelope: the fields around them.

    Args:
        rows: the JSON of the list of rows.
        envelope: the fields around it: depth, name and JSON of each.
        key: the fields that identify a row.

    Attributes:
        keys: the key of each row as JSON has it: a key of one field is the field, else a tuple.
            None if a part of it is missing, null, an object or a list.
        count: the number of rows.

    Raises:
        msgspec.MsgspecError: the rows are no list, or no JSON.
    """

    def __init__(self, rows: bytes, envelope: Envelope = (), key: tuple[str, ...] = ()) -> None:
        self.rows = rows
        self.envelope = envelope
        try:
            self.keys = _keys(rows, key)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # of a row
            self.keys = [None] * len(_raw_rows.decode(rows))
        self.count = len(self.keys)


class PageDecoder:
    """Decodes pages by the type of a resource's rows: its contract, and what dlt infers.

    Args:
        contract: the contract of the rows.
        selector: the path of the rows, names joined by dots; `$` for a body that is their list.
        resource: the resource that is being extracted; without it, nothing is learned.
        key: the fields that identify a row in a page; the contract's if not given.
        zoned: the field whose times must have a time zone; None if there is none.
    """

    def __init__(
        self,
        contract: Contract,
        selector: str,
        resource: DltResource | None = None,
        key: tuple[str, ...] | None = None,
        zoned: str | None = None,
    ) -> None:
        self._contract = contract
        self._path = [] if selector == "$" else selector.split(".")
        self._key = contract.primary_key if key is None else key
        self._resource = resource
        self._type = RowType(contract, resource, zoned)
        self._known: dict[bytes, Any] = {}  # the fields around the rows of the last page
        self._misfits = 0  # pages in a row that taught nothing new
        self._marker = DeleteMarker(contract)

    @staticmethod
    def can_decode(contract: Contract, path: str) -> bool:
        """Test if rows can be decoded without a Python object for each.

        Args:
            contract: the contract of the rows.
            path: a `data_selector`; names joined by dots, or `$`, name a list of rows.
        """
        return bool(PATH.fullmatch(path)) and not contract.time_formats

    def split(self, content: bytes) -> SplitPage | None:
        """Split a body; None if it is no JSON, or has no list in the place of the rows.

        A page with a tombstone is none to split either: it is checked and marked row by row.

        Raises:
            TombstoneError: the field of tombstones in a row says neither.
        """
        envelope: list[tuple[int, str, bytes]] = []
        raw: Any = content
        try:
            for depth, name in enumerate(self._path):
                parts = _parts.decode(raw)
                raw = parts.pop(name)
                envelope += [(depth, other, bytes(part)) for other, part in parts.items()]
            if self._has_tombstones(raw):
                return None
            return SplitPage(bytes(raw), tuple(envelope), self._key)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            return None

    def _has_tombstones(self, rows: Any) -> bool:
        if not self._marker.path:
            return False
        name, *within = self._marker.path
        found = fields_decoder((name,)).decode(rows)
        return any(self._marker.is_deleted(value_at(row.part_0, within)) for row in found)

    def body_of(self, envelope: Envelope) -> Any:
        """Return the decoded body of a page, its rows left out."""
        # many pages have the same total, and the same of other fields
        known, self._known = self._known, {}
        inner: Any = []
        for depth, name in reversed(list(enumerate(self._path))):
            inner = {name: inner}
            for at, other, raw in envelope:
                if at == depth:
                    value = known[raw] if raw in known else _decoded(raw)
                    inner[other] = self._known[raw] = value
        return inner

    def decode(self, pages: Sequence[bytes], counts: Sequence[int]) -> "pa.Table | None":
        """Decode the rows of several pages.

        Args:
            pages: lists of rows, as valid JSON.
            counts: the number of rows of each.

        Returns:
            The rows, by the names of their columns; None if a row has a field that is not known,
            or a value that does not fit.
        """
        fields = {column.field for column in self._type.contract.columns}
        if not {*self._contract.primary_key} <= fields:
            return None
        table = table_of_json(self._type, pages, counts)
        if table is None:
            return None
        self._misfits = 0
        return with_sample(table, self._type.fields)

    def learn(self, rows: Sequence[Any]) -> bool:
        """Extend the type of the rows by what dlt infers from a page that did not fit.

        Args:
            rows: the decoded rows of the page.

        Returns:
            True if the type has changed, so that the page may fit now.
        """
        if self._resource is None or self._type.is_closed:
            return False
        self._misfits += 1
        # what was not learned three times is not learned by each of the pages that follow
        if self._misfits > MISFITS and self._misfits & (self._misfits - 1):
            return False
        valid = validator_of(self._contract, self._resource).validate(rows).rows
        try:
            changed = self._type.learn(valid)
        except SchemaError:  # raised again where dlt loads the rows
            self._type.is_closed = True
            return False
        self._misfits = 0 if changed else self._misfits
        return changed


def _keys(rows: bytes, key: tuple[str, ...]) -> list[Any]:
    """Return the key of each row; see `SplitPage.keys`."""
    found = fields_decoder(key).decode(rows)
    if len(key) == 1:
        keys = [row.part_0 for row in found]
        kinds = set(map(type, keys))
        if kinds == {str} or {dict, list}.isdisjoint(kinds):
            return keys
        return [None if type(key) in (dict, list) else key for key in keys]
    parts = map(msgspec.structs.astuple, found)
    return [key if key and _is_plain(key) else None for key in parts]


@lru_cache(maxsize=64)
def fields_decoder(key: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
    """Return a decoder of some fields of rows alone, as `part_0` and so on; such as of a key."""
    fields = [
        (f"part_{number}", Any, msgspec.field(name=name, default=None))
        for number, name in enumerate(key)
    ]
    row = msgspec.defstruct("Key", fields, gc=False)
    return msgspec.json.Decoder(list[row], float_hook=json_number)  # type: ignore[valid-type]


def _is_plain(key: tuple[Any, ...]) -> bool:
    return all(part is not None and type(part) not in (dict, list) for part in key)


def _decoded(raw: bytes) -> Any:
    try:
        return decode_json(raw)
    except msgspec.DecodeError:  # an integer of thousands of digits
        return json.loads(raw, parse_int=json_integer)
