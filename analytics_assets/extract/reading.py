"""The read of a resource: its pages are requested, decoded, counted and kept until all arrived.

A row's way: `Position` names the next page, `PageRequests` brings it, `AnswerDecoder` decodes it,
`Pass` counts it and decides if it is the last, `RowSpool` makes columns of its rows and keeps
them. Rows leave the read once its pass is complete; those of a void pass are dropped, and the next
pass begins with the first request again.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from threading import Event, Lock
from typing import Any
from weakref import ref

import requests
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.extract import DltResource
from dlt.extract.items import SupportsPipe

from analytics_assets.contract.rows.validation import RowValidator
from analytics_assets.extract.children.parent_rows import PARENTS_WITHOUT_VALUE, ParentRows
from analytics_assets.extract.compat import (
    LimitStep,
    generator_of,
    incremental_of,
    load_id,
    replace_generator,
    steps_of,
)
from analytics_assets.extract.entry import Entry
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.http.limits.read_end import ReadEnd
from analytics_assets.extract.incremental.cursor import Cursor
from analytics_assets.extract.paging.completeness import Pass
from analytics_assets.extract.paging.evidence.quality import AnswerQualityCount
from analytics_assets.extract.paging.first_request import first_request
from analytics_assets.extract.paging.page_requests import PageRequests, answers_of
from analytics_assets.extract.paging.parallel_reads import Extraction, Extractions
from analytics_assets.extract.paging.position import Position
from analytics_assets.extract.paging.proof import Proof
from analytics_assets.extract.paging.read_sample import ReadSample
from analytics_assets.extract.paging.spool import RowSpool
from analytics_assets.extract.paging.window_parts import (
    WINDOWS_HALVED,
    WINDOWS_SAMPLED,
    SampledWindowError,
    WindowParts,
    read_in_halves,
)
from analytics_assets.extract.rows.pipe_step import PipeStep, is_unaltered
from analytics_assets.redaction.configuration import learn_secrets

PAGES_TYPED, PAGES_BY_DLT = "pages_typed", "pages_by_dlt"


@configspec
class ReadingSettings(BaseConfiguration):
    """The settings of a complete read.

    Args:
        passes: the most times that a resource is read from the start before the load fails.
        confirm: True to accept a read only if two passes in a row brought the same rows.
        deadline: seconds in which a read must end, with all its passes; None for no limit.
    """

    passes: int = 3
    confirm: bool = False
    deadline: float | None = None

    __section__ = "reading"


ONE_PASS = ReadingSettings(passes=1, confirm=False)


class Reader(PipeStep):
    """The step of a resource that reads it, in place of dlt's client.

    It wraps the resource's generator, as dlt's own `LimitItem` does:
    https://dlthub.com/docs/general-usage/resource#sample-from-large-data

    Args:
        entry: the entry of the resource.
        resource: dlt's resource; None to leave rows as they are.
        connection: sends its requests.
        settings: of the read; None to yield pages as they arrive, and believe any end.
        extractions: those of the source.
        sample: takes the first pages in place of a read of all; None to take all.
    """

    placement_affinity = -1

    def __init__(
        self,
        entry: Entry,
        resource: DltResource | None,
        connection: Connection,
        settings: ReadingSettings | None,
        extractions: Extractions,
        sample: ReadSample | None = None,
    ) -> None:
        super().__init__()
        self._entry, self._resource = entry, resource
        self._connection, self._settings = connection, settings
        self._extractions, self._sample = extractions, sample
        self._is_kept, self._counting = settings is not None, Lock()
        self._bound: ref[SupportsPipe] | None = None
        self._validator = RowValidator(entry.contract, entry.hints)
        self._known_auth: Any = None
        self._has_parents = False

    def bind(self, pipe: SupportsPipe) -> "Reader":
        """Replace the pipe's generator, once: dlt binds a pipe again for each of its children."""
        if self._bound and self._bound() is pipe:
            return self
        self._bound = ref(pipe)
        self._custom_metrics = {}
        is_sample = any(isinstance(step, LimitStep) for step in steps_of(pipe))
        self._is_kept = self._settings is not None and not is_sample
        generate = generator_of(pipe)
        self._has_parents = callable(generate)
        if self._has_parents:
            parents = ParentRows(self._entry.parent_values, pipe)
            self._custom_metrics[PARENTS_WITHOUT_VALUE] = parents.without_value
            replace_generator(pipe, partial(self._read_children, parents, generate))
        else:
            in_columns = self._is_kept and load_id() is not None and _accepts_tables(pipe)
            extraction = self._extractions.join()
            replace_generator(pipe, self._read_pages(generate, in_columns, extraction))
        return self

    def _read_pages(
        self, pages: Iterator[Any], in_columns: bool, extraction: Extraction
    ) -> Iterator[Any]:
        request, _ = first_request(pages)
        if not self._is_kept:
            yield from self.read(request)
            return
        is_alone = self._entry.is_read_alone or not self._connection.is_parallel
        yield from extraction.items(partial(self._read_window, request, in_columns), is_alone)

    def _read_children(
        self,
        parents: ParentRows,
        generate: Callable[..., Iterator[Any]],
        items: Any,
        meta: Any = None,
    ) -> Iterator[Any]:
        """Read the children of some parents, one after another or in dlt's threads."""
        for request, is_parallel, added in parents.requests(generate, items, meta):
            if self._sample and self._sample.is_complete:
                break
            if is_parallel and not self._sample:
                yield partial(_all_rows, self._read_window(request), added)
            else:
                yield from (_with_fields(added, rows) for rows in self._read_window(request))
        yield []

    def _read_window(
        self, request: requests.Request, in_columns: bool = False, cancelled: Event | None = None
    ) -> Generator[Any, None, None]:
        """Read the window of a request; where answers are sampled, each half by itself."""
        if not ((whole := self._entry.window) and self._is_kept):
            yield from self.read(request, in_columns, cancelled)
            return
        end = ReadEnd.after(self._settings.deadline if self._settings else None, cancelled)
        yield from read_in_halves(
            whole,
            lambda part: self.read(part.request(request), in_columns, window=part, end=end),
            partial(self._note, WINDOWS_HALVED),
        )

    def read(
        self,
        request: requests.Request,
        in_columns: bool = False,
        cancelled: Event | None = None,
        window: WindowParts | None = None,
        end: ReadEnd | None = None,
    ) -> Generator[Any, None, None]:
        """Read all pages from the first one on.

        Args:
            request: the first request.
            in_columns: True to decode rows into Arrow tables where their types are known.
            cancelled: ends the read early if another thread sets it.
            window: the window of the request, whose parts may be requested; None if it has none.
            end: ends the read early; None for the deadline of the settings.

        Yields:
            Lists of rows and Arrow tables.

        Raises:
            IncompleteReadError: the read cannot be proven complete.
            SampledWindowError: an answer is sampled, and the window has halves; no row is yielded.
        """
        entry = self._entry
        if request.auth is not self._known_auth:  # dlt may have looked up its secrets
            learn_secrets(request.auth, "auth")
            self._known_auth = request.auth
        settings = self._settings if self._is_kept and self._settings else ONE_PASS
        end = end or ReadEnd.after(settings.deadline, cancelled)
        gives_up = window is not None and window.is_divisible
        has_total = not self._has_parents and (window is None or window.is_whole)
        proof = Proof(entry.name, entry.key_in_a_page, settings.passes, settings.confirm)
        progress = self._connection.traffic.read_of(entry.name)
        resource = self._resource if in_columns else None
        answers = self._sample.answers if self._sample else answers_of
        decoder = entry.answer_decoder(request, resource)
        with (
            closing(PageRequests(self._connection, self._is_kept, end)) as pages,
            closing(RowSpool(decoder)) as spool,
        ):
            while True:
                position = Position(entry.page_params, entry.evidence.names_total, request)
                quality = AnswerQualityCount(entry.quality, entry.place)
                is_confirmed = self._sample.believes if self._sample else pages.is_confirmed
                reading = Pass(
                    *(proof, position, entry.evidence, entry.place, is_confirmed),
                    checked=entry.is_checked,
                )
                for answer in answers(reading, proof, pages, decoder, quality):
                    progress.add_page(answer.count, proof.total if has_total else None)
                    if gives_up and quality.is_sampled:
                        break
                    if self._is_kept:
                        spool.add(answer)
                    else:
                        yield answer.rows
                if gives_up and quality.is_sampled:
                    progress.drop_rows(proof.received)
                    raise SampledWindowError
                if self._sample or not reading.is_over or reading.is_complete(spool.contents):
                    break
                progress.drop_pass(proof.received)
                spool.clear()
                proof.begin()
                pages.begin()
            spool.finish()
            if reading.is_over and not self._sample:
                self._count(proof, reading, spool, quality, window)
                if quality.is_sampled and window:
                    self._note(WINDOWS_SAMPLED, window)
            yield from spool.batches(self._replaced(spool, proof))
        yield []  # later steps may still have rows to emit, and a filter can drop a whole page

    def _replaced(self, spool: RowSpool, proof: Proof) -> set[int]:
        """Return the places of the rows that a later valid one with the same key replaces."""
        shared = proof.duplicates.places.values() if proof.key else ()
        if not shared or not self._entry.last_row_wins:
            return set()
        found = spool.rows({place for places in shared for place in places})
        valid = {at for at, row, is_typed in found if is_typed or self._validator.is_valid(row)}
        return {at for places in shared for at in [at for at in places if at in valid][:-1]}

    def _count(
        self,
        proof: Proof,
        reading: Pass,
        spool: RowSpool,
        quality: AnswerQualityCount,
        window: WindowParts | None,
    ) -> None:
        counts = {
            "reads": 1,
            "reads_limited": int(reading.position.is_limited),
            "passes": proof.number - int(window is not None and not window.is_first),
            "rows_expected": proof.total or 0,
            "reads_without_total": int(proof.total is None),
            "rows_received": proof.received,
            self._entry.rows_repeated: proof.duplicates.rows,
            PAGES_TYPED: spool.pages_typed,
            PAGES_BY_DLT: spool.pages_by_dlt,
            **quality.metrics,
        }
        with self._counting:  # children may be read in threads
            known = self._custom_metrics
            for name, count in counts.items():
                known[name] = known.get(name, 0) + count

    def _note(self, metric: str, window: WindowParts) -> None:
        with self._counting:
            self._custom_metrics.setdefault(metric, []).append(window.name)


def _all_rows(pages: Iterator[Any], added: dict[str, Any]) -> list[Any]:
    return [row for rows in pages for row in _with_fields(added, rows)]


def _with_fields(added: dict[str, Any], rows: list[Any]) -> list[Any]:
    """Return child rows with the fields that they get of their parent."""
    return [{**row, **added} if isinstance(row, dict) else row for row in rows] if added else rows


def _accepts_tables(pipe: SupportsPipe) -> bool:
    """Return True if all steps accept Arrow tables: none is the user's, or a cursor of dlt."""
    has_cursor = any(isinstance(step, Cursor) for step in steps_of(pipe))
    return is_unaltered(pipe) and (has_cursor or incremental_of(pipe) is None)
