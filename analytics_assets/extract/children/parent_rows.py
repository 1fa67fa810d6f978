"""Parent rows, prepared for the requests for their children."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

from dlt.extract.items import SupportsPipe

from analytics_assets.extract.children.parent_values import ParentValues
from analytics_assets.extract.compat import (
    generator_of,
    incremental_of,
    keep_newest,
    replace_generator,
)
from analytics_assets.extract.rows.pipe_step import PipeStep

PARENTS_WITHOUT_VALUE = "parents_without_value"  # the metric: their number by `parent.field`


class ParentRows(PipeStep):
    """The step of a resource that makes the rows of its parent fit for requests.

    For a row without a value nothing is requested; such rows are counted.

    Args:
        values: the fields to which the requests refer.
    """

    placement_affinity = -1

    def __init__(self, values: ParentValues) -> None:
        super().__init__()
        self._values = values

    def bind(self, pipe: SupportsPipe) -> "ParentRows":
        """Wrap the pipe's function of a parent's rows."""
        self._counts: dict[str, int] = {}
        self._custom_metrics = {PARENTS_WITHOUT_VALUE: self._counts}
        self._pipe = pipe
        self._starts: list[Any] = []  # the value at which the `incremental` starts, once known
        replace_generator(pipe, partial(self._children, generator_of(pipe)))
        return self

    def _children(
        self, generate: Callable[..., Iterator[Any]], items: Any, meta: Any = None
    ) -> Iterator[Any]:
        for row in items if isinstance(items, list) else [items]:
            empty = self._values.without_value(row)
            if empty is not None:
                self._counts[empty] = self._counts.get(empty, 0) + 1
                continue
            with self._start_kept():
                pages = generate([self._values.added_to(row)], meta=meta)
                first = list(islice(pages, 1))  # its request is made by then
            yield from first
            yield from pages

    @contextmanager
    def _start_kept(self) -> Iterator[None]:
        """Bind the `incremental` at the start of the load again, and not at the newest row so far.

        Rows of later parents below that would neither be asked for nor loaded.
        """
        incremental = incremental_of(self._pipe) if self._starts else None
        if incremental:
            state = incremental.get_state()
            newest, state["last_value"] = state["last_value"], self._starts[0]
        yield
        bound = incremental_of(self._pipe)
        if incremental:
            keep_newest(bound, newest)
        elif bound:
            self._starts.append(bound.get_state()["last_value"])
