"""A read that is handed on as a whole, once it is proven complete, and not before."""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.extract.incremental import IncrementalResourceWrapper
from dlt.extract.items import SupportsPipe
from dlt.extract.items_transform import ItemTransform, LimitItem
from dlt.extract.pipe import Pipe
from dlt.sources.helpers.rest_client.client import PageData

from analytics_assets.contract import Contract
from analytics_assets.contract.validation import RowValidator
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.paging.bulk_read import MiddlePages
from analytics_assets.extract.paging.completeness import IncompleteReadError, Proof
from analytics_assets.extract.paging.paginator import CompletePages, Progress
from analytics_assets.extract.paging.spool import HeldPages
from analytics_assets.extract.rows.arrow import load_id


@configspec
class ReadingSettings(BaseConfiguration):
    """How hard to try for a complete read.

    Args:
        passes: how often a resource is read from the start before the load fails.
        confirm: whether a read counts only once two passes in a row brought the same rows.
    """

    passes: int = 3
    confirm: bool = False

    __section__ = "reading"


class CompleteRead(ItemTransform[Any, dict[str, Any]]):
    """The step of a resource's pipe that holds pages back until the proof is made.

    Pages of a pass that did not add up never get past it. Works on the pipe's generator, as dlt's
    own `LimitItem` does: https://dlthub.com/docs/general-usage/resource#sample-from-large-data

    Args:
        pages: the paginator that the generator pages with.
        last_wins: whether of rows with the same key only the last one is handed on, of those that
            fit if any does.
        contract: what rows must be.
        hinted: columns that the contract does not name, and whose type dlt does not infer either.
        middle_pages: makes what reads pages in place of dlt's client, where that can be done.
    """

    placement_affinity = -1
    leaves_rows_alone = True

    def __init__(
        self,
        pages: CompletePages,
        last_wins: bool,
        contract: Contract,
        hinted: Collection[str],
        middle_pages: Callable[[], MiddlePages | None],
    ) -> None:
        super().__init__(lambda item: item)
        self._pages = pages
        self._last_wins = last_wins
        self._contract = contract
        self._validator = RowValidator(contract, hinted)
        self._make_middle_pages = middle_pages

    def bind(self, pipe: SupportsPipe) -> "CompleteRead":
        """Put itself around the pipe's generator."""
        self._custom_metrics = {}
        assert isinstance(pipe, Pipe), "dlt has one kind of pipe"
        generate: Any = pipe.gen
        if any(isinstance(step, LimitItem) for step in pipe.steps):
            # a sample is handed on page by page
            self._pages.proof.passes, self._pages.proof.confirm = 1, False
        elif callable(generate):
            pipe.replace_gen(partial(self._read_children, generate))
        else:
            pipe.replace_gen(self._read_alone(generate, pipe))
        return self

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """Let pass what the generator gives."""
        return item

    def _read_children(
        self, generate: Callable[..., Iterator[Any]], items: Any, meta: Any = None
    ) -> Iterator[Any]:
        yield from self._read(generate(items, meta=meta), None)

    def _read_alone(self, pages: Iterator[Any], pipe: Pipe) -> Iterator[Any]:
        middle = self._make_middle_pages() if leaves_rows_alone(pipe) and load_id() else None
        yield from self._read(pages, middle)

    def _read(self, pages: Iterator[Any], middle: MiddlePages | None) -> Iterator[Any]:
        paginator: Any = self._pages
        paginator.ask_ahead(middle is None)
        try:
            with closing(HeldPages()) as held:
                for page in pages:
                    if not isinstance(page, PageData):
                        # dlt's `parallelize` hands on what is to be called later: nothing is held
                        paginator.proof.passes, paginator.proof.confirm = 1, False
                        yield page
                        continue
                    if page.paginator is not paginator:
                        yield from self._cut_short(held, paginator)
                        paginator = page.paginator
                        paginator.ask_ahead(middle is None)
                    held.add(list(page))
                    if paginator.progress is Progress.READ_AGAIN:
                        held.clear()
                        if middle:
                            middle.forget()
                    elif paginator.progress is Progress.COMPLETE:
                        yield from self._hand_on(held, paginator)
                    elif middle:
                        for batch in middle.read(page, paginator):
                            held.add(batch)
                yield from self._cut_short(held, paginator)
        finally:
            paginator.close()
            if middle:
                middle.close()
        yield []  # steps behind may have kept something, and a filter can swallow a whole page

    def _cut_short(self, held: HeldPages, pages: CompletePages) -> Iterator[Any]:
        """Hand on what was read before an answer that the entry's `response_actions` ignore."""
        if pages.progress is Progress.READ_AGAIN:
            raise IncompleteReadError(
                f"{pages.proof.resource}: a read that did not add up could not be made again: the "
                "API's answer to the first request is one that `response_actions` ignore."
            )
        if len(held):
            pages.proof.passes = pages.proof.number
            pages.finish()
            yield from self._hand_on(held, pages)

    def _hand_on(self, held: HeldPages, pages: CompletePages) -> Iterator[Any]:
        proof = pages.proof
        pages.close()
        self._count(pages)
        if self._last_wins and proof.repeated.keys:
            yield from held.batches(self._places_of_replaced(held, proof))
        else:
            yield from held.batches()
        held.clear()

    def _places_of_replaced(self, held: HeldPages, proof: Proof) -> set[int]:
        """Return the places of the rows that a later one with the same key replaces."""
        last: dict[Any, int] = {}
        replaced: set[int] = set()
        for place, key, row in held.keyed(proof.key_of, self._contract.key_columns):
            if not proof.is_repeated(key) or not (row is None or self._validator.is_valid(row)):
                continue
            if key in last:
                replaced.add(last[key])
            last[key] = place
        return replaced

    def _count(self, pages: CompletePages) -> None:
        counts = {
            "reads": 1,
            "reads_limited": int(pages.limited),
            "passes": pages.proof.number,
            "rows_expected": pages.proof.total or 0,
            "reads_without_total": int(pages.proof.total is None),
            "rows_received": pages.proof.received,
            "rows_repeated": pages.proof.repeated.rows,
        }
        for name, count in counts.items():
            self._custom_metrics[name] = self._custom_metrics.get(name, 0) + count


def leaves_rows_alone(pipe: Pipe) -> bool:
    """Tell whether no step of a pipe but those of this package sees a resource's rows."""
    steps = [step for step in pipe.steps if step is not pipe.gen]
    has_cursor = any(isinstance(step, Cursor) for step in steps)
    return all(
        getattr(step, "leaves_rows_alone", _leaves_rows_alone(step, has_cursor)) for step in steps
    )


def _leaves_rows_alone(step: Any, has_cursor: bool) -> bool:
    """Tell whether a step is the place that dlt keeps for its cursor, empty or moved by ours."""
    return isinstance(step, IncrementalResourceWrapper) and (has_cursor or step.incremental is None)
