"""Cursor values of the rows of a read: the times of their last changes."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from dlt.common import jsonpath

from analytics_assets.config.timestamps import (
    TimeFormatError,
    has_utc_offset,
    is_date_only,
    parse_timestamp,
    read_time,
)
from analytics_assets.contract.contract import Contract
from analytics_assets.extract.rows.arrow import is_table
from analytics_assets.extract.rows.response_body import value_at

ROWS_WITHOUT_CURSOR = "rows_without_cursor"
ROWS_BEFORE_START = "rows_before_start"
ROWS_YET_TO_COME = "rows_yet_to_come"
SCALARS = (str, int, float, Decimal)
CLOCK_DIFFERENCE = timedelta(days=1)


class MissingZoneError(ValueError):
    """A time has no time zone."""


class MissingFormatError(ValueError):
    """A number may be seconds, milliseconds or a date: no format says so."""


class CursorValues:
    """The newest change of a read, and counts of rows that do not match its range.

    Args:
        contract: the names of the columns.
        field: the field of a row with the time of its last change; a path if it is nested.
        start: the start of the read's range.
        now: the time at which the read began. A later change does not advance the cursor: other
            rows that changed in between may be on pages that were read before.
        zoned: True if times in ISO format must have a time zone.
        form: the format of the field's times; None for ISO format.

    Attributes:
        newest: the newest change up to `now`; None if there is none.
        without: rows without such a time.
        before_start: rows that changed before `start`.
        yet_to_come: rows that changed so long after `now` that clocks do not explain it.
    """

    def __init__(
        self,
        contract: Contract,
        field: str,
        start: datetime,
        now: datetime,
        zoned: bool = False,
        form: str | None = None,
    ) -> None:
        self._field = field
        self._column = contract.name_of(field)
        self._path = jsonpath.compile_path(field)
        self._is_name = jsonpath.extract_simple_field_name(self._path) is not None
        self._start, self._now, self._zoned, self._form = start, now, zoned, form
        self.newest: datetime | None = None
        self.without = self.before_start = self.yet_to_come = 0

    @property
    def counts(self) -> dict[str, int]:
        """The counts by their names in metadata."""
        return {
            ROWS_WITHOUT_CURSOR: self.without,
            ROWS_BEFORE_START: self.before_start,
            ROWS_YET_TO_COME: self.yet_to_come,
        }

    def add(self, item: Any) -> None:
        """Add rows as the API sent them, or a table of them.

        Raises:
            MissingZoneError: a time is in no time zone, and must be.
            MissingFormatError: a number is no time without a format.
        """
        if is_table(item) and self._column in item.column_names:
            self._add_column(item.column(self._column))
        elif is_table(item):
            self.without += item.num_rows
        else:
            self._add_values(self._value(row) for row in item)

    def _value(self, row: Any) -> Any:
        if self._is_name:
            return row.get(self._field) if isinstance(row, dict) else None
        return value_at(self._path, row)

    def _add_values(self, values: Iterable[Any]) -> None:
        # many rows changed at one time, which is parsed once
        known = Counter(each if isinstance(each, SCALARS) else None for each in values)
        for value, rows in known.items():
            moment = self._moment(value)
            if moment is None:
                self.without += rows
                continue
            self.before_start += rows * (moment < self._start)
            self.yet_to_come += rows * (moment > self._now + CLOCK_DIFFERENCE)
            self._keep(moment)

    def _moment(self, value: object) -> datetime | None:
        if self._form:
            try:
                return read_time(value, self._form)
            except TimeFormatError:
                return None
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            raise MissingFormatError
        moment = parse_timestamp(value)
        if (
            moment
            and self._zoned
            and isinstance(value, str)
            and not (has_utc_offset(value) or is_date_only(value))
        ):
            raise MissingZoneError(value)
        return moment

    def _add_column(self, column: Any) -> None:
        """Add a column without a Python object for each value."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
            self._add_values(column.to_pylist())
            return
        moments = column.cast(pa.timestamp("us", tz="UTC"))
        bounds = (self._start, self._now, self._now + CLOCK_DIFFERENCE)
        start, now, future = (pa.scalar(moment, moments.type) for moment in bounds)
        past = moments.filter(pc.less_equal(moments, now))
        self.without += column.null_count
        self.before_start += pc.sum(pc.less(moments, start)).as_py() or 0
        self.yet_to_come += pc.sum(pc.greater(moments, future)).as_py() or 0
        if len(past):
            self._keep(parse_timestamp(pc.max(past).as_py()))

    def _keep(self, moment: datetime | None) -> None:
        if moment and moment <= self._now:
            self.newest = max(self.newest or moment, moment)
