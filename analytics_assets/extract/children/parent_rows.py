"""The requests for the children of parent rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from dlt.extract.items import SupportsPipe

from analytics_assets.extract.children.parent_values import ParentValues
from analytics_assets.extract.compat import incremental_of, keep_newest
from analytics_assets.extract.paging.first_request import first_request

PARENTS_WITHOUT_VALUE = "parents_without_value"  # the metric: their number by `parent.field`


class ParentRows:
    """Makes the requests for the children of parent rows.

    For a row without a value nothing is requested; such rows are counted.

    Args:
        values: the fields to which the requests refer.
        pipe: that of the children.

    Attributes:
        without_value: the number of rows without a value, by `parent.field`.
    """

    def __init__(self, values: ParentValues, pipe: SupportsPipe) -> None:
        self._values, self._pipe = values, pipe
        self._starts: list[Any] = []  # the value at which the `incremental` starts, once known
        self.without_value: dict[str, int] = {}

    def requests(
        self, generate: Callable[..., Iterator[Any]], items: Any, meta: Any = None
    ) -> Iterator[tuple[requests.Request, bool, dict[str, Any]]]:
        """Yield the first request for the children of each row.

        Args:
            generate: dlt's function of parent rows.
            items: one or more rows.
            meta: dlt's, for that function.

        Yields:
            The request, True if dlt takes its pages in threads, and the fields that the children
            get of the row.

        Raises:
            ParentValueError: a row has no such field, or a value that no request can carry.
        """
        for row in items if isinstance(items, list) else [items]:
            empty = self._values.without_value(row)
            if empty is not None:
                self.without_value[empty] = self.without_value.get(empty, 0) + 1
                continue
            with self._start_kept():
                request, is_parallel = first_request(
                    generate([self._values.added_to(row)], meta=meta)
                )
            yield request, is_parallel, self._values.included_from(row)

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
