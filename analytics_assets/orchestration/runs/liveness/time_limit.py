"""A limit to a load, which ends it before it writes into its table."""

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

    Others may end it sooner.

    Args:
        limit: the time; None for no limit.
    """

    def __init__(self, limit: timedelta | None) -> None:
        self._seconds = limit.total_seconds() if limit else None
        self._thread, self._lock, self._lifted = 0, Lock(), Event()
        self._error: AnalyticsAssetsError | None = None  # with which it is over

    def __enter__(self) -> None:
        """Begin to measure the time, for the code of this thread."""
        if self._seconds is not None:
            Thread(target=self._watch, name="time limit", daemon=True).start()
        self._thread = get_ident()  # at last, as an interruption before this line has no `__exit__`

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Lift the limit.

        Raises:
            AnalyticsAssetsError: the code was interrupted: a `LoadTooLongError`, or that of `end`.
        """
        while True:  # an interruption may come until the limit is lifted
            try:
                self.lift()
                break
            except TimeIsUp as late:
                kind = type(late)
        if kind is TimeIsUp and self._error:
            raise self._error from None

    def lift(self) -> None:
        """Interrupt nothing from now on; called by the thread of the code."""
        with self._lock:
            self._lifted.set()
            if self._error:
                interrupt_thread(self._thread, None)

    def end(self, error: AnalyticsAssetsError) -> None:
        """Interrupt the code, unless the limit is lifted.

        Args:
            error: says why; that of the first call stands.
        """
        with self._lock:
            if not self._lifted.is_set():
                self._error = self._error or error
                interrupt_thread(self._thread, TimeIsUp)

    def _watch(self) -> None:
        wait = self._seconds
        while not self._lifted.wait(wait):
            wait = AGAIN
            self.end(
                LoadTooLongError(
                    f"It took longer than `max_runtime`, {duration(self._seconds or 0)}, and was "
                    "ended before it wrote anything: the table is as it was. The log of the run "
                    "shows what it waited for. Request less at once, or raise `max_runtime` in its "
                    "policy."
                )
            )
