"""Waiting for a lock of another process, with its holder in the log."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from analytics_assets.config.text.quantities import duration
from analytics_assets.warehouse.errors import WarehouseLockedError

LONGEST_PAUSE = 2.0  # seconds between two attempts
LOG = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class LockWait:
    """The time that a load waits for locks of other processes.

    Args:
        seconds: the longest wait; 0 for none.
        log: the log of the run that waits, if there is one.
        waiting: takes the holder of the lock, with what it holds, when the wait for it begins, and
            an empty text when the lock is taken.
    """

    seconds: float
    log: logging.Logger | None = None
    waiting: Callable[[str], None] = lambda holder: None

    def acquire(self, attempt: Callable[[], T]) -> T:
        """Return the result of the first attempt that meets no lock of another process.

        Args:
            attempt: takes the lock; called again and again.

        Raises:
            WarehouseLockedError: the last attempt within the time still raises it.
        """
        named: set[str] = set()

        def name_holder(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            assert isinstance(error, WarehouseLockedError), "no other error is retried"
            if error.holder not in named:
                named.add(error.holder)
                self.waiting(f"{error.holder}, which holds {error.held}")
                self._warn(
                    f"Waiting for {error.holder}, which holds {error.held}; for up to "
                    f"{duration(self.seconds)} (setting `lock_patience`) ..."
                )

        attempts = Retrying(
            retry=retry_if_exception_type(WarehouseLockedError),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE),
            stop=stop_after_delay(self.seconds),
            before_sleep=name_holder,
            reraise=True,
        )
        try:
            return attempts(attempt)
        finally:
            if named:
                self.waiting("")

    def _warn(self, text: str) -> None:
        LOG.warning(text)  # for the terminal: the command line does not show the log of its run
        if self.log:
            self.log.warning(text)
