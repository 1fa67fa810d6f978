"""Pages that are asked for before dlt does, so that the next ones come while one is worked on."""

import copy
from concurrent.futures import ThreadPoolExecutor

import requests
from dlt.sources.helpers.rest_client.paginators import RangePaginator

from analytics_assets.extract.http.cancellation import CancelScope
from analytics_assets.extract.http.limits.concurrency import Window
from analytics_assets.extract.http.session import ApiSession, PendingResponse

HELD_AHEAD = 64 * 1024 * 1024  # bytes of answers that may wait
WRONG_GUESSES = 3  # after so many the places of an API's pages count as unknown beforehand

Prefetch = tuple[requests.PreparedRequest, PendingResponse]


class PagesAhead:
    """Asks for the pages of one read ahead of time.

    Args:
        session: sends requests, and gives the answers on when dlt asks for them.
        window: how many pages to ask for.
    """

    def __init__(self, session: ApiSession, window: Window) -> None:
        self._session = session
        self._window = window
        self._threads: ThreadPoolExecutor | None = None
        self._pages_came = 0
        self._wrong_guesses = 0
        self._cancelled: list[CancelScope] = []
        self._coming: dict[int, Prefetch] = {}
        self._next: Prefetch | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._scope = CancelScope()
        self._coming, self._next = {}, None
        self._last: RangePaginator | None = None  # where the next page to ask for is

    def forget(self) -> bool:
        """Drop what is on its way, and tell whether there was anything."""
        if self._next:
            self._session.pending.take(self._next[0])
        answers = [answer for _, answer in self._coming.values()]
        answers += [self._next[1]] if self._next else []
        on_their_way = [answer for answer in answers if not (answer.cancel() or answer.done())]
        if on_their_way:
            self._scope.cancel()
            self._cancelled.append(self._scope)
        self._begin_anew()
        return bool(on_their_way)

    def page_came(
        self,
        request: requests.Request,
        paginator: RangePaginator,
        step: int,
        end: int | None,
        size: int,
    ) -> None:
        """Send for the pages that follow one that came.

        Args:
            request: the next page's.
            paginator: where that page is.
            step: how far the pages are apart.
            end: where there is no page any more, if that is known.
            size: bytes of the page that came.
        """
        self._window.page()
        self._pages_came += 1
        self._check_guess(paginator.current_value)
        room = min(self._window.size, HELD_AHEAD // max(size, 1))
        if end is None or self._wrong_guesses:
            # pages that may not be there are asked for with restraint
            room = min(room, self._pages_came)
        if self._wrong_guesses >= WRONG_GUESSES or not (room or self._coming):
            self.forget()
            return
        if self._last is None or not self._coming:
            self._last = copy.copy(paginator)
        while len(self._coming) < room:
            place = self._last.current_value
            # dlt asks for the page it is at, wherever the end is
            if end is not None and place >= end and place != paginator.current_value:
                break
            self._coming[place] = self._send(self._request_at(self._last, request))
            self._last.current_value += step
        if paginator.current_value in self._coming:
            self._next = self._coming.pop(paginator.current_value)
            self._session.pending.add(*self._next)

    def _check_guess(self, place: int) -> None:
        """Find out whether the pages that were asked for are those that dlt asks for."""
        not_asked_for = self._next and self._next[0] in self._session.pending
        if not_asked_for or (self._coming and place not in self._coming):
            self._wrong_guesses += 1
            self._pages_came = 1
            self.forget()

    def _request_at(
        self, paginator: RangePaginator, request: requests.Request
    ) -> requests.PreparedRequest:
        page = copy.copy(request)
        page.params, page.json = copy.deepcopy((request.params, request.json))
        paginator.update_request(page)
        return self._session.prepare_request(page)

    def _send(self, request: requests.PreparedRequest) -> Prefetch:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._window.most, "page-ahead")
        return request, self._threads.submit(_ask, self._session, request, self._scope)

    def close(self) -> None:
        """End the read: no thread, socket or request of it is left behind."""
        on_its_way = self.forget()
        if self._threads:
            self._threads.shutdown()
            self._threads = None
        for scope in self._cancelled:
            scope.close_sockets()
        if on_its_way:
            self._session.close()  # the next request makes connections anew


def _ask(
    session: ApiSession, request: requests.PreparedRequest, scope: CancelScope
) -> requests.Response:
    with scope.entered():
        settings = session.merge_environment_settings(request.url, {}, None, None, None)
        return session.send(request, **settings)
