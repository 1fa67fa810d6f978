"""The pages of a read, requested ahead of time, and returned complete and in order."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import requests

from analytics_assets.extract.http.errors import BodyError, NoAnswerError, describe_request
from analytics_assets.extract.http.limits.concurrency import Concurrency
from analytics_assets.extract.http.limits.headers import retry_after
from analytics_assets.extract.http.limits.rate_limit import RateLimit
from analytics_assets.extract.http.limits.read_end import ReadEnd
from analytics_assets.extract.http.limits.status import is_retried
from analytics_assets.extract.http.oauth2.signer import Signer
from analytics_assets.extract.http.page import Page
from analytics_assets.extract.http.traffic import Traffic
from analytics_assets.extract.http.transport.body import BodyLimit
from analytics_assets.extract.http.transport.origin import Origins
from analytics_assets.extract.http.transport.pool import TransportPool
from analytics_assets.extract.http.transport.redirect import redirected
from analytics_assets.extract.http.transport.transfer import Answer, Failure, Transfer
from analytics_assets.redaction.redactor import redact

T = TypeVar("T")

MAX_WAIT = 0.25  # seconds between two checks of the rate limit, and for the end of the load
PAUSE = 1.0  # seconds without a call, after which a timeout may be the reader's own delay


class Fetcher:
    """Requests the pages of one read, and returns them in the order of the calls.

    429, a 403 that names a limit, 500, 502, 503, 504, connection errors, timeouts, bodies cut short
    and bodies that the reader refuses are retried, while other pages arrive. A request is signed
    before each attempt, and sent again with a new token after a 401.

    Args:
        pool: has a transport for the read, which it takes back unless requests were given up.
        rate_limit: the API's rate limit.
        traffic: counts requests and retries.
        signer: signs the requests that it has signed before; None if no token is renewed.
        concurrency: measures how fast pages arrive; None for a single request.
        address_setting: the setting with the requests' address, for errors.
        origins: redirects to them are followed; None to hand over a redirect as any other answer.
        end: ends the wait for a page early.
        limit: of a page's body; that of the settings if not given.
    """

    def __init__(
        self,
        pool: TransportPool,
        rate_limit: RateLimit,
        traffic: Traffic,
        signer: Signer | None = None,
        concurrency: Concurrency | None = None,
        address_setting: str = "base_url",
        origins: Origins | None = None,
        end: ReadEnd | None = None,
        limit: BodyLimit | None = None,
    ) -> None:
        self._pool, self._transport = pool, pool.take()
        self._rate_limit, self._traffic = rate_limit, traffic
        self._settings = pool.settings
        self._limit = limit or BodyLimit(pool.settings.max_body, "`runtime.max_body`")
        self._signer = signer
        self._concurrency = concurrency
        self._address_setting, self._origins = address_setting, origins
        self._end_of_read = end or ReadEnd()
        self._is_given_up = self._is_closed = False
        self._asked: deque[Transfer] = deque()
        self._queued: deque[Transfer] = deque()
        self._backing_off: list[Transfer] = []
        self._collected_at = time.monotonic()
        self._lock = threading.Lock()  # another read may collect while this one does not
        rate_limit.register(self)

    @property
    def has_next(self) -> bool:
        """True if the page that was asked for first has arrived."""
        return bool(self._asked) and self._asked[0].outcome is not None

    def request(self, request: requests.PreparedRequest, url: str | None = None) -> None:
        """Ask for a page; it is sent when the read next waits for a page.

        Args:
            request: the request, signed.
            url: the URL of the page, if the request is one for another page of the same headers.
        """
        if url is not None:
            same, request = request, type(request)()
            vars(request).update(vars(same), url=url)
        transfer = Transfer(request, request, self._limit)
        self._asked.append(transfer)
        self._queued.append(transfer)

    def next_page(self, check: Callable[[Page], T]) -> T:
        """Wait for the page that was asked for first.

        Args:
            check: takes the complete answer, of any status that is not retried; its `BodyError`
                has the page requested again.

        Returns:
            The result of `check`.

        Raises:
            NoAnswerError: no complete answer arrived, after the retries.
            LinkError: there were too many redirects, or one that must not be followed.
            BodyError: the body stayed wrong, after the retries.
            CancelledReadError: another thread cancelled the read.
            ReadDeadlineError: the read takes too long.
        """
        transfer = self._asked.popleft()
        is_there, started = transfer.outcome is not None, time.monotonic()
        page = self._arrived(transfer)
        if self._concurrency and (self._asked or not self._concurrency.size):
            waited = 0.0 if is_there else min(time.monotonic() - started, transfer.answering)
            self._concurrency.record_page(waited)
        while True:
            try:
                return check(page)
            except BodyError:
                if not self._retry(transfer):
                    raise
            page = self._arrived(transfer)

    def fetch(self, request: requests.PreparedRequest, check: Callable[[Page], T]) -> T:
        """Request one page; see `next_page`."""
        self.request(request)
        return self.next_page(check)

    def _arrived(self, transfer: Transfer) -> Page:
        with self._lock:
            is_due = transfer.outcome is None or bool(self._queued)
            if is_due and time.monotonic() - self._collected_at > PAUSE:
                for each in self._transport.in_flight():
                    each.paused = True
            while is_due:
                wait = min(self._end_of_read.check(), self._send_due(transfer))
                has_ended, is_due = self._collect(), transfer.outcome is None
                if is_due and not (has_ended or self._transport.wait(wait)):
                    self._rate_limit.wait(wait)
            self._rate_limit.end_wait(self)
        assert transfer.outcome is not None, "it is due until then"
        if isinstance(transfer.outcome, Exception):
            raise transfer.outcome
        return transfer.outcome

    def _send_due(self, first: Transfer) -> float:
        """Send the requests that may be sent now.

        Returns:
            The seconds until the next one may be sent.
        """
        now = time.monotonic()
        wait = MAX_WAIT
        for transfer in list(self._backing_off):
            if transfer.due <= now:
                self._backing_off.remove(transfer)
                self._traffic.record_retry(now - transfer.failed_at)
                self._queued.appendleft(transfer)
            else:
                wait = min(wait, transfer.due - now)
        while self._queued and (self._transport.is_parallel or self._queued[0] is first):
            try:
                blocked = self._rate_limit.try_acquire(self._settings.max_wait, self)
            except NoAnswerError as error:
                self._queued.popleft().outcome = error
                continue
            if blocked:
                if self._rate_limit.collect_others(self):
                    continue
                return min(wait, blocked)
            self._send(self._queued.popleft())
        return wait

    def _send(self, transfer: Transfer) -> None:
        try:
            if self._signer and self._signer.signed(transfer.request):
                self._signer(transfer.request)
            self._transport.send(transfer)
        except BaseException as error:
            self._rate_limit.release(self)
            if not isinstance(error, Exception):
                raise
            transfer.outcome = error

    def collect(self) -> bool:
        """Receive without waiting what has arrived, for another read that waits to send.

        Returns:
            True if a place in flight has become free.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            # the transport of a read that has ended may be that of another one
            return not self._is_closed and self._collect()
        finally:
            self._lock.release()

    def _collect(self) -> bool:
        """Return True if an attempt has ended."""
        ended = self._transport.collect()
        for transfer in ended:
            self._rate_limit.release(self)
            status = None if isinstance(transfer.answer, Failure) else transfer.answer.status
            self._traffic.record_attempt(transfer.seconds, transfer.received, status)
            try:
                self._end(transfer, transfer.answer)
            except Exception as error:  # of the token endpoint, or too many redirects
                transfer.outcome = error
        self._collected_at = time.monotonic()
        return bool(ended)

    def _end(self, transfer: Transfer, answer: Answer) -> None:
        if isinstance(answer, Failure):
            if transfer.paused and not answer.is_final:
                self._send_again(transfer)
            elif answer.is_final or not self._retry(transfer):
                transfer.outcome = self._no_answer(transfer, answer)
            return
        self._rate_limit.observe(answer.status, answer.headers)
        is_repeated = (
            (answer.status == requests.codes.unauthorized and self._renew(transfer))
            or (self._origins and self._follow(transfer, answer, self._origins))
            or (is_retried(answer.status, answer.headers) and self._retry(transfer, answer))
        )
        if not is_repeated:
            transfer.outcome = answer

    def _follow(self, transfer: Transfer, page: Page, origins: Origins) -> bool:
        """Send the request to which an answer redirects."""
        following = redirected(transfer, page, self._transport.session, origins)
        if following is None:
            return False
        transfer.request = following
        transfer.redirects += 1
        self._queued.appendleft(transfer)
        return True

    def _renew(self, transfer: Transfer) -> bool:
        """Send a request again with a new token; once in each attempt."""
        if transfer.renewed or not self._signer or not self._signer.signed(transfer.request):
            return False
        self._signer.renew(transfer.request)
        transfer.renewed = True
        self._send_again(transfer)
        return True

    def _send_again(self, transfer: Transfer) -> None:
        self._traffic.record_retry()
        transfer.paused = False
        self._queued.appendleft(transfer)

    def _retry(self, transfer: Transfer, page: Page | None = None) -> bool:
        """Schedule another attempt after a while, unless this was the last one."""
        transfer.attempts += 1
        if transfer.attempts >= self._settings.request_max_attempts:
            return False
        transfer.failed_at = time.monotonic()
        asked = retry_after(page.headers.get("Retry-After", "")) if page else 0.0
        transfer.due = transfer.failed_at + self._settings.retry_delay(transfer.attempts, asked)
        self._traffic.schedule_retry(transfer.due, page.status if page else None)
        transfer.restart()
        self._backing_off.append(transfer)
        return True

    def _no_answer(self, transfer: Transfer, failure: Failure) -> NoAnswerError:
        where = describe_request(transfer.request)
        hint = f" (check `{self._address_setting}`)" if failure.at_address else ""
        text = f"{where}: no complete answer: {redact(failure.reason)}{hint}"
        return NoAnswerError(text, request=transfer.request)

    def discard(self) -> None:
        """Drop all pages that were asked for, with their requests in flight."""
        with self._lock:
            self._asked.clear()
            self._queued.clear()
            self._backing_off.clear()
            for _ in self._transport.in_flight():
                self._rate_limit.release(self)
                self._is_given_up = True
            self._transport.drop()
            self._rate_limit.end_wait(self)

    def close(self) -> None:
        """End the read: drop its pages, and close its connections or leave them to the next one."""
        if self._is_closed:
            return
        self._is_closed = True
        self.discard()
        if self._is_given_up:
            self._transport.close()
        else:
            self._pool.give_back(self._transport)
