"""The paging of a resource, judged by its first two pages."""

import json
from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any

from dlt.sources.helpers.rest_client.paginators import (
    HeaderLinkPaginator,
    JSONLinkPaginator,
    OffsetPaginator,
    PageNumberPaginator,
    SinglePagePaginator,
)

from analytics_assets.cli.commands.check.finding import Finding
from analytics_assets.cli.commands.check.paginator_options import place_of, remedy_of
from analytics_assets.config.resource import parents_of
from analytics_assets.config.text.quantities import count, number
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.paging.evidence.counts import SIZE_PARAMS, as_count, requested_sizes
from analytics_assets.extract.paging.read_sample import ReadSample, SampledPage
from analytics_assets.extract.rows.answer import Answer
from analytics_assets.extract.rows.response_body import plain_name, values_at
from analytics_assets.extract.sampling.request_text import difference

MOST_MOVED = 2  # rows that may have moved to another page between two requests
# rows of a page that is full, where nothing names its size
USUAL_SIZES = (20, 25, 30, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000)


class Paging:
    """The first pages of a resource, and what its paginator makes of them.

    Args:
        resource: the resource.
        sample: its first pages.
    """

    def __init__(self, resource: Resource, sample: ReadSample) -> None:
        self._sample = sample
        self._entry = resource.merged_entry
        self._given = resource.paginator
        self._paginator = sample.position.paginator
        added = tuple(f"_{parent}_" for parent in parents_of(resource.entry))
        key = resource.primary_key
        self._key = [part for part in key if not part.startswith(added)] if added else list(key)

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with the paging, or may be."""
        pages = self._sample.pages
        first, second = pages[0], pages[1] if len(pages) > 1 else None
        yield from self._missing_paths(first)
        if not first.answer.count:
            yield from self._empty(first)
        elif second is None:
            if self._sample.error:
                yield Finding(f"{self._sample.error} {self._remedy}")
            yield from self._end(first)
            yield from self._size(first, None)
        elif self._is_repeated(first, second):
            yield Finding(self._repeated(first, second))
        else:
            yield from self._second(first, second)

    def _second(self, first: SampledPage, second: SampledPage) -> Iterator[Finding]:
        if not second.answer.count:
            yield from self._empty_second(first, second)
            return
        if self._sample.error and not second.is_repeated:
            yield Finding(f"{self._sample.error} {self._remedy}")
        shared = self._overlap(first.answer, second.answer)
        if shared:
            yield Finding(shared)
        else:
            yield from self._total(first, second)
        yield from self._end(second)
        yield from self._size(first, second)

    def _is_repeated(self, first: SampledPage, second: SampledPage) -> bool:
        """Return True if the second page is the first one; rows of one key may still differ."""
        if not (second.is_repeated and self._sample.error):
            return False
        keys = self._identities(first.answer)
        return len(set(keys)) == len(keys) or first.answer.json == second.answer.json

    def _repeated(self, first: SampledPage, second: SampledPage) -> str:
        where = self._where(first, second)
        text = f"the second page{where} has the rows of the first one"
        if isinstance(self._paginator, JSONLinkPaginator | HeaderLinkPaginator):
            return f"{text}: {self._remedy}"
        place = self._place
        ignored = f"the API seems to ignore `{place}`; " if place else ""
        return (
            f"{text}: {ignored}{self._remedy} Set `paginator` to 'single_page' if there is only "
            "one page."
        )

    def _overlap(self, first: Answer, second: Answer) -> str | None:
        """Describe two pages that share half of their rows."""
        before, after = self._identities(first), self._identities(second)
        if len(set(before)) < len(before) or len(set(after)) < len(after):
            return None  # the key is wrong, rather than the paging
        shared = set(before) & set(after)
        if len(shared) < MOST_MOVED or 2 * len(shared) < len(after):
            return None
        step = before.index(after[0]) if after[0] in shared else 0
        cause = ""
        if isinstance(self._paginator, PageNumberPaginator) and step == 1:
            cause = (
                f'`{self._place}` counts rows rather than pages: write `"paginator": '
                f'{{"type": "offset", "limit": {len(before)}, "offset_param": "{self._place}"}}`. '
            )
        return (
            f"{number(len(shared))} of the {count(len(after), 'row')} of the second page were on "
            f"the first one: {cause or self._remedy} If `{self._place}` is right, the API needs a "
            "parameter that sorts its rows by a unique field."
        )

    def overlap(self) -> int:
        """Return the number of rows that are on both pages."""
        pages = [page.answer for page in self._sample.pages if page.answer.count]
        if len(pages) < 2:
            return 0
        before, after = (self._identities(page) for page in pages[:2])
        return len(set(before) & set(after))

    def _identities(self, answer: Answer) -> list[Hashable]:
        """Return the keys of rows; whole rows if one has no key."""
        keys = answer.keys(self._key) if self._key else [None]
        texts = [json.dumps(key, sort_keys=True, default=str) for key in keys]
        if any("null" in text for text in texts):
            return [json.dumps(row, sort_keys=True, default=str) for row in answer.rows]
        return list(texts)

    def _total(self, first: SampledPage, second: SampledPage) -> Iterator[Finding]:
        """Find a total of fewer rows than there are."""
        rows = first.answer.count, second.answer.count
        totals = first.evidence.total, second.evidence.total
        counts_page = totals == rows
        given = self._given if isinstance(self._given, dict) else {}
        if None in totals or isinstance(self._paginator, SinglePagePaginator):
            return
        is_small = totals[0] == totals[1] and (totals[1] or 0) + MOST_MOVED < sum(rows)
        counts_pages = bool(given.get("total_path")) and (totals[1] or 0) >= len(rows)
        if counts_page or (is_small and not counts_pages):
            counted = "the rows of a page" if counts_page else "something else"
            yield Finding(
                f"the API's total is {number(totals[1] or 0)}, but {number(sum(rows))} rows came: "
                f"it counts {counted}. Set `total_path` in `paginator` to the field with "
                "the number of all rows, or to None if there is none"
            )

    def _end(self, last: SampledPage) -> Iterator[Finding]:
        """Find an end of the read that is none."""
        sample = self._sample
        if not sample.is_over or sample.position.is_limited or not sample.is_checked:
            return
        pages = "the first page" if last is sample.pages[0] else "the second page"
        if sample.objection:
            yield Finding(f"the read would end after {pages}: {sample.objection}")
            return
        received = sum(page.answer.count for page in sample.pages)
        totals = {page.evidence.total for page in sample.pages}
        [total] = totals if len(totals) == 1 else [None]
        if total is not None and total > received and total != len(sample.pages):
            yield Finding(
                f"the read would end after {pages}, with {number(received)} of {number(total)} "
                f"rows: {self._remedy}"
            )
        elif total == received and last.evidence.reports_more:
            yield Finding(
                f"the read would end after {pages}, as the API's total is {number(received)}, but "
                "the page says that more rows follow: set `total_path` in `paginator` to the "
                "field with the number of all rows, or to None if there is none"
            )
        elif not (sample.is_end_confirmed or last.evidence.denies_next) and self._is_full(last):
            rows = count(last.answer.count, "row")
            yield Finding(
                f"the read would end after {pages}, which is full ({rows}): if there are more "
                f"rows, {self._remedy}",
                is_wrong=False,
            )

    def _is_full(self, page: SampledPage) -> bool:
        rows, sizes = page.answer.count, self._sizes(page)
        if rows < self._sample.position.longest:
            return False
        if sizes or self._given not in (None, "auto"):
            return rows in sizes
        return rows in USUAL_SIZES

    def _size(self, first: SampledPage, second: SampledPage | None) -> Iterator[Finding]:
        """Find a limit that the API does not heed."""
        rows = first.answer.count
        sizes = self._requested(first)
        if len(sizes) != 1:
            return
        [size] = sizes
        option = self._limit_place
        if rows > size:
            yield Finding(
                f"the first page has {number(rows)} rows, although {option} asks for "
                f"{number(size)}: the API ignores it. Correct its name",
                is_wrong=False,
            )
        elif second is not None and rows < size and second.answer.count <= rows:
            yield Finding(
                f"the API cuts pages at {number(rows)} rows, although {option} asks for "
                f"{number(size)}: set it to {rows}, or correct its name",
                is_wrong=False,
            )

    def _empty(self, first: SampledPage) -> Iterator[Finding]:
        evidence = first.evidence
        total = evidence.stated_total
        if total or evidence.reports_more:
            sign = f"its total is {number(total)}" if total else "it says that more rows follow"
            yield Finding(
                f"the first page has no rows, although {sign}: set `data_selector` to where the "
                "rows are, and check the parameters that select them"
            )

    def _empty_second(self, first: SampledPage, second: SampledPage) -> Iterator[Finding]:
        rows, total = first.answer.count, first.evidence.total
        where = self._where(first, second)
        if total is not None and total > rows + MOST_MOVED and total != 1:
            yield Finding(
                f"the second page{where} has no rows, although the API's total is "
                f"{number(total)}: {self._remedy}"
            )
        elif total is None and rows in self._offset_limit and not self._sample.is_end_confirmed:
            yield Finding(
                f"the first page is full ({count(rows, 'row')}) and the second{where} is "
                f"empty: if there are more rows, {self._remedy}",
                is_wrong=False,
            )

    def _missing_paths(self, first: SampledPage) -> Iterator[Finding]:
        """Find paths of the paginator that lead nowhere."""
        given = self._given if isinstance(self._given, dict) else {}
        body = first.answer.whole_body if first.answer.count else None
        for name in ("total_path", "has_more_path", "last_page_path"):
            path = given.get(name)
            if body is not None and path and not values_at(path, body):
                text = f"the page has nothing at `{path}`: correct `{name}` in `paginator`"
                yield Finding(text, is_wrong=False)

    @property
    def _place(self) -> str:
        """The parameter that selects a page, by its place in the request."""
        return place_of(self._paginator)

    @property
    def _limit_place(self) -> str:
        if isinstance(self._paginator, OffsetPaginator):
            name = self._paginator.limit_param or f"json.{self._paginator.limit_body_path}"
            return f"`limit` in `paginator` (sent as `{name}`)"
        return "its request"

    @property
    def _remedy(self) -> str:
        return remedy_of(self._paginator, self._given)

    @property
    def _offset_limit(self) -> Collection[int]:
        """The limit of a paginator by offset; empty for another one."""
        return [self._paginator.limit] if isinstance(self._paginator, OffsetPaginator) else []

    def _sizes(self, page: SampledPage) -> Collection[int]:
        return {*page.evidence.sizes, *self._requested(page)}

    def _requested(self, page: SampledPage) -> Collection[int]:
        """Return the sizes of a page that its request asks for."""
        if self._offset_limit:
            return self._offset_limit
        request = page.answer.page.request
        return {*requested_sizes(str(request.url)), *_sizes_in(request.body)}

    @staticmethod
    def _where(first: SampledPage, second: SampledPage) -> str:
        changed = difference(first.request, second.request)
        return f" ({changed})" if changed else ""


def _sizes_in(body: Any) -> Sequence[int]:
    """Return the sizes of a page in a JSON body."""
    try:
        fields = json.loads(body or "null")
    except ValueError:
        return []
    named = fields.items() if isinstance(fields, dict) else ()
    found = [as_count(value) for name, value in named if plain_name(name) in SIZE_PARAMS]
    return [size for size in found if size is not None]
