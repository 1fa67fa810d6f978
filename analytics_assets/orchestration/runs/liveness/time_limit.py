"""A limit to the time of a load, which ends it before it writes into its table."""

from datetime import timedelta
from threading import Event, Lock, Thread, get_ident

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.text.quantities import duration
from analytics_assets.orchestration.runs.executor.compat import interrupt_thread

AGAIN = 1.0  # seconds until an interruption that code of others has swallowed is repeated


class LoadTooLongError(AnalyticsAssetsError):
    """A load takes longer than the policy `max_runtime` allows."""


class TimeIsUp(BaseException):
    """Ends a load; no `Exception`, as dlt and others catch those to try again."""


class TimeLimit:
    """A context whose code is interrupted once a time is over, unless it lifts the limit before.

    Args:
        limit: the time; None for no limit.
    """

    def __init__(self, limit: timedelta | None) -> None:
        self._seconds = limit.total_seconds() if limit else None
        self._thread, self._lock, self._lifted = 0, Lock(), Event()
        self._is_over = False

    def __enter__(self) -> None:
        """Begin to measure the time, for the code of this thread."""
        self._thread = get_ident()
        if self._seconds is not None:
            Thread(target=self._watch, name="time limit", daemon=True).start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Lift the limit.

        Raises:
            LoadTooLongError: the code was interrupted.
        """
        try:
            self.lift()
        except TimeIsUp as late:
            kind = type(late)
        if kind is TimeIsUp:
            raise LoadTooLongError(
                f"It took longer than `max_runtime`, {duration(self._seconds or 0)}, and was ended "
                "before it wrote anything: the table is as it was. The log of the run shows what "
                "it waited for. Request less at once, or raise `max_runtime` in its policy."
            ) from None

    def lift(self) -> None:
        """Interrupt nothing from now on; called by the thread of the code."""
        with self._lock:
            self._lifted.set()
            if self._is_over:
                interrupt_thread(self._thread, None)

    def _watch(self) -> None:
        wait = self._seconds
        while not self._lifted.wait(wait):
            wait = AGAIN
            with self._lock:
                if not self._lifted.is_set():
                    self._is_over = True
                    interrupt_thread(self._thread, TimeIsUp)
