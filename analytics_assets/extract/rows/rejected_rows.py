"""Rejected rows of a load and of a retry."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.common.schema.typing import TTableSchemaColumns
from dlt.extract.items import SupportsPipe

from analytics_assets.config.resource import REJECTED_ROWS
from analytics_assets.contract.rows.rejected_row import text_of
from analytics_assets.contract.rows.validation import Rejection
from analytics_assets.extract.compat import replace_generator
from analytics_assets.extract.rows.pipe_step import PipeStep, may_make_fields

PAGE = 10_000  # rows of a retry at a time

COLUMNS: TTableSchemaColumns = {
    # tables of older versions do not have these two
    "api": {"data_type": "text", "nullable": True},
    "after_steps": {"data_type": "bool", "nullable": True},
    "resource": {"data_type": "text", "nullable": False},
    "rejected_at": {"data_type": "timestamp", "nullable": False},
    "offset": {"data_type": "bigint", "nullable": False},
    "reason": {"data_type": "text", "nullable": False},
    "row": {"data_type": "text", "nullable": False},
}

MAX_REASONS = 100  # reasons of rejected rows that are counted; a row may have one of its own


class RejectedRows:
    """Rejected rows of a resource that are not yet emitted.

    Steps of the user's own are between the two steps that share it, and see none of its rows.

    Args:
        api: the name of the API.
        resource: the resource.

    Attributes:
        page_offset: the place of the first row of the page that is validated.
        count: the number of rejected rows of the read.
        by_reason: the number of rows by reason, of the first `MAX_REASONS`.
    """

    def __init__(self, api: str, resource: str) -> None:
        self._api, self._resource = api, resource
        self._rows: list[dict[str, Any]] = []
        self.page_offset = self.count = 0
        self.by_reason: dict[str, int] = {}

    def add(self, rejection: Rejection, offset: int, after_steps: bool = False) -> None:
        """Add a row.

        Args:
            rejection: the row, and the reason.
            offset: its place among the rows of the read, from 0; of a row that a `yield_map` of
                the user has made, the place of the first one that it may be made of.
            after_steps: True for a row that the user's steps have altered, and must not again.
        """
        self._count(rejection.reason)
        self._rows.append(
            {
                "api": self._api,
                "resource": self._resource,
                "rejected_at": datetime.now(UTC),
                "offset": offset,
                "reason": rejection.reason,
                "after_steps": after_steps,
                "row": text_of(rejection.row),
            }
        )

    def clear(self) -> None:
        """Drop the rows of an earlier read."""
        self._rows.clear()
        self.page_offset, self.count, self.by_reason = 0, 0, {}

    def _count(self, reason: str) -> None:
        self.count += 1
        if reason in self.by_reason or len(self.by_reason) < MAX_REASONS:
            self.by_reason[reason] = self.by_reason.get(reason, 0) + 1

    def items(self) -> Iterator[Any]:
        """Yield the rows once, as items of their table for dlt."""
        if not self._rows:
            return
        rows = list(self._rows)
        self._rows.clear()  # before they are emitted: dlt takes the next page in between
        # a new table starts with the hints of its resource, which empty hints remove first
        for columns, table_rows in (({}, []), (COLUMNS, rows)):
            hints = dlt.mark.make_hints(
                table_name=REJECTED_ROWS,
                columns=columns,
                write_disposition="append",
                primary_key=(),
                merge_key=(),
            )
            yield dlt.mark.with_hints(table_rows, hints, create_table_variant=True)


class RowsRejectedAgain(RejectedRows):
    """Rejected rows of a retry, which stay where they are: none is emitted.

    Attributes:
        reasons: the reason against each row, by its place among the rows of the retry.
    """

    def __init__(self, api: str, resource: str) -> None:
        super().__init__(api, resource)
        self.reasons: dict[int, str] = {}

    def add(self, rejection: Rejection, offset: int, after_steps: bool = False) -> None:
        """Add a row."""
        self._count(rejection.reason)
        self.reasons[offset] = rejection.reason


class ListedRejections(RejectedRows):
    """Rejected rows of a sample, which are in no table.

    Attributes:
        rejections: the rows, each with the reason.
    """

    def __init__(self, api: str, resource: str) -> None:
        super().__init__(api, resource)
        self.rejections: list[Rejection] = []

    def add(self, rejection: Rejection, offset: int | None, after_steps: bool = False) -> None:
        """Add a row."""
        self._count(rejection.reason)
        self.rejections.append(rejection)


class KeptRows(PipeStep):
    """The step of a resource that yields rows of earlier reads in place of those of the API.

    Args:
        rows: the rows as the API sent them.
    """

    placement_affinity = -1

    def __init__(self, rows: Sequence[Any]) -> None:
        super().__init__()
        self._rows = rows

    def bind(self, pipe: SupportsPipe) -> "KeptRows":
        """Replace the pipe's generator, which has sent no request yet."""
        # one by one, so that what steps of the user make of a row is known to be of that row
        replace_generator(pipe, self._pages(1 if may_make_fields(pipe) else PAGE))
        return self

    def _pages(self, length: int) -> Iterator[list[Any]]:
        for start in range(0, len(self._rows), length):
            yield list(self._rows[start : start + length])
