"""Cursor values of the rows of a read: the times of their last changes."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from analytics_assets.config.load import Incremental
from analytics_assets.config.times.timestamps import (
    EXAMPLES,
    TimeFormatError,
    has_utc_offset,
    is_date_only,
    parse_timestamp,
    read_time,
)
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.delete_marker import DeleteMarker
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.rows.arrow import is_table
from analytics_assets.extract.rows.response_body import value_at

ROWS_WITHOUT_CURSOR = "rows_without_cursor"
ROWS_BEFORE_START = "rows_before_start"
ROWS_YET_TO_COME = "rows_yet_to_come"
SCALARS = (str, int, float, Decimal)
CLOCK_DIFFERENCE = timedelta(days=1)


class CursorError(ApiError):
    """The cursor in the state, or in a row, is not a usable time."""


class CursorValues:
    """The newest change of a read, and counts of rows that do not match its range.

    Args:
        contract: the resource, the names of its columns, and the format of its times.
        load: the field of a row with the time of its last change; a path if it is nested.
        start: the start of the read's range.
        now: the time at which the read began. A later change does not advance the cursor: other
            rows that changed in between may be on pages that were read before.
        zoned: True if times in ISO format must have a time zone.

    Attributes:
        newest: the newest change up to `now`; None if there is none.
        counts: the rows without such a time, those that changed before `start`, and those that
            changed so long after `now` that clocks do not explain it, by their names in metadata.
    """

    def __init__(
        self,
        contract: Contract,
        load: Incremental,
        start: datetime,
        now: datetime,
        zoned: bool = False,
    ) -> None:
        self._resource, self._load = contract.resource, load
        self._column = contract.name_of(load.field)
        self._marker = DeleteMarker(contract)
        self._format = contract.time_formats.get(load.field)
        self._start, self._now, self._zoned = start, now, zoned
        self.newest: datetime | None = None
        self.counts = dict.fromkeys((ROWS_WITHOUT_CURSOR, ROWS_BEFORE_START, ROWS_YET_TO_COME), 0)

    def add(self, item: Any) -> None:
        """Add rows as the API sent them, or a table of them.

        Raises:
            CursorError: a time is in no time zone, but must be; or it is a number, and no format
                says of what.
        """
        if is_table(item) and self._column in item.column_names:
            self._add_column(item.column(self._column))
        elif is_table(item):
            self.counts[ROWS_WITHOUT_CURSOR] += item.num_rows
        else:
            values = [value_at(self._load.field, row) for row in item]
            # a tombstone may have its key alone
            dated = zip(item, values, strict=True)
            self._add_values(
                value
                for row, value in dated
                if value is not None or not self._marker.is_tombstone(row)
            )

    def _add_values(self, values: Iterable[Any]) -> None:
        # many rows changed at one time, which is parsed once
        known = Counter(each if isinstance(each, SCALARS) else None for each in values)
        for value, rows in known.items():
            moment = self._moment(value)
            if moment is None:
                self.counts[ROWS_WITHOUT_CURSOR] += rows
                continue
            self.counts[ROWS_BEFORE_START] += rows * (moment < self._start)
            self.counts[ROWS_YET_TO_COME] += rows * (moment > self._now + CLOCK_DIFFERENCE)
            self._keep(moment)

    def _moment(self, value: object) -> datetime | None:
        field = self._load.field
        if self._format:
            try:
                return read_time(value, self._format)
            except TimeFormatError:
                return None
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            raise CursorError(
                f"{self._resource}: `{field}` is a number, which may be seconds, "
                "milliseconds or a date. Name its format in the resource's policy: "
                f'"time_formats": {{"{field}": "epoch_seconds"}}, or another of {EXAMPLES}.'
            )
        moment = parse_timestamp(value)
        is_iso = moment is not None and isinstance(value, str)
        if is_iso and self._zoned and not (has_utc_offset(str(value)) or is_date_only(str(value))):
            raise CursorError(
                f"{self._resource}: `{field}` is {value!r}, which has no time zone, and "
                f"`initial_value` is {self._load.initial_value!r}, which has one. Write "
                "`initial_value` without a time zone, as the API writes times."
            )
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
        self.counts[ROWS_WITHOUT_CURSOR] += column.null_count
        self.counts[ROWS_BEFORE_START] += pc.sum(pc.less(moments, start)).as_py() or 0
        self.counts[ROWS_YET_TO_COME] += pc.sum(pc.greater(moments, future)).as_py() or 0
        self._keep(parse_timestamp(pc.max(past).as_py()))

    def _keep(self, moment: datetime | None) -> None:
        if moment and moment <= self._now:
            self.newest = max(self.newest or moment, moment)
