"""The new-data sensor, tick by tick, and the runs that it requests."""

import json
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.resource import LOAD_HEALTH
from analytics_assets.contract.resource import resources_of
from analytics_assets.defs.analytics.api import API
from analytics_assets.orchestration.automation.new_data.requested_runs import (
    NEWEST_TAG,
)
from analytics_assets.orchestration.automation.new_data.sensor import build_new_data_sensors
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.metadata.names import (
    NEWEST_CHANGE,
)
from analytics_assets.orchestration.runs.tags import RANGE_END, RANGE_START
from analytics_assets_tests.support.loading import load
from analytics_assets_tests.support.sandbox import Sandbox


class Ticker:
    """Evaluates the sensor as the daemon does, from cursor to cursor."""

    def __init__(self, instance: dg.DagsterInstance, sandbox: Sandbox, api: Api = API) -> None:
        self.instance = instance
        self._sandbox = sandbox
        self._api = api
        self.cursor: str | None = None
        self.skipped = ""
        self._definitions = build_definitions(api)
        [self._sensor] = build_new_data_sensors(api, resources_of(api), self._now)

    def tick(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=self._definitions
        )
        data = self._sensor.evaluate_tick(context)
        self.cursor, self.skipped = data.cursor, data.skip_message or ""
        return list(data.run_requests or [])

    def request(self, *resources: str) -> dg.RunRequest:
        """Return the request of a run that loads these resources, and evaluate a tick for it."""
        found = [each for each in self.tick() if names(each) == set(resources)]
        assert len(found) == 1
        return found[0]

    def _now(self) -> datetime:
        """Return six o'clock of the API's day."""
        return datetime.combine(self._sandbox.today, time(6), UTC)

    def changes(self) -> dict[str, str]:
        """Return the newest change of each resource in the cursor."""
        changes: dict[str, str] = json.loads(self.cursor or "{}")
        return changes

    def run(self, request: dg.RunRequest) -> bool:
        """Execute a requested run."""
        return load(
            self.instance,
            *(key.path[-1] for key in loaded_by(request)),
            api=self._api,
            tags=request.tags,
        ).success

    def record(self, request: dg.RunRequest, succeeds: bool = True) -> None:
        """Record a requested run, and what it has loaded, without executing it."""
        run = self.instance.create_run_for_job(
            job,
            tags=dict(request.tags),
            status=dg.DagsterRunStatus.SUCCESS if succeeds else dg.DagsterRunStatus.STARTED,
        )
        if not succeeds:
            self.instance.report_run_failed(run)
            return
        newest: dict[str, str] = json.loads(request.tags[NEWEST_TAG])
        for key in loaded_by(request):
            [moment] = [moment for name, moment in newest.items() if key.path[-1] in name]
            for partition in self._days(request) or [None]:
                metadata = {NEWEST_CHANGE: moment}
                event = dg.AssetMaterialization(key, partition=partition, metadata=metadata)
                self.instance.report_runless_asset_event(event)

    def _days(self, request: dg.RunRequest) -> list[str | None]:
        """Return the days of a requested run."""
        if RANGE_START not in request.tags:
            return []
        first, last = (date.fromisoformat(request.tags[tag]) for tag in (RANGE_START, RANGE_END))
        return [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]


def names(*requests: dg.RunRequest) -> set[str]:
    """Return the resources of requested runs."""
    return {key.path[-1] for request in requests for key in loaded_by(request)}


def loaded_by(request: dg.RunRequest) -> list[dg.AssetKey]:
    """Return the tables that a requested run loads, without the record of its loads."""
    return [key for key in request.asset_selection or [] if key.path[-1] != LOAD_HEALTH]


@dg.job
def job() -> None:
    """A job whose runs are recorded, but not executed."""
