"""Requests over libcurl: many at a time, over connections that it keeps open."""

import os
import time
from contextlib import suppress

import pycurl
import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from analytics_assets.config.settings.request import RequestSettings
from analytics_assets.extract.http.transport.body import (
    FIRST_ERROR,
)
from analytics_assets.extract.http.transport.exchange import Exchange, Memory
from analytics_assets.extract.http.transport.origin import AnonymousRequest
from analytics_assets.extract.http.transport.transfer import Failure, Transfer

MIN_POLL = 0.002  # seconds between two checks where libcurl cannot wait for its sockets
CHECK_SECONDS = 1.0  # between two checks for connections over which nothing arrives
BUFFER_BYTES = 128 * 1024  # received at once; libcurl's own 16 kB take more calls for a page
STALLED = -1  # in the place of an error of libcurl


class CurlTransport:
    """Sends requests over HTTP/1.1 by libcurl, without a proxy.

    Args:
        settings: timeouts.
        session: its rules hold for redirects; it sends nothing.
        cookies: the cookies of the API, which its reads share.
        verify: True, False or the file by which certificates are verified, as in `requests`.
    """

    is_parallel = True

    def __init__(
        self,
        settings: RequestSettings,
        session: requests.Session,
        cookies: pycurl.CurlShare,
        verify: bool | str = True,
    ) -> None:
        self.session = session
        self._settings = settings
        self._cookies = cookies
        self._verify = verify
        self._multi, self._memory = pycurl.CurlMulti(), Memory()
        self._idle: list[Exchange] = []
        self._busy: dict[pycurl.Curl, Exchange] = {}
        self._check_at = 0.0

    def send(self, transfer: Transfer) -> None:
        """Send the request of a transfer."""
        is_anonymous = isinstance(transfer.request, AnonymousRequest)
        if is_anonymous or not self._idle:
            handle = self._new_handle(None if is_anonymous else self._cookies)
            exchange = Exchange(handle, self._memory)
        else:
            exchange = self._idle.pop()
        exchange.begin(transfer, transfer.seconds_left(self._settings.request_deadline))
        self._multi.add_handle(exchange.handle)
        self._busy[exchange.handle] = exchange

    def _new_handle(self, cookies: pycurl.CurlShare | None) -> pycurl.Curl:
        handle = pycurl.Curl()
        settings = self._settings
        if cookies:
            handle.setopt(pycurl.SHARE, cookies)
            handle.setopt(pycurl.COOKIEFILE, "")  # reads none, and begins to keep those of the API
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.BUFFERSIZE, BUFFER_BYTES)
        handle.setopt(pycurl.NOPROXY, "*")
        handle.setopt(pycurl.PATH_AS_IS, 1)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, round(settings.request_timeout * 1000)))
        if self._verify:
            file = self._verify if isinstance(self._verify, str) else DEFAULT_CA_BUNDLE_PATH
            handle.setopt(pycurl.CAPATH if os.path.isdir(file) else pycurl.CAINFO, file)
        else:
            handle.setopt(pycurl.SSL_VERIFYPEER, 0)
            handle.setopt(pycurl.SSL_VERIFYHOST, 0)
        return handle

    def collect(self) -> list[Transfer]:
        """Send and receive without waiting; return the transfers whose attempt has ended."""
        ended: list[Transfer] = []
        if not self._busy:
            return ended
        under_way = self._multi.perform()[1]
        left = len(self._busy) - under_way
        while left:
            left, complete, failed = self._multi.info_read()
            ended += [self._end(handle) for handle in complete]
            ended += [self._end(handle, code, text) for handle, code, text in failed]
        now = time.monotonic()
        if now >= self._check_at:
            self._check_at = now + min(CHECK_SECONDS, self._settings.request_timeout / 10)
            ended += [self._end(handle, STALLED) for handle in self._stalled(now)]
        return ended

    def _stalled(self, now: float) -> list[pycurl.Curl]:
        """Return the handles over which nothing was sent or received within the timeout.

        libcurl's own limit is one of the average speed over several seconds.
        """
        found = []
        for handle, each in self._busy.items():
            progress = (len(each.parts), len(each.lines), handle.getinfo(pycurl.SIZE_UPLOAD_T))
            connected = handle.getinfo(pycurl.PRETRANSFER_TIME) > 0
            if progress != each.progress or not connected:
                each.progress, each.progressed_at = progress, now
            elif now - each.progressed_at > self._settings.request_timeout:
                found.append(handle)
        return found

    def _end(self, handle: pycurl.Curl, code: int = 0, text: str = "") -> Transfer:
        self._multi.remove_handle(handle)
        exchange = self._busy.pop(handle)
        transfer = exchange.transfer
        transfer.seconds = handle.getinfo(pycurl.TOTAL_TIME)
        transfer.answering = transfer.seconds - handle.getinfo(pycurl.PRETRANSFER_TIME)
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        if exchange.refusal and status < FIRST_ERROR:
            transfer.answer = Failure(exchange.refusal, is_final=True)
        elif code and not exchange.refusal:
            transfer.answer = self._failure(exchange, code, text)
        else:
            transfer.answer = exchange.answer(status)
        if not isinstance(transfer.request, AnonymousRequest):
            self._idle.append(exchange)
        return exchange.end()

    def _failure(self, exchange: Exchange, code: int, text: str) -> Failure:
        settings, handle = self._settings, exchange.handle
        timeout = f"`request_timeout`, {settings.request_timeout:g} seconds"
        if code == STALLED:
            return Failure(f"Read timed out: nothing arrived within {timeout}")
        if code == pycurl.E_OPERATION_TIMEDOUT:
            if exchange.transfer.seconds < exchange.seconds:
                return Failure(f"no connection was made within {timeout}", at_address=True)
            deadline = f"`request_deadline`, {settings.request_deadline:g} seconds"
            return Failure(f"it took longer than {deadline}")
        if code == pycurl.E_COULDNT_CONNECT:
            number = handle.getinfo(pycurl.OS_ERRNO)
            return Failure(f"{text} ({os.strerror(number)})" if number else text, at_address=True)
        if code == pycurl.E_GOT_NOTHING:
            return Failure("the connection was closed without an answer")
        return Failure(
            text or f"libcurl failed with its error {code}",
            at_address=code == pycurl.E_COULDNT_RESOLVE_HOST,
            is_final=code in (pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_URL_MALFORMAT),
        )

    def wait(self, seconds: float) -> bool:
        """Wait for data on a socket, for some seconds at most.

        Returns:
            False if no request is in flight: there is nothing to wait for.
        """
        if not self._busy:
            return False
        seconds = min(seconds, max(MIN_POLL, self._check_at - time.monotonic()))
        if self._multi.select(seconds) < 0:
            # libcurl cannot wait without an open socket, or for descriptors above 1,024
            time.sleep(min(seconds, MIN_POLL))
        return True

    def in_flight(self) -> list[Transfer]:
        """Return the transfers that have not ended."""
        return [each.transfer for each in self._busy.values()]

    def drop(self) -> None:
        """Drop the transfers in flight, and close their connections."""
        while self._busy:
            handle, _ = self._busy.popitem()
            with suppress(pycurl.error):  # an interrupt may have come once it was removed
                self._multi.remove_handle(handle)
            handle.close()
        self._memory.in_flight = 0

    def close(self) -> None:
        """Close all connections."""
        self.drop()
        while self._idle:
            self._idle.pop().handle.close()
        self._multi.close()


def shared_cookies() -> pycurl.CurlShare:
    """Return cookies that several transports keep together, also in threads."""
    share = pycurl.CurlShare()
    share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_COOKIE)
    return share
