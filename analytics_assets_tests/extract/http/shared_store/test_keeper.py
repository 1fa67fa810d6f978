import time

import pytest

from analytics_assets.extract.http.shared_store import keeper
from analytics_assets.extract.http.shared_store.keeper import IDLE_LOOKS, Keeper
from analytics_assets.extract.http.shared_store.store import SharedStore


class LateRequest:
    """A request begins in the moment in which the keeper has seen for the last time that none is.

    Args:
        keeper: renews it.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._looks = self.renewals = 0

    @property
    def is_kept(self) -> bool:
        self._looks += 1
        if self._looks == IDLE_LOOKS + 1:
            self._keeper.keep(self)
        return self._looks > IDLE_LOOKS + 1

    def keep(self) -> None:
        self.renewals += self._looks > IDLE_LOOKS

    def give_back(self) -> None: ...


def test_a_request_that_begins_as_the_thread_ends_is_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(keeper, "GATHER_SECONDS", 0.0)
    renewing = Keeper(SharedStore("postgresql://nobody@127.0.0.1:1/none"))
    request = LateRequest(renewing)
    renewing.keep(request)
    ends = time.monotonic() + 120
    while request.renewals < 3 and time.monotonic() < ends:
        time.sleep(0.01)
    renewing.close()
    assert request.renewals >= 3
