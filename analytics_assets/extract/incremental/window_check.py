"""Rows held against the span of time that the API was asked for."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dlt.extract import DltResource
from dlt.extract.items import SupportsPipe
from dlt.extract.items_transform import ItemTransform
from dlt.extract.pipe import Pipe

from analytics_assets.contract.contract import column_name
from analytics_assets.extract.http.errors import ApiError
from analytics_assets.extract.incremental.time_window import TimeWindow
from analytics_assets.extract.rows.arrow import is_table

if TYPE_CHECKING:
    import pyarrow as pa

MOST_OUTSIDE = 0.5  # share of the rows of a read that may lie outside of what was asked for
ROWS_OUTSIDE = "rows_outside_window"


class WindowIgnoredError(ApiError):
    """The API did not give the rows of the span of time that it was asked for."""


def watch_window(resource: DltResource, column: str, window: TimeWindow) -> None:
    """Count the rows of a resource that lie outside the span of time that was asked for.

    They are loaded like the others. If they are most of a read, nothing of it is; the reads of a
    resource that is read from the rows of another are many, and are counted only. Rows of an
    inclusive end, as `Window` sends it, do not lie outside.

    Args:
        resource: the resource; changed in place.
        column: the column of its table that says which day a row is about.
        window: the span of time.
    """
    resource.add_step(RowsInWindow(resource.name, column, window))


class RowsInWindow(ItemTransform[Any, dict[str, Any]]):
    """The step that counts rows outside the span of time that was asked for.

    Args:
        resource: the resource, for errors.
        column: the column of its table that says which day a row is about.
        window: the span of time.
    """

    leaves_rows_alone = True
    placement_affinity = 1.3  # behind the step that names columns as the table does

    def __init__(self, resource: str, column: str, window: TimeWindow) -> None:
        super().__init__(lambda item: item)
        self._resource = resource
        self._column = column_name(column, {})
        self._window = window
        self._reach = window.reach

    def bind(self, pipe: SupportsPipe) -> "RowsInWindow":
        """Start counting, and judge once the pipe's generator has no more."""
        self._custom_metrics = {ROWS_OUTSIDE: 0}
        self._rows = self._dated = 0
        assert isinstance(pipe, Pipe), "dlt has one kind of pipe"
        if not callable(pipe.gen):
            pipe.replace_gen(self._judged(pipe.gen))
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Count a page's rows in, and let it pass."""
        if is_table(item):
            self._count(item.num_rows, *self._in_table(item))
        elif isinstance(item, list) and meta is None:  # else rows of another table
            values = [value_in_column(row, self._column) for row in item]
            inside = sum(map(self._reach.contains, values))
            self._count(len(item), inside, len(values) - values.count(None))
        return item

    def _count(self, rows: int, inside: int, dated: int) -> None:
        self._rows += rows
        self._dated += dated
        self._custom_metrics[ROWS_OUTSIDE] += rows - inside

    def _in_table(self, table: "pa.Table") -> tuple[int, int]:
        """Return how many rows of a table lie within, and how many say where they lie."""
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

    def _judged(self, pages: Iterable[Any]) -> Iterator[Any]:
        yield from pages
        outside = self._custom_metrics[ROWS_OUTSIDE]
        refuse_rows_outside(
            self._resource, self._column, self._window, self._rows, outside, self._dated
        )


def refuse_rows_outside(
    resource: str, column: str, window: TimeWindow, rows: int, outside: int, dated: int
) -> None:
    """Refuse rows most of which lie outside the span of time that was asked for.

    Args:
        resource: the resource, for the error.
        column: the column of its table that says which day a row is about.
        window: the span of time.
        rows: how many rows came.
        outside: how many of them do not lie within.
        dated: how many of them say where they lie.

    Raises:
        WindowIgnoredError: they are most.
    """
    if outside <= MOST_OUTSIDE * rows:
        return
    asked = ", ".join(f"{name}={value}" for name, value in window.params.items())
    if not dated:
        raise WindowIgnoredError(
            f"{resource}: none of the {rows} rows for {asked} has a value in `{column}`: name the "
            "column that says which day a row is about as `date_column` in the resource's policy."
        )
    raise WindowIgnoredError(
        f"{resource}: {outside} of the {rows} rows for {asked} lie outside of that by their "
        f"`{column}`; the API seems to ignore `{window.how.start_param}` and "
        f"`{window.how.end_param}`. Check their names, `format` and `timezone` in `window` of the "
        "resource's policy, and whether the API goes by another column than `date_column`."
    )


def value_in_column(row: Any, column: str) -> Any:
    """Return what becomes the value of a column: dlt makes `a__b` of `b` in an object `a`."""
    if not isinstance(row, dict):
        return None
    for name, value in row.items():
        known = column_name(name, {})
        if known == column:
            return value
        if isinstance(value, dict) and column.startswith(f"{known}__"):
            return value_in_column(value, column.removeprefix(f"{known}__"))
    return None
