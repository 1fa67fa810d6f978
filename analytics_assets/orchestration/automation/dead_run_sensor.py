"""The sensor that ends dead runs, and assigns the slots of pools that are free."""

from datetime import timedelta

import dagster as dg

from analytics_assets.orchestration.runs.dead_runs import end_dead_runs
from analytics_assets.orchestration.runs.pools import assign_free_slots

INTERVAL = timedelta(seconds=30)


def build_dead_run_sensor(api_name: str) -> dg.SensorDefinition:
    """Build the sensor that ends dead runs and assigns free slots of pools; it is on by default.

    Args:
        api_name: the prefix of the sensor's name.
    """

    @dg.sensor(
        name=f"{api_name}_dead_runs",
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process was killed, and assigns free pool slots to steps.",
    )
    def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end_dead_runs(context.instance)
        pools = assign_free_slots(context.instance)
        dead = f"Ended {', '.join(ended)}." if ended else "No run is dead."
        freed = f" Assigned free slots of {', '.join(pools)}." if pools else ""
        return dg.SkipReason(dead + freed)

    return dead_runs
