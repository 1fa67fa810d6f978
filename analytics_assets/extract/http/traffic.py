"""Counts and durations of the requests of a connection."""

import threading
from dataclasses import dataclass, field


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
    """

    requests: int = 0
    retries: int = 0
    bytes_received: int = 0
    seconds_answering: float = 0.0
    seconds_backing_off: float = 0.0
    status: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def seconds_waiting(self) -> float:
        """Seconds spent waiting for the API: for responses and before retries."""
        return self.seconds_answering + self.seconds_backing_off

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
