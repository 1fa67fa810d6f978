"""The endpoints that a sensor watches: asked side by side at each tick."""

import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause
from analytics_assets.config.settings.request import SHORT_TIMEOUT, single_attempt
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.errors import QuotaError
from analytics_assets.extract.sampling.newest_changes import NewestChanges
from analytics_assets.orchestration.automation.new_data.changes import (
    Moved,
    Refusal,
    change_of,
    concerns_all,
    newest_read,
    reason_of,
)
from analytics_assets.orchestration.automation.new_data.loaded_changes import LoadedChanges
from analytics_assets.orchestration.automation.new_data.reachable_checks import ReachableChecks
from analytics_assets.orchestration.automation.new_data.requested_runs import (
    RequestedRuns,
    change_name,
)

ASKED_WITHIN = 18.0  # seconds of a tick in which requests begin; each ends within SHORT_TIMEOUT
NEXT = ".next"  # in the cursor: the endpoint with which the next tick begins

Window = tuple[Resource, tuple[str, ...]]  # of partitions; empty for a resource without
Outcome = Moved | Refusal | str


class Endpoints:
    """The endpoints of an API; what a tick has looked up serves the ticks after it.

    Args:
        api: the API.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._newest, self._loaded = NewestChanges(), LoadedChanges()
        self._reachable = ReachableChecks()
        self._failed = set[str]()  # those that could not be read when they were asked last

    def in_turn(self, windows: Sequence[Window], first: str | None) -> Sequence[Window]:
        """Return the endpoints in the order in which to ask them.

        Those that failed are the last ones: some may take all the time of a tick, each time.

        Args:
            windows: the endpoints, each with the partitions to ask for.
            first: the one that the last tick has left to this one; None if it has left none.
        """
        names = [change_name(*each) for each in windows]
        self._failed &= set(names)
        if first in names:
            place = names.index(first)
            return [*windows[place:], *windows[:place]]
        return sorted(windows, key=lambda each: change_name(*each) in self._failed)

    def ask(
        self,
        instance: dg.DagsterInstance,
        windows: Sequence[Window],
        cursor: dict[str, str],
        runs: RequestedRuns,
    ) -> list[Outcome]:
        """Return what is to be loaded, what refuses, and the reasons why the others are not loaded.

        Endpoints that have not answered in time are the first ones of the next tick.

        Args:
            instance: holds the event log.
            windows: the endpoints, the first one first, each with the partitions to ask for.
            cursor: the newest change that runs of the sensor have loaded, by name; gets the place
                at which the next tick begins, if this one asks for less than all.
            runs: the runs that the sensor has requested.

        Returns:
            The outcomes in the order of `windows`, behind the number of those that were not asked.
        """
        by_name = {change_name(*each): each for each in windows}
        reads = {name: partial(newest_read, *each) for name, each in by_name.items()}
        in_tables = self._loaded.newest(instance, windows)
        self._reachable.update(instance)
        found: dict[str, Outcome] = {}
        # by resource: of several windows, one may be read and another refused
        reachable: dict[str, Refusal | None] = {}
        is_down = has_answered = False
        try:
            settings = single_attempt(SHORT_TIMEOUT)
            until = time.monotonic() + ASKED_WITHIN
            with (
                closing(
                    connect(self._api.config["client"], self._api.name, settings)
                ) as connection,
                closing(
                    self._newest.fetch(reads, connection, until, until + SHORT_TIMEOUT)
                ) as answers,
            ):
                for name, newest in answers:
                    resource, window = by_name[name]
                    if not isinstance(newest, Exception):
                        has_answered = True
                        self._failed.discard(name)
                        in_table = in_tables.get(name)
                        found[name] = change_of(*(resource, window, newest, in_table, cursor, runs))
                        reachable.setdefault(resource.name, None)
                        continue
                    found[name] = reason = reason_of(newest, name)
                    if not find_cause(newest, QuotaError):  # which another one has used up
                        self._failed.add(name)
                    if is_down := concerns_all(newest, has_answered):
                        break
                    has_answered = has_answered or not concerns_all(newest, False)
                    if isinstance(reason, Refusal):
                        reachable[resource.name] = reason
        except AnalyticsAssetsError as error:  # of a setting, before any request
            return [reason_of(error, self._api.name)]
        for resource in {each.name: each for each, _ in windows if each.name in reachable}.values():
            self._reachable.report(instance, resource, reachable[resource.name])
        outcomes = [found[name] for name in by_name if name in found]
        left = [name for name in by_name if name not in found]
        if left and not is_down:
            cursor[NEXT] = left[0]
            outcomes.insert(0, f"{len(left)} more are asked at the next tick.")
        return outcomes
