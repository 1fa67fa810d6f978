"""Waiting for what another process holds, and saying for whom."""

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

from analytics_assets.config.errors import AnalyticsAssetsError

LONGEST_PAUSE = 2.0  # seconds between two looks at whether it is free
LOG = logging.getLogger(__name__)
T = TypeVar("T")


class WarehouseError(AnalyticsAssetsError):
    """The warehouse could not be used."""


class WarehouseLockedError(WarehouseError):
    """Another process holds a table, or the DuckDB file.

    Args:
        held: what it holds.
        holder: who it is.
        message: a sentence that says so, and what to do.
    """

    def __init__(self, held: str, holder: str, message: str) -> None:
        super().__init__(message)
        self.held = held
        self.holder = holder


@dataclass(frozen=True)
class Patience:
    """How long to wait for what another process holds, and whom to tell about it.

    Args:
        seconds: how long; 0 is not at all.
        log: the log of the run that waits, if there is one.
    """

    seconds: float
    log: logging.Logger | None = None

    def wait_for(self, take: Callable[[], T]) -> T:
        """Return what `take` returns once it no longer finds somebody in the way.

        Args:
            take: takes what is wanted; it is called again and again.

        Raises:
            WarehouseLockedError: `take` still raises it when the patience is over.
        """
        said: set[str] = set()

        def say(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            assert isinstance(error, WarehouseLockedError), "no other error is waited for"
            if error.holder not in said:
                said.add(error.holder)
                self._say(
                    f"Waiting for {error.holder}, which holds {error.held}; for up to "
                    f"{self.seconds:g} s (setting `lock_patience`) ..."
                )

        waiting = Retrying(
            retry=retry_if_exception_type(WarehouseLockedError),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE),
            stop=stop_after_delay(self.seconds),
            before_sleep=say,
            reraise=True,
        )
        return waiting(take)

    def _say(self, text: str) -> None:
        LOG.warning(text)  # for the terminal: the command line does not show the log of its run
        if self.log:
            self.log.warning(text)
