"""The results of the check `reachable` of endpoints that a sensor asks."""

import dagster as dg

from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.assets.observation import report_reachable
from analytics_assets.orchestration.compat import observed_assets
from analytics_assets.orchestration.keys import endpoint_key

SENSOR = "The new-data sensor"
MOST_OBSERVED = 1000  # since the last tick; after more, the results of all are looked up


class ReachableChecks:
    """Reports a result once it differs from the last one, whoever has reported that.

    Dagster takes a query for each result. One is looked up once in a process, and again once a load
    or *Observe* has observed the endpoint. These report the result just before or after their
    observation, so that those between the last two ticks are looked up once more.
    """

    def __init__(self) -> None:
        self._passed: dict[dg.AssetKey, bool] = {}
        self._before_last = self._last = 0  # the numbers of observations

    def update(self, instance: dg.DagsterInstance) -> None:
        """Forget the results of endpoints that others have observed.

        Args:
            instance: holds the event log.
        """
        observed = observed_assets(instance, self._before_last, MOST_OBSERVED)
        if len(observed) < MOST_OBSERVED:
            for asset in observed.values():
                self._passed.pop(asset, None)
        else:
            self._passed.clear()
        self._before_last, self._last = self._last, max([self._last, *observed])

    def report(
        self, instance: dg.DagsterInstance, resource: Resource, refusal: str | None = None
    ) -> None:
        """Report the result of the check of an endpoint.

        Args:
            instance: holds the event log.
            resource: the resource.
            refusal: the reason why it cannot be read; None if it can.
        """
        key, passed = endpoint_key(resource), refusal is None
        if self._passed.get(key) != passed:
            report_reachable(instance, resource, SENSOR, refusal)
            self._passed[key] = passed
