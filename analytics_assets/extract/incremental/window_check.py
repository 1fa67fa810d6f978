"""Check of rows against the time window of their request."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dlt.extract.items import SupportsPipe

from analytics_assets.config.window import TimeWindow
from analytics_assets.contract.contract import column_name
from analytics_assets.extract.compat import generator_of, replace_generator
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.rows.arrow import is_table
from analytics_assets.extract.rows.pipe_step import PipeStep

if TYPE_CHECKING:
    import pyarrow as pa

MAX_OUTSIDE = 0.5  # share of the rows of a read
ROWS_OUTSIDE = "rows_outside_window"


class WindowCounts(NamedTuple):
    """Counts of the rows of a request for a time window.

    Args:
        rows: all rows.
        inside: rows inside the window.
        dated: rows with a date.
    """

    rows: int = 0
    inside: int = 0
    dated: int = 0

    @property
    def outside(self) -> int:
        """Rows that are not inside the window."""
        return self.rows - self.inside


class WindowIgnoredError(ApiError):
    """The API ignores the time window of a request."""


class WindowCheck(PipeStep):
    """The step that counts rows outside the time window.

    They are loaded like the others. If they are most of a read, it fails; a resource that is read
    from the rows of another has many reads, whose rows are only counted. Rows of an inclusive end,
    as `Window` sends it, are inside.

    Args:
        resource: the resource, for errors.
        column: the date column of its table.
        window: the time window.
    """

    placement_affinity = 1.3  # behind the step that names the columns

    def __init__(self, resource: str, column: str, window: TimeWindow) -> None:
        super().__init__()
        self._resource = resource
        self._column = column_name(column, {})
        self._window = window
        self._reach = window.reach

    def bind(self, pipe: SupportsPipe) -> "WindowCheck":
        """Start counting, and check the counts at the end of the pipe's generator."""
        self._custom_metrics = {ROWS_OUTSIDE: 0}
        self._counts = WindowCounts()
        pages = generator_of(pipe)
        if not callable(pages):
            replace_generator(pipe, self._checked(pages))
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Count a page's rows, and pass it on."""
        if is_table(item):
            self._add(WindowCounts(item.num_rows, *self._in_table(item)))
        elif isinstance(item, list) and meta is None:  # else rows of another table
            values = [value_in_column(row, self._column) for row in item]
            self._add(count_rows(values, self._reach))
        return item

    def _add(self, counts: WindowCounts) -> None:
        self._counts = WindowCounts(*map(sum, zip(self._counts, counts, strict=True)))
        self._custom_metrics[ROWS_OUTSIDE] = self._counts.outside

    def _in_table(self, table: "pa.Table") -> tuple[int, int]:
        """Return the number of a table's rows inside, and of those with a date."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._column not in table.column_names:
            return 0, 0
        column, window = table.column(self._column), self._reach
        dated = len(column) - column.null_count
        if pa.types.is_date(column.type):
            bounds: Any = window.days
        elif pa.types.is_timestamp(column.type):
            bounds = window.start, window.end
        else:
            counted = pc.value_counts(column).to_pylist()
            return sum(each["counts"] for each in counted if window.contains(each["values"])), dated
        first, end = (pa.scalar(bound, column.type) for bound in bounds)
        inside = pc.and_(pc.greater_equal(column, first), pc.less(column, end))
        return pc.sum(inside).as_py() or 0, dated

    def _checked(self, pages: Iterable[Any]) -> Iterator[Any]:
        yield from pages
        refuse_rows_outside(self._resource, self._column, self._window, self._counts)


def count_rows(dates: Sequence[Any], window: TimeWindow) -> WindowCounts:
    """Count rows by the values of their date column.

    Args:
        dates: the value of each row; None if it has none.
        window: the time window.
    """
    inside = sum(map(window.contains, dates))
    return WindowCounts(len(dates), inside, len(dates) - dates.count(None))


def refuse_rows_outside(
    resource: str, column: str, window: TimeWindow, counts: WindowCounts
) -> None:
    """Refuse a read with most of its rows outside the time window.

    Args:
        resource: the resource, for the error.
        column: the date column of its table.
        window: the time window.
        counts: the counts of its rows.

    Raises:
        WindowIgnoredError: most are outside.
    """
    rows, outside = counts.rows, counts.outside
    if outside <= MAX_OUTSIDE * rows:
        return
    asked = ", ".join(f"{name}={value}" for name, value in window.params.items())
    if not counts.dated:
        raise WindowIgnoredError(
            f"{resource}: none of the {rows} rows for {asked} has a value in `{column}`: name the "
            "column that says which day a row is about as `date_column` in the resource's policy."
        )
    query = window.query
    raise WindowIgnoredError(
        f"{resource}: {outside} of the {rows} rows for {asked} lie outside of that by their "
        f"`{column}`; the API seems to ignore `{query.start_param}` and "
        f"`{query.end_param}`. Check their names, `format` and `timezone` in `window` of the "
        "resource's policy, and whether the API goes by another column than `date_column`."
    )


def value_in_column(row: Any, column: str) -> Any:
    """Return the value that becomes a column's: dlt makes `a__b` of `b` in an object `a`."""
    if not isinstance(row, dict):
        return None
    for name, value in row.items():
        known = column_name(name, {})
        if known == column:
            return value
        if isinstance(value, dict) and column.startswith(f"{known}__"):
            return value_in_column(value, column.removeprefix(f"{known}__"))
    return None
