"""Validation of rows against a contract: the rows that fit, and the others with the reason.

A valid row can be loaded: dlt can write it and read it as the type of its column, and DuckDB and
PostgreSQL can store it. For fields that the contract does not name only the first is certain.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import orjson

from analytics_assets.contract.column import Hints
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.fields import fields_of, value_at
from analytics_assets.contract.rows.conversion import ConversionError, RowConversion
from analytics_assets.contract.rows.delete_marker import DeleteMarker
from analytics_assets.contract.rows.observed_fields import ObservedFields
from analytics_assets.contract.rows.primary_key import PrimaryKeyCheck
from analytics_assets.contract.rows.row_type import OPEN_TYPES, rejection_reason, row_type
from analytics_assets.contract.rows.storage_limits import (
    OUT_OF_RANGE,
    encoded_page,
    is_out_of_range,
    may_be_out_of_range,
    uninferable,
    unstorable,
)

_encode_finite = json.JSONEncoder(allow_nan=False, check_circular=False, default=str).encode


@dataclass(frozen=True)
class Rejection:
    """A row that breaks the contract.

    Args:
        position: its place on the page, from 0.
        reason: the violation, with the path in the row; names types and never the value.
        row: the row.
    """

    position: int
    reason: str
    row: Any


@dataclass
class ValidatedPage:
    """A page after its validation.

    Args:
        rows: the valid rows, in order, the very objects of the page where none is converted.
        rejected: the others.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


class RowValidator:
    """Validates the rows of one load against a contract, page by page.

    Args:
        contract: the contract of a row. Without a schema a row must be an object that has its
            primary key, of one type in all rows, and can be stored, and nothing else.
        hints: dlt's hints of the columns that the entry gives, by their names: the types that dlt
            does not infer, with precision and scale.
        key_may_follow: True if steps behind the validation may make the key. A part of it that
            neither the schema nor a row so far has is then no reason to reject a row.

    A row that marks its key as deleted needs none of the other required fields. A tombstone that is
    kept needs those of the other rows, as a merge replaces whole rows.

    Example:
        >>> from analytics_assets.contract.column import Column
        >>> sessions = Column("sessions", "sessions", "bigint", nullable=False)
        >>> validator = RowValidator(Contract("overview", (sessions,)))
        >>> validator.validate([{"sessions": 3}, {"sessions": "3"}]).rejected[0].reason
        '`$.sessions`: Expected `int`, got `str`'
    """

    def __init__(
        self, contract: Contract, hints: Hints | None = None, key_may_follow: bool = False
    ) -> None:
        columns = contract.columns
        self._columns = columns
        self._contract = contract
        self._hints = hints or {}
        self._hinted = {name for name, hint in self._hints.items() if hint.get("data_type")}
        self._converted = RowConversion(contract, self._hints)
        self._row_type = row_type(columns)
        self._marker = DeleteMarker(contract, is_strict=not key_may_follow)
        self._keeps = self._marker.keeps and not key_may_follow
        self._delete_type = row_type(
            replace(
                each,
                nullable=each.field not in contract.primary_key,
                parents=tuple(replace(parent, nullable=True) for parent in each.parents),
            )
            for each in columns
        )
        self._has_schema = contract.has_schema
        self._fields = ObservedFields(fields_of(columns))
        open_columns = [column for column in columns if column.data_type in OPEN_TYPES]
        self._open = {column.path[0] for column in open_columns}
        # what must not be null, and is not known to msgspec
        self._not_null = [column for column in open_columns if not column.nullable]
        self._named = {column.field for column in columns if column not in open_columns}
        fields = {column.field for column in columns}
        self._key_check = PrimaryKeyCheck(replace(contract, primary_key=()))
        self._expect_key(fields if key_may_follow else contract.primary_key)
        self._clock = [each for each in columns if each.data_type in ("timestamp", "time")]
        self._times = [each for each in columns if each.data_type == "timestamp"]
        self._doubles = [each for each in columns if each.data_type == "double"]
        self._inferred = [each.path for each in columns if each.name in contract.table.elsewhere]

    def _expect_key(self, fields: Collection[str]) -> None:
        """Expect the parts of the key among some fields in each row from now on."""
        types = self._key_check.types
        self._key = tuple(part for part in self._contract.primary_key if part in fields)
        self._untyped_key = [part for part in self._key if part not in self._named]
        self._key_check = PrimaryKeyCheck(
            replace(self._contract, primary_key=self._key), self._hints
        )
        self._key_check.types.update(types)

    @property
    def unknown_fields(self) -> dict[str, str]:
        """Fields that the contract's schema does not name, and the kind of their first value."""
        unknown = self._fields.unknown if self._has_schema else {}
        return {".".join(path): kind for path, kind in unknown.items()}

    @property
    def absent_fields(self) -> set[str]:
        """The contract's fields that no row so far had."""
        return self._fields.absent

    @property
    def key_types(self) -> dict[str, str]:
        """The JSON types of the primary key, where neither contract nor entry types it."""
        return self._key_check.types

    def observe(self, row: dict[str, Any]) -> None:
        """Add the fields of a row that stands for valid rows in an Arrow table."""
        self._fields.observe([row])
        self._key_check.learn([row])

    def is_valid(self, row: Any) -> bool:
        """Test one row."""
        return not self._divide([row]).rejected

    def validate(self, page: Sequence[Any]) -> ValidatedPage:
        """Divide a page into valid and rejected rows.

        Args:
            page: the API's rows, an object per row.

        Returns:
            Every row of the page, in one of the two lists.
        """
        self._fields.observe(page)
        self._marker.observe(page)
        if len(self._key) < len(self._contract.primary_key):
            objects = [row for row in page if isinstance(row, dict)]
            found = {name for row in objects for name in row if row[name] is not None}
            self._expect_key({*self._key, *found})
        return self._divide(page, self._key_check.learn)

    def _divide(
        self, page: Sequence[Any], learn: Callable[[Sequence[Any]], object] = len
    ) -> ValidatedPage:
        """Divide a page; `learn` receives the valid rows."""
        try:
            rows = list(map(self._converted, page))
        except ConversionError:
            rows = []
        if rows and self._are_valid(rows):
            learn(rows)
            return ValidatedPage(rows)
        validated = ValidatedPage()
        for position, given in enumerate(page):
            try:
                row = self._converted(given)
                reason = None if self._are_valid([row]) else self._reason(row)
            except ConversionError as error:
                reason = str(error)
            if reason is None:
                learn([row])
                validated.rows.append(row)
            else:
                validated.rejected.append(Rejection(position, reason, given))
        return validated

    def _are_valid(self, page: Sequence[Any]) -> bool:
        """Test all rows at once, quickly; if False, `_reason` decides about each."""
        try:
            msgspec.convert(page, list[self._row_type])  # type: ignore[name-defined]
            encoded, has_long_integers = encoded_page(page)
        except (msgspec.ValidationError, UnicodeEncodeError, orjson.JSONEncodeError):
            return False
        # a lone backslash is found a hundred times faster than what it may begin
        if b"\\" in encoded and b"\\u0000" in encoded:
            return False
        if any(None in [row.get(name) for row in page] for name in self._untyped_key):
            return False
        if any(column.is_missing(row) for column in self._not_null for row in page):
            return False
        if any(_has_small_letters(column.values(page)) for column in self._clock):
            return False
        if not self._key_check.accepts(page):
            return False
        if self._keeps and any(map(self._marker.blank_of, page)):
            return False
        odd = has_long_integers or may_be_out_of_range(encoded)
        if odd and any(self._does_not_fit(row) for row in page):
            return False
        return self._is_finite(page, encoded)

    def _is_finite(self, page: Sequence[Any], encoded: bytes) -> bool:
        """Test for NaN and infinity; in columns with a type, msgspec has done so."""
        names = self._open | {path[0] for path in self._fields.unknown}
        # orjson writes null for what is not a number
        if not names or b"null" not in encoded:
            return True
        try:
            for name in names:
                _encode_finite([row.get(name) for row in page])
        except ValueError:
            return False
        return True

    def _reason(self, row: Any) -> str | None:
        """Return the reason to reject a row; None if it is valid."""
        if isinstance(row, dict):
            missing = self._key_check.missing(row)
            if missing:
                return missing
        is_delete = self._marker.marks(row)
        try:
            msgspec.convert(row, self._delete_type if is_delete else self._row_type)
        except msgspec.ValidationError as error:
            return rejection_reason(error)
        except UnicodeEncodeError:  # the name of a field is no text
            return unstorable(row)
        for column in self._not_null if not is_delete else ():
            if column.is_missing(row):
                return f"`$.{column.field}`: Expected a value, got `null`"
        for column in self._clock:
            if _has_small_letters(column.values([row])):
                return (
                    f"`$.{column.field}`: Invalid RFC3339 encoded time: T and Z are capital letters"
                )
        wrong = unstorable(row) or self._does_not_fit(row) or self._key_check.reason(row)
        return wrong or (self._marker.blank_of(row) if self._keeps else None)

    def _does_not_fit(self, row: dict[str, Any]) -> str | None:
        """Return why a column would alter a value; None if none does.

        Only what the type of a row cannot express: it knows neither UTC nor the largest integer
        that a double counts to.
        """
        for column in self._times:
            if is_out_of_range(*column.values([row])):
                return f"`$.{column.field}`: {OUT_OF_RANGE}"
        for column in self._doubles:
            (value,) = column.values([row])
            if isinstance(value, int) and int(float(value)) != value:
                return f"`$.{column.field}`: an integer that a double would round"
        unknown = self._fields.unknown
        paths = [path for path in unknown if self._contract.name_of(*path) not in self._hinted]
        for path in [*paths, *self._inferred]:
            found = uninferable(value_at(row, path), f"$.{'.'.join(path)}")
            if found:
                return found
        return None


def _has_small_letters(values: Sequence[Any]) -> bool:
    """Test for times with a small t or z, which msgspec reads and dlt does not."""
    texts = "".join([text for text in values if isinstance(text, str)])
    return "t" in texts or "z" in texts
