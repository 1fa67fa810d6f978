"""What the rows of a read say of when they changed."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from dlt.common import jsonpath

from analytics_assets.config.timestamps import (
    has_utc_offset,
    is_date_only,
    parse_json_timestamp,
    parse_timestamp,
)
from analytics_assets.contract import Contract
from analytics_assets.extract.rows.arrow import is_table

ROWS_WITHOUT_CURSOR = "rows_without_cursor"
ROWS_BEFORE_START = "rows_before_start"
ROWS_YET_TO_COME = "rows_yet_to_come"
CLOCKS_DIFFER = timedelta(days=1)


class ZoneUnknownError(ValueError):
    """A time does not say in which time zone it is."""


class Changes:
    """The newest change of a read, and the rows that are unlike what was asked for.

    Args:
        contract: how columns are called.
        field: where a row holds the moment of its last change; a path if it is within an object.
        start: the moment from which rows were asked for.
        now: when the read began. A row that changed after it is no measure of how far the read
            came: what changed in between may be on pages that had been read.
        zoned: whether times must say in which time zone they are.

    Attributes:
        newest: the newest change up to `now`; None if there is none.
        without: rows that do not say when they changed.
        before_start: rows that changed before `start`.
        yet_to_come: rows that changed so long after `now` that it is no difference of clocks.
    """

    def __init__(
        self, contract: Contract, field: str, start: datetime, now: datetime, zoned: bool
    ) -> None:
        self._field = field
        self._column = contract.name_of(field)
        self._path = jsonpath.compile_path(field)
        self._is_name = jsonpath.extract_simple_field_name(self._path) is not None
        self._start, self._now, self._zoned = start, now, zoned
        self.newest: datetime | None = None
        self.without = self.before_start = self.yet_to_come = 0

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of rows, as metadata calls them."""
        return {
            ROWS_WITHOUT_CURSOR: self.without,
            ROWS_BEFORE_START: self.before_start,
            ROWS_YET_TO_COME: self.yet_to_come,
        }

    def add(self, item: Any) -> None:
        """Look at rows as the API sent them, or at a table of them.

        Raises:
            ZoneUnknownError: a time is in no time zone, and must be.
        """
        if is_table(item):
            self._add_column(item.column(self._column))
        else:
            self._add_values(self._value(row) for row in item)

    def _value(self, row: Any) -> Any:
        if self._is_name:
            return row.get(self._field) if isinstance(row, dict) else None
        found = jsonpath.find_values(self._path, row)
        return found[0] if found else None

    def _add_values(self, values: Iterable[Any]) -> None:
        # rows that changed together are many: each moment is read once
        known = Counter(each if isinstance(each, str | int | float) else None for each in values)
        for value, rows in known.items():
            moment = parse_json_timestamp(value)
            if moment is None:
                self.without += rows
                continue
            if (
                self._zoned
                and isinstance(value, str)
                and not (has_utc_offset(value) or is_date_only(value))
            ):
                raise ZoneUnknownError(value)
            self.before_start += rows * (moment < self._start)
            self.yet_to_come += rows * (moment > self._now + CLOCKS_DIFFER)
            self._keep(moment)

    def _add_column(self, column: Any) -> None:
        """Look at a column without making a Python object of each value."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
            self._add_values(column.to_pylist())
            return
        moments = column.cast(pa.timestamp("us", tz="UTC"))
        bounds = (self._start, self._now, self._now + CLOCKS_DIFFER)
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
