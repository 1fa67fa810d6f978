"""Check of rows against the time window of their request."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dlt.extract.items import SupportsPipe

from analytics_assets.config.entry.place import Place
from analytics_assets.config.times.window import TimeWindow, Window
from analytics_assets.contract.contract import DELETED, column_name
from analytics_assets.extract.compat import generator_of, replace_generator
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.rows.arrow import is_table
from analytics_assets.extract.rows.pipe_step import PipeStep

if TYPE_CHECKING:
    import pyarrow as pa

MAX_OUTSIDE = 0.5  # share of the rows of a read
ROWS_OUTSIDE = "rows_outside_window"


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
        self._begin()

    def _begin(self) -> None:
        self._rows = self._inside = self._dated = 0
        self._custom_metrics = {ROWS_OUTSIDE: 0}

    def bind(self, pipe: SupportsPipe) -> "WindowCheck":
        """Start counting, and check the counts at the end of the pipe's generator."""
        self._begin()
        pages = generator_of(pipe)
        if not callable(pages):
            replace_generator(pipe, self._checked(pages))
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Count a page's rows, and pass it on."""
        if is_table(item):
            self._count(item.num_rows, *self._in_table(item))
        elif isinstance(item, list) and meta is None:  # else rows of another table
            rows = [row for row in item if not (isinstance(row, dict) and row.get(DELETED))]
            self.count([value_in_column(row, self._column) for row in rows])
        return item

    def count(self, dates: Sequence[Any]) -> None:
        """Count rows by the values of their date column, None where a row has none."""
        inside = sum(map(self._reach.contains, dates))
        self._count(len(dates), inside, len(dates) - dates.count(None))

    def _count(self, rows: int, inside: int, dated: int) -> None:
        self._rows += rows
        self._inside += inside
        self._dated += dated
        self._custom_metrics[ROWS_OUTSIDE] = self.outside

    @property
    def outside(self) -> int:
        """The number of rows that are not inside the window."""
        return self._rows - self._inside

    def _in_table(self, table: "pa.Table") -> tuple[int, int]:
        """Return the number of a table's rows inside, and of those with a date."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self._column not in table.column_names:
            return 0, 0
        column, window = table.column(self._column), self._reach
        dated = len(column) - column.null_count
        if not pa.types.is_timestamp(column.type):  # of dates, a window has few
            counted = pc.value_counts(column).to_pylist()
            return sum(each["counts"] for each in counted if window.contains(each["values"])), dated
        first, end = (pa.scalar(bound, column.type) for bound in (window.start, window.end))
        inside = pc.and_(pc.greater_equal(column, first), pc.less(column, end))
        return pc.sum(inside).as_py() or 0, dated

    def _checked(self, pages: Iterable[Any]) -> Iterator[Any]:
        yield from pages
        self.refuse_rows_outside()

    def refuse_rows_outside(self) -> None:
        """Refuse a read with most of its rows outside the time window.

        Raises:
            WindowIgnoredError: most are outside.
        """
        if self.outside <= MAX_OUTSIDE * self._rows:
            return
        window, column, places = self._window, self._column, self._window.query.places
        names = " and ".join(f"`{name}`" for name in places)
        asked = ", ".join(f"{name}={window.params[name]}" for name in places)
        if not self._dated:
            raise WindowIgnoredError(
                f"{self._resource}: none of the {self._rows} rows for {asked} has a value in "
                f"`{column}`: set `date_column` in the resource's policy to the column of a row's "
                "day."
            )
        raise WindowIgnoredError(
            f"{self._resource}: {self.outside} of the {self._rows} rows for {asked} have a "
            f"`{column}` outside of it; the API seems to ignore {names}. Check their names, "
            "`format` and `timezone` in `window` of the resource's policy, and that the API "
            f"filters by the column of `date_column`.{_method_hint(window.query)}"
        )


def _method_hint(query: Window) -> str:
    """Return a remedy for windows in a body, which APIs ignore in a GET; empty for others."""
    if not any(Place.of(name).part in ("json", "data") for name in query.places):
        return ""
    return ' For a body, the entry mostly needs `"method": "POST"`.'


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
