"""Pages requested in threads, before dlt requests them."""

import copy
from concurrent.futures import ThreadPoolExecutor

import requests
from dlt.sources.helpers.rest_client.paginators import RangePaginator

from analytics_assets.extract.http.cancellation import CancelScope
from analytics_assets.extract.http.limits.concurrency import Concurrency
from analytics_assets.extract.http.session import ApiSession, PendingResponse

MAX_BYTES = 64 * 1024 * 1024  # of responses that wait
MAX_MISSES = 3  # after which the positions of an API's pages count as unpredictable

Prefetch = tuple[requests.PreparedRequest, PendingResponse]


class ThreadPrefetcher:
    """Requests the pages of one read ahead of time.

    Args:
        session: sends the requests, and returns the responses when dlt sends the same requests.
        concurrency: the number of pages to request.
    """

    def __init__(self, session: ApiSession, concurrency: Concurrency) -> None:
        self._session = session
        self._concurrency = concurrency
        self._threads: ThreadPoolExecutor | None = None
        self._hits = 0
        self._misses = 0
        self._cancelled: list[CancelScope] = []
        self._in_flight: dict[int, Prefetch] = {}  # by the position of the page
        self._next: Prefetch | None = None
        self._reset()

    def _reset(self) -> None:
        self._scope = CancelScope()
        self._in_flight, self._next = {}, None
        self._last: RangePaginator | None = None  # at the next page to request

    def discard(self) -> bool:
        """Drop the pages in flight.

        Returns:
            True if a request had to be cancelled.
        """
        if self._next:
            self._session.pending.take(self._next[0])
        responses = [response for _, response in self._in_flight.values()]
        responses += [self._next[1]] if self._next else []
        unfinished = [each for each in responses if not (each.cancel() or each.done())]
        if unfinished:
            self._scope.cancel()
            self._cancelled.append(self._scope)
        self._reset()
        return bool(unfinished)

    def page_arrived(
        self,
        request: requests.Request,
        paginator: RangePaginator,
        step: int,
        end: int | None,
        size: int,
    ) -> None:
        """Request the pages that follow one that arrived.

        Args:
            request: the request for the next page.
            paginator: at the next page.
            step: the distance between two pages.
            end: the position after the last page; None if unknown.
            size: bytes of the page that arrived.
        """
        self._concurrency.record_page()
        self._hits += 1
        self._check_hit(paginator.current_value)
        limit = min(self._concurrency.size, MAX_BYTES // max(size, 1))
        if end is None or self._misses:
            # pages may not exist: at most as many as arrived so far
            limit = min(limit, self._hits)
        if self._misses >= MAX_MISSES or not (limit or self._in_flight):
            self.discard()
            return
        if self._last is None or not self._in_flight:
            self._last = copy.copy(paginator)
        while len(self._in_flight) < limit:
            position = self._last.current_value
            # dlt requests the next page even after the end
            if end is not None and position >= end and position != paginator.current_value:
                break
            self._in_flight[position] = self._send(self._request_at(self._last, request))
            self._last.current_value += step
        if paginator.current_value in self._in_flight:
            self._next = self._in_flight.pop(paginator.current_value)
            self._session.pending.add(*self._next)

    def _check_hit(self, position: int) -> None:
        """Drop the pages in flight if they are not those that dlt requests."""
        not_taken = self._next and self._next[0] in self._session.pending
        if not_taken or (self._in_flight and position not in self._in_flight):
            self._misses += 1
            self._hits = 1
            self.discard()

    def _request_at(
        self, paginator: RangePaginator, request: requests.Request
    ) -> requests.PreparedRequest:
        page = copy.copy(request)
        page.params, page.json = copy.deepcopy((request.params, request.json))
        paginator.update_request(page)
        return self._session.prepare_request(page)

    def _send(self, request: requests.PreparedRequest) -> Prefetch:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._concurrency.maximum, "prefetch")
        return request, self._threads.submit(_send, self._session, request, self._scope)

    def close(self) -> None:
        """End the read: cancel its requests, close its sockets and end its threads."""
        cancelled = self.discard()
        if self._threads:
            self._threads.shutdown()
            self._threads = None
        for scope in self._cancelled:
            scope.close_sockets()
        if cancelled:
            self._session.close()  # the next request opens new connections


def _send(
    session: ApiSession, request: requests.PreparedRequest, scope: CancelScope
) -> requests.Response:
    with scope.entered():
        settings = session.merge_environment_settings(request.url, {}, None, None, None)
        return session.send(request, **settings)
