"""The sensor that ends dead runs, and repairs what failed runs leave: check results and slots."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from analytics_assets.orchestration.runs.check_results import keep_results_of_failed_runs
from analytics_assets.orchestration.runs.dead_runs import end_dead_runs
from analytics_assets.orchestration.runs.pools import assign_free_slots
from analytics_assets.redaction.errors import errors_redacted

INTERVAL = timedelta(seconds=30)
FIRST_LOOK_BACK = timedelta(days=1)  # of a sensor that never ran
CLOCK_DIFFERENCE = timedelta(minutes=1)  # between this machine and that of a run


def build_dead_run_sensor(api_name: str) -> dg.SensorDefinition:
    """Build the sensor of dead and failed runs; it is on by default.

    Args:
        api_name: the prefix of the sensor's name.
    """

    @dg.sensor(
        name=f"{api_name}_dead_runs",
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process was killed, and assigns free pool slots to steps.",
    )
    @errors_redacted()
    def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now = datetime.now(UTC)
        since = datetime.fromisoformat(context.cursor) if context.cursor else now - FIRST_LOOK_BACK
        ended = end_dead_runs(context.instance)
        keep_results_of_failed_runs(context.instance, api_name, since - CLOCK_DIFFERENCE)
        context.update_cursor(now.isoformat())
        pools = assign_free_slots(context.instance)
        dead = f"Ended {', '.join(ended)}." if ended else "No run is dead."
        freed = f" Assigned free slots of {', '.join(pools)}." if pools else ""
        return dg.SkipReason(dead + freed)

    return dead_runs
