"""A limit on requests that all processes keep together, through the shared store."""

import logging
import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from analytics_assets.config.settings.request import LimitSettings
from analytics_assets.config.text.quantities import duration
from analytics_assets.extract.http.errors import NoAnswerError
from analytics_assets.extract.http.shared_store.keeper import Keeper
from analytics_assets.extract.http.shared_store.statements import BEGIN, DECLARE, END
from analytics_assets.extract.http.shared_store.store import (
    SharedStore,
    SharedStoreError,
    StoreUnavailableError,
)

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10.0  # after which the requests of a process that is gone no longer count
RENEW_SECONDS = 2.0  # after which a process says that it lives
REUSE_SECONDS = 0.05  # for which a place stays with the process if no other one waited
POLL_SECONDS = 0.05  # between two tries to begin a request while others have all places
WAITS_SECONDS = 1.0  # for which a process counts as waiting after a try
LONG_SECONDS = 1.0  # of a wait, after which a process goes before others with as many requests
BUSY_SECONDS = 0.01  # while another thread asks the store
RETRY_SECONDS = 1.0  # between two tries to reach the store
PERMIT_SECONDS = 1.0  # after which a place that no request has taken is given back
# of the time between two starts: requests of several processes take different times to arrive, and
# the API is to count no more in any second than is set
MARGIN = 1.1
LATE_SHARE = (
    MARGIN - 1
) / 2  # of a second, by which a request may begin later than it was allowed to
MOST_LEAD = 0.5  # seconds, by which a process that wakes up late comes ahead of its start
KEPT_LEAD = 0.95  # of it, from one start to the next
MOST = 2**31 - 1  # where the number of requests in flight has no limit


class SharedLimit:
    """Begins requests to a host as far as those of all processes leave room for them.

    The store knows how many requests each process has in flight, for as long as the process renews
    its lease: those of a killed one no longer count `LEASE_SECONDS` later. What ends is declared
    with the next request, or within a moment by the keeper. While the store cannot be reached no
    request begins; those in flight go on.

    Args:
        store: the store.
        name: the name of the limit, the same in all processes.
        settings: the limits.
        keeper: renews the lease.
        patience: seconds for which requests wait for a store that cannot be reached.
        clock: returns the seconds of a clock that never goes back.
    """

    def __init__(
        self,
        store: SharedStore,
        name: str,
        settings: LimitSettings,
        keeper: Keeper,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._name, self._keeper = store, name, keeper
        self._most = settings.max_in_flight or MOST
        self._interval = MARGIN / settings.max_per_second if settings.max_per_second else 0.0
        self._patience, self._clock = patience, clock
        self._asking = Lock()  # held during a statement
        self._lock = Lock()
        self._in_flight = 0
        self._permit_at: float | None = None  # a request may begin then, and counts already
        self._ask_at = self._reuse_until = 0.0
        self._lead = 0.0  # by which a caller comes ahead of its start, as it has been late
        self._come_at = math.inf  # the time at which it was to come
        self._declared = 0  # as the store knows it
        self._renew_at = 0.0
        self._expires_at = 0.0
        self._unavailable_since: float | None = None

    def acquire(self, max_wait: float) -> float:
        """Begin a request if one may begin now.

        Args:
            max_wait: seconds; if the store cannot be reached for longer, the request fails.

        Returns:
            0, or the seconds until the next try.

        Raises:
            NoAnswerError: the store cannot be reached for too long.
            SharedStoreError: it refuses.
        """
        if not self._asking.acquire(blocking=False):
            return BUSY_SECONDS
        try:
            now = self._clock()
            if self._permit_at is None and now < self._reuse_until and self._reuse():
                return 0.0
            if self._permit_at is None and now < self._ask_at:
                return self._ask_at - now
            if self._permit_at is None:
                try:
                    self._ask()
                except StoreUnavailableError as error:
                    self._wait_for_store(error, min(max_wait, self._patience))
                except SharedStoreError as error:
                    raise SharedStoreError(f"No request to the API begins, as {error}.") from None
            if self._permit_at is None:
                return max(BUSY_SECONDS, self._ask_at - self._clock())
            if (left := self._until(self._permit_at)) > 0:
                return left
            if self._interval and -left > LATE_SHARE * max(1.0, self._interval):
                self._permit_at = None  # with the next ones, more might begin in a second
                return BUSY_SECONDS
            with self._lock:
                self._permit_at = None
                self._in_flight += 1
            return 0.0
        finally:
            self._asking.release()

    def _until(self, start: float) -> float:
        """Return the seconds until a caller is to come again for a start; 0 or less to begin now.

        Of a process without much CPU, each caller would wake up too late for its start, and begin
        nothing: it comes ahead, and waits here.
        """
        if (left := start - self._clock()) > self._lead:
            self._come_at = start - self._lead
            return left - self._lead
        late, self._come_at = max(0.0, self._clock() - self._come_at), math.inf
        self._lead = min(MOST_LEAD, max(KEPT_LEAD * self._lead, 2 * late))
        if left > 0:
            time.sleep(left)
        return min(0.0, start - self._clock())

    def _reuse(self) -> bool:
        """Begin a request in the place of one that has ended since the store was asked."""
        with self._lock:
            is_free = self._in_flight < self._declared
            self._in_flight += is_free
            return is_free

    def release(self, is_unused: bool = False) -> None:
        """End a request that was in flight.

        Args:
            is_unused: True if it was not sent, so that its place may be taken by the next one.
        """
        with self._lock:
            self._in_flight -= 1
            self._ask_at = 0.0
            if is_unused and self._permit_at is None:
                self._permit_at = self._clock()
        self._keeper.wake()

    @property
    def is_kept(self) -> bool:
        """True if the store still counts a request of this process."""
        return bool(self._declared or self._in_flight)

    def keep(self) -> None:
        """Renew the lease, and declare the requests that have ended.

        Raises:
            StoreUnavailableError: the store cannot be reached; the requests count until the lease
                expires.
        """
        with self._asking:
            with self._lock:
                if self._permit_at and self._permit_at + PERMIT_SECONDS < self._clock():
                    self._permit_at = None
                own = self._in_flight + (self._permit_at is not None)
            if own == self._declared and (not own or self._clock() < self._renew_at):
                return
            try:
                self._store.run(DECLARE if own else END, self._parameters(own), self._name)
            except StoreUnavailableError as error:
                self._warn_of_expired_lease(error)
                raise
            self._declare(own)

    def give_back(self) -> None:
        """End all requests of this process."""
        if self._declared:
            self._store.run(END, self._parameters(0), self._name)
            self._declared = 0

    def _ask(self) -> None:
        with self._lock:
            own = self._in_flight
        ((begins, wait, are_waiting),) = self._store.run(BEGIN, self._parameters(own), self._name)
        self._declare(own + begins)
        if self._unavailable_since is not None:
            self._unavailable_since = None
            logger.warning("The shared store can be reached again.")
        now = self._clock()
        self._permit_at = now + wait if begins else None
        self._ask_at = now + POLL_SECONDS
        self._reuse_until = 0.0 if are_waiting or self._interval else now + REUSE_SECONDS

    def _declare(self, requests: int) -> None:
        self._declared = requests
        self._renew_at = self._clock() + RENEW_SECONDS
        self._expires_at = self._clock() + LEASE_SECONDS
        self._keeper.keep(self)

    def _parameters(self, own: int) -> dict[str, Any]:
        return {
            "name": self._name,
            "process": self._store.process,
            "holder": self._store.holder,
            "own": own,
            "most": self._most,
            "interval": self._interval,
            "lease": LEASE_SECONDS,
            "waits": WAITS_SECONDS,
            "long": LONG_SECONDS,
        }

    def _warn_of_expired_lease(self, error: StoreUnavailableError) -> None:
        if self._in_flight and self._clock() > self._expires_at > 0.0:
            self._expires_at = 0.0
            logger.warning(
                "%d requests in flight no longer count for other processes, as %s.",
                *(self._in_flight, error),
            )

    def _wait_for_store(self, error: StoreUnavailableError, patience: float) -> None:
        now = self._clock()
        if self._unavailable_since is None:
            self._unavailable_since = now
            logger.warning(
                "No request to the API begins, as %s. Waiting for up to %s (setting "
                "`lock_patience`) ...",
                *(error, duration(patience)),
            )
        if now - self._unavailable_since > patience:
            raise NoAnswerError(
                f"No request to the API could begin for {duration(patience)}, as {error}. "
                "`reading.max_in_flight` and `reading.max_per_second` hold for all processes by "
                "it: check the setting `shared_store.url`, by default "
                "`destination.postgres.credentials`."
            ) from None
        self._ask_at = now + min(RETRY_SECONDS, patience)
