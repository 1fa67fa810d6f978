"""The thread by which a process renews its leases in the shared store."""

import logging
import time
from contextlib import suppress
from threading import Condition, Thread
from typing import Protocol

from analytics_assets.extract.http.shared_store.store import SharedStore, SharedStoreError

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.02  # in which the next request may declare what has ended
LOOK_SECONDS = 1.0
CLOSE_SECONDS = 5.0  # for a statement that runs when the process ends
IDLE_LOOKS = 5  # with nothing to renew, after which the thread and the connection end


class Kept(Protocol):
    """Rows of a process in the store, which count as long as it renews them."""

    @property
    def is_kept(self) -> bool:
        """True while there are rows in the store."""

    def keep(self) -> None:
        """Renew the rows, and write changes."""

    def give_back(self) -> None:
        """Remove the rows."""


class Keeper:
    """Renews the rows of a process in the shared store, in a thread that ends when nothing is left.

    Args:
        store: the store.
    """

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self._condition = Condition()
        self._kept: dict[Kept, None] = {}
        self._is_awake = self._is_closed = False
        self._thread: Thread | None = None

    def keep(self, each: Kept) -> None:
        """Renew rows from now on."""
        with self._condition:
            self._kept[each] = None
            if self._thread is None and not self._is_closed:
                self._thread = Thread(target=self._run, name="shared store", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Write changes soon."""
        self._is_awake = True
        with self._condition:
            self._condition.notify_all()

    def close(self) -> None:
        """Remove the rows of this process from the store, and close the connection."""
        self._is_closed = True
        self.wake()
        if thread := self._thread:
            thread.join(CLOSE_SECONDS)
        for each in list(self._kept):
            with suppress(SharedStoreError):
                each.give_back()
        self._store.close()

    def _run(self) -> None:
        idle = 0
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._is_awake, LOOK_SECONDS)
            if self._is_closed:
                return
            time.sleep(GATHER_SECONDS)
            self._is_awake = False
            for each in list(self._kept):
                try:
                    each.keep()
                except SharedStoreError as error:
                    logger.debug("Leases are not renewed: %s", error)
            idle = 0 if any(each.is_kept for each in list(self._kept)) else idle + 1
            with self._condition:
                # a request may have begun since the look
                is_idle = idle > IDLE_LOOKS and not any(each.is_kept for each in self._kept)
                if is_idle and not self._is_awake:
                    self._kept.clear()
                    self._thread = None
                    self._store.close()
                    return
