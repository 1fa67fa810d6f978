"""Keepers of leases that renew them when a test says so, and leave no thread behind."""

from analytics_assets.orchestration.runs.liveness.compat import LeaseTable
from analytics_assets.orchestration.runs.liveness.lease import LeaseKeeper, LeaseKey


class StillKeeper(LeaseKeeper):
    """Keeps the leases of this process."""

    def hold(self, key: LeaseKey, table: LeaseTable) -> None:
        """Store a lease."""
        super().hold(key, table)
        self._wake.set()  # ends the thread


class ElsewhereKeeper(StillKeeper):
    """Keeps the leases of a process on another machine."""

    def __init__(self, machine: str = "another machine", process: int = 1) -> None:
        super().__init__()
        self._details = f'["{machine}", "elsewhere", {process}, "0"]'
