"""Counts and durations of the requests of a connection."""

import threading
from dataclasses import dataclass, field
from time import monotonic


@dataclass
class ReadProgress:
    """The pages and rows of a resource that have arrived; of child resources, by all reads.

    Args:
        pages: pages, also those of passes that were void.
        rows: rows, without those of void passes.
        expected: the rows that the API says it has; 0 if it does not.
        void_passes: passes whose rows were dropped, as the API's rows changed meanwhile.
    """

    pages: int = 0
    rows: int = 0
    expected: int = 0
    void_passes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add_page(self, rows: int, expected: int | None = None) -> None:
        """Count a page.

        Args:
            rows: its rows.
            expected: the rows that the API says it has, if it does.
        """
        with self._lock:
            self.pages += 1
            self.rows += rows
            self.expected = expected or 0

    def drop_rows(self, rows: int) -> None:
        """Drop rows of a window that is requested again in parts: its pages count, they do not."""
        with self._lock:
            self.rows -= rows

    def drop_pass(self, rows: int) -> None:
        """Begin again: the pages of a pass count, its rows do not."""
        with self._lock:
            self.void_passes += 1
            self.rows -= rows


@dataclass
class Traffic:
    """The requests of a connection so far; safe to update from several threads.

    Args:
        requests: requests sent, retries included.
        retries: requests sent again after a failure or a 401.
        bytes_received: bytes of the bodies of all answers as they arrived, so compressed ones
            compressed; without headers and encryption.
        seconds_answering: seconds between sending a request and receiving its whole response.
        seconds_backing_off: seconds waited before retries.
        status: the HTTP status of the newest answer; None if no answer arrived.
        reads: the pages and rows by resource.
        retry_at: the time of the next retry, by `time.monotonic`; in the past if none is due.
        retry_reason: the failure before it, such as "HTTP 503".
    """

    requests: int = 0
    retries: int = 0
    bytes_received: int = 0
    seconds_answering: float = 0.0
    seconds_backing_off: float = 0.0
    status: int | None = None
    reads: dict[str, ReadProgress] = field(default_factory=dict, compare=False)
    retry_at: float = 0.0
    retry_reason: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def seconds_waiting(self) -> float:
        """Seconds spent waiting for the API: for responses and before retries."""
        return self.seconds_answering + self.seconds_backing_off

    @property
    def seconds_of_answer(self) -> float:
        """The mean seconds between sending a request and receiving its whole response."""
        return self.seconds_answering / self.requests if self.requests else 0.0

    def record_attempt(self, seconds: float, received: int = 0, status: int | None = None) -> None:
        """Count a request.

        Args:
            seconds: the time until its whole response arrived, or it failed.
            received: bytes of the body of the answer that have arrived.
            status: the HTTP status of the answer; None if it did not arrive.
        """
        with self._lock:
            self.requests += 1
            self.bytes_received += received
            self.seconds_answering += seconds
            self.status = status

    def record_retry(self, seconds: float = 0.0) -> None:
        """Count a retry; `record_attempt` counts its attempt.

        Args:
            seconds: the wait before it.
        """
        with self._lock:
            self.retries += 1
            self.seconds_backing_off += seconds

    def schedule_retry(self, at: float, status: int | None) -> None:
        """Note a retry that a read waits for.

        Args:
            at: its time, by `time.monotonic`.
            status: the HTTP status of the answer before it; None if no complete answer arrived.
        """
        self.retry_at = at
        self.retry_reason = f"HTTP {status}" if status else "no complete answer"

    @property
    def seconds_until_retry(self) -> float:
        """Seconds until the next retry; 0.0 if no read waits for one."""
        return max(0.0, self.retry_at - monotonic())

    def read_of(self, resource: str) -> ReadProgress:
        """Return the progress of a resource, to be counted up or looked at."""
        return self.reads.setdefault(resource, ReadProgress())
