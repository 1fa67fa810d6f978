"""A read that yields its rows only after they are proven complete."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.extract.items import SupportsPipe
from dlt.sources.helpers.rest_client.client import PageData

from analytics_assets.contract.column import Hints
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.rows.validation import RowValidator
from analytics_assets.extract.compat import (
    generator_of,
    is_empty_incremental_step,
    is_incremental_step,
    is_sample,
    load_id,
    replace_generator,
    steps_of,
)
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.paging.bulk_read import BulkRead
from analytics_assets.extract.paging.completeness import IncompleteReadError, Proof
from analytics_assets.extract.paging.paginator import VerifyingPaginator
from analytics_assets.extract.paging.position import Progress
from analytics_assets.extract.paging.spool import PageSpool
from analytics_assets.extract.rows.pipe_step import PipeStep, is_unaltered

# the metrics of rows with the key of another row: unexpected ones, those of a `dedup_sort`, and
# those whose key the entry's steps may change
ROWS_REPEATED, ROWS_SUPERSEDED = "rows_repeated", "rows_superseded"
ROWS_ALIKE_BEFORE_STEPS = "rows_alike_before_steps"


@configspec
class ReadingSettings(BaseConfiguration):
    """The settings of a complete read.

    Args:
        passes: the most times that a resource is read from the start before the load fails.
        confirm: True to accept a read only if two passes in a row brought the same rows.
    """

    passes: int = 3
    confirm: bool = False

    __section__ = "reading"


class VerifiedRead(PipeStep):
    """The step of a resource that spools its pages until the read is verified.

    Pages of an inconsistent pass are dropped. The step wraps the resource's generator, as dlt's own
    `LimitItem` does: https://dlthub.com/docs/general-usage/resource#sample-from-large-data

    Args:
        paginator: the paginator of the generator.
        last_wins: True to drop a valid row if a later valid row has the same key.
        contract: the contract of the rows.
        hints: the entry's hints of columns, by their names.
        bulk_read: returns the bulk read that replaces dlt's client; None if there is none.
        repeated: the metric that counts rows with the key of another row.
    """

    placement_affinity = -1

    def __init__(
        self,
        paginator: VerifyingPaginator,
        last_wins: bool,
        contract: Contract,
        hints: Hints,
        bulk_read: Callable[[], BulkRead | None],
        repeated: str = ROWS_REPEATED,
    ) -> None:
        super().__init__()
        self._paginator = paginator
        self._last_wins = last_wins
        self._contract = contract
        self._validator = RowValidator(contract, hints)
        self._make_bulk_read = bulk_read
        self._repeated = repeated

    def bind(self, pipe: SupportsPipe) -> "VerifiedRead":
        """Wrap the pipe's generator."""
        self._custom_metrics = {}
        generate = generator_of(pipe)
        if is_sample(pipe):  # its pages are not spooled
            self._paginator.proof.passes, self._paginator.proof.confirm = 1, False
        elif callable(generate):
            replace_generator(pipe, partial(self._read_children, generate))
        else:
            replace_generator(pipe, self._read_pages(generate, pipe))
        return self

    def _read_children(
        self, generate: Callable[..., Iterator[Any]], items: Any, meta: Any = None
    ) -> Iterator[Any]:
        yield from self.read(generate(items, meta=meta), None)

    def _read_pages(self, pages: Iterator[Any], pipe: SupportsPipe) -> Iterator[Any]:
        bulk = self._make_bulk_read() if _accepts_tables(pipe) and load_id() else None
        yield from self.read(pages, bulk)

    def read(self, pages: Iterator[Any], bulk: BulkRead | None = None) -> Iterator[Any]:
        """Verify the pages of a resource, or of several parents one after another.

        Args:
            pages: the pages of dlt's client, requested by the paginator of this step.
            bulk: reads pages in place of dlt's client; None if there is none.

        Yields:
            Lists of rows and Arrow tables, once their read is verified.

        Raises:
            IncompleteReadError: a read cannot be verified.
        """
        paginator: Any = self._paginator
        paginator.prefetch(bulk is None)
        try:
            with closing(PageSpool()) as spool:
                for page in pages:
                    if not isinstance(page, PageData):
                        # dlt's `parallelize` yields calls, which are made later: nothing to spool
                        paginator.proof.passes, paginator.proof.confirm = 1, False
                        yield page
                        continue
                    if page.paginator is not paginator:
                        yield from self._end_at_ignored_response(spool, paginator)
                        paginator = page.paginator
                        paginator.prefetch(bulk is None)
                    spool.add(list(page))
                    if paginator.progress is Progress.RESTARTING:
                        spool.clear()
                        if bulk:
                            bulk.discard()
                    elif paginator.progress is Progress.COMPLETE:
                        yield from self._release(spool, paginator)
                    elif bulk:
                        for batch in bulk.read(page, paginator):
                            spool.add(batch)
                yield from self._end_at_ignored_response(spool, paginator)
        finally:
            paginator.close()
            if bulk:
                bulk.close()
        yield []  # later steps may still have rows to emit, and a filter can drop a whole page

    def _end_at_ignored_response(
        self, spool: PageSpool, paginator: VerifyingPaginator
    ) -> Iterator[Any]:
        """Yield the rows before a response that the entry's `response_actions` ignore."""
        if paginator.progress is Progress.RESTARTING:
            raise IncompleteReadError(
                f"{paginator.proof.resource}: an inconsistent read could not be repeated: the "
                "API's answer to the first request is one that `response_actions` ignore."
            )
        if len(spool):
            paginator.proof.passes = paginator.proof.number
            paginator.finish()
            yield from self._release(spool, paginator)

    def _release(self, spool: PageSpool, paginator: VerifyingPaginator) -> Iterator[Any]:
        proof = paginator.proof
        paginator.close()
        self._count(paginator)
        if self._last_wins and proof.duplicates.keys:
            yield from spool.batches(self._places_of_replaced(spool, proof))
        else:
            yield from spool.batches()
        spool.clear()

    def _places_of_replaced(self, spool: PageSpool, proof: Proof) -> set[int]:
        """Return the places of the rows that a later one with the same key replaces."""
        last: dict[Any, int] = {}
        replaced: set[int] = set()
        for place, key, row in spool.keyed(proof.key_of, self._contract.key_columns):
            if not proof.is_duplicate(key) or not (row is None or self._validator.is_valid(row)):
                continue
            if key in last:
                replaced.add(last[key])
            last[key] = place
        return replaced

    def _count(self, paginator: VerifyingPaginator) -> None:
        proof = paginator.proof
        counts = {
            "reads": 1,
            "reads_limited": int(paginator.is_limited),
            "passes": proof.number,
            "rows_expected": proof.total or 0,
            "reads_without_total": int(proof.total is None),
            "rows_received": proof.received,
            self._repeated: proof.duplicates.rows,
        }
        for name, count in counts.items():
            self._custom_metrics[name] = self._custom_metrics.get(name, 0) + count


def _accepts_tables(pipe: SupportsPipe) -> bool:
    """Return True if all steps accept Arrow tables: none is the user's, or a cursor of dlt."""
    steps = steps_of(pipe)
    has_cursor = any(isinstance(step, Cursor) for step in steps)
    incremental = filter(is_incremental_step, steps)
    return is_unaltered(pipe) and (has_cursor or all(map(is_empty_incremental_step, incremental)))
