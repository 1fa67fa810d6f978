"""The sensor that keeps the state of runs, pools and checks right, once for the whole project."""

import json
import time
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from analytics_assets.config.api import Api
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.load import Partitioned
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.orchestration.automation.compat import ScheduleSwitches
from analytics_assets.orchestration.automation.freshness import changed_freshness
from analytics_assets.orchestration.automation.kept_switches import keep_switches
from analytics_assets.orchestration.compat import read_migrations_once, reuse_engines
from analytics_assets.orchestration.partitions.takeover import Takeovers
from analytics_assets.orchestration.runs.check_results import keep_results_of_failed_run
from analytics_assets.orchestration.runs.liveness.dead_runs import end_dead_runs, watch_of
from analytics_assets.orchestration.runs.pools import assign_free_slots, pools_of
from analytics_assets.redaction.errors import errors_redacted

NAME = "housekeeping"
INTERVAL = timedelta(seconds=30)
FRESHNESS_INTERVAL = timedelta(minutes=5)  # between two looks at the newest partition of a table
FIRST_LOOK_BACK = timedelta(days=1)  # of a sensor that never ran
CLOCK_DIFFERENCE = timedelta(minutes=1)  # between this machine and that of a run
MOST_POOLS = 50  # that a tick looks at
MOST_RUNS = 100  # failed ones that a tick looks at
KEPT_WITHIN = 15.0  # seconds of a tick for results of checks; a run of 500 resources has thousands
LEASES = "leases"  # in the cursor: those that were not renewed between two ticks
RUNS_UNTIL = "runs_until"  # in the cursor: up to when failed runs were looked at
NOTHING_TO_DO = "No run is dead, no slot is free for a waiting step, no freshness has changed."


class HousekeepingError(AnalyticsAssetsError):
    """Steps of a tick have failed; the others were taken."""


def build_housekeeping_sensor(
    apis: Sequence[Api], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> dg.SensorDefinition:
    """Build the sensor; it is on by default.

    Each tick takes all its steps, whichever of them fails, and fails then with the errors. The
    newest partitions of tables are looked at in turn, each every five minutes.

    Args:
        apis: the APIs of the project.
        clock: returns the present moment.
    """
    resources = [each for api in apis for each in api.resources.values()]
    turns, takeovers = _Turns(resources), Takeovers(resources)
    names = {api.name for api in apis}
    progress = _Progress()

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Leave it on. Marks runs as failed whose process was killed, gives free pool slots to "
            "steps that wait, restores the last results of checks that a failed run did not run, "
            "records partitions that another Dagster instance has loaded into the warehouse, "
            "fails the check newest_partition of tables whose partition is due and missing, "
            "switches schedules on that were on under another name, and removes old runs from the "
            "history."
        ),
    )
    @errors_redacted()
    def housekeeping(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        read_migrations_once()
        instance, now = context.instance, clock()
        reuse_engines(instance)
        done, failed = list[str](), list[str]()
        until = time.monotonic() + KEPT_WITHIN

        @contextmanager
        def step(name: str) -> Iterator[None]:
            try:
                yield
            except Exception as error:
                context.log.exception(f"{name} failed.")
                failed.append(f"{name}: {type(error).__name__}: {error}")

        watch = watch_of(instance)
        with step("Dead runs"):
            # Dagster's daemon takes a new process every minute if it starts the code location
            watch.recall(json.loads(context.cursor or "{}").get(LEASES, {}))
            dead = end_dead_runs(instance, until, watch)
            done += [f"Ended run {run_id}, which was dead." for run_id in dead]
        runs = progress.failed_runs(instance, context.cursor, now)
        for record in runs:
            run_id, is_kept = record.dagster_run.run_id, True
            with step(f"Results of the checks of run {run_id}"):
                is_kept = keep_results_of_failed_run(instance, run_id, names, until)
            if not is_kept:
                progress.until = record.update_timestamp
                break
        with step("Pools"):
            some = progress.pools(pools_of(instance))
            freed = assign_free_slots(instance, some)
            done += [f"Gave a free slot of pool {pool}." for pool in freed]
        with step("Loaded partitions"):
            done += takeovers.tick(instance, now, until)
        for resource in turns.take(now):
            with step(f"Freshness of {resource.full_name}"):
                if change := changed_freshness(instance, resource, now):
                    instance.report_runless_asset_event(change)
                    is_now = "fresh" if change.passed else "late"
                    done.append(f"{resource.full_name} is {is_now}.")
        with step("Switches of schedules"):
            origin = context.code_location_origin
            location = origin.location_name if origin else None
            switches = ScheduleSwitches(instance, NAME, location)
            if switches.key and context.repository_def:
                existing = {each.name for each in context.repository_def.schedule_defs}
                kept = keep_switches(instance, switches, existing, apis, now.timestamp())
                done += kept.switched
                failed += kept.undecided
        with step("History"):
            # with SQLAlchemy, which loading does without
            from analytics_assets.orchestration.automation.retention.trimming import trim_history

            if removed := str(trim_history(instance, apis, now)):
                done.append(removed)
        if failed:
            raise HousekeepingError("\n".join(failed))
        cursor: dict[str, Any] = {RUNS_UNTIL: progress.until.isoformat()}
        if unchanged := watch.unchanged:
            cursor[LEASES] = unchanged
        context.update_cursor(json.dumps(cursor))
        return dg.SkipReason(" ".join(done) or NOTHING_TO_DO)

    return housekeeping


class _Progress:
    """The moment up to which failed runs were looked at, and the pool that was looked at last.

    Dagster 1.13 drops the cursor of a tick that fails, so that the process keeps both.
    """

    def __init__(self) -> None:
        self.until = datetime.min.replace(tzinfo=UTC)
        self._last_pool = ""

    def pools(self, known: Sequence[str]) -> list[str]:
        """Return the pools to look at in this tick: those behind the ones of the last tick.

        Args:
            known: all pools, sorted.
        """
        start = bisect(known, self._last_pool)
        some = [*known[start:], *known[:start]][:MOST_POOLS]
        self._last_pool = some[-1] if some else ""
        return some

    def failed_runs(
        self, instance: dg.DagsterInstance, cursor: str | None, now: datetime
    ) -> Sequence[dg.RunRecord]:
        """Return the runs that failed since the last tick, the oldest first, at most some.

        Args:
            instance: holds the runs.
            cursor: the cursor of the last tick that succeeded.
            now: the moment.
        """
        stored = datetime.fromisoformat(json.loads(cursor)[RUNS_UNTIL]) if cursor else None
        since = max(stored or now - FIRST_LOOK_BACK, self.until)
        failed = dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since - CLOCK_DIFFERENCE
        )
        runs = instance.get_run_records(
            failed, limit=MOST_RUNS, order_by="update_timestamp", ascending=True
        )
        self.until = runs[-1].update_timestamp if len(runs) == MOST_RUNS else now
        return runs


class _Turns:
    """Takes turns among partitioned resources, so that no tick asks for all of them.

    A new process starts with all; nothing is lost by it.

    Args:
        resources: the resources of all APIs.
    """

    def __init__(self, resources: Sequence[ResourceConfig]) -> None:
        partitioned = [each for each in resources if isinstance(each.policy.load, Partitioned)]
        self._waiting = [(datetime.min.replace(tzinfo=UTC), each) for each in partitioned]
        self._at_once = -(-len(partitioned) // (FRESHNESS_INTERVAL // INTERVAL))

    def take(self, now: datetime) -> list[ResourceConfig]:
        """Return the resources to look at in this tick, those that waited longest first."""
        taken = [
            each
            for last, each in self._waiting[: self._at_once]
            if last <= now - FRESHNESS_INTERVAL
        ]
        self._waiting = self._waiting[len(taken) :] + [(now, each) for each in taken]
        return taken
