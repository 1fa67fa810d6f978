"""The sensor that ends dead runs."""

from datetime import timedelta

import dagster as dg

from analytics_assets.orchestration.runs.dead_runs import end_dead_runs

INTERVAL = timedelta(seconds=30)


def build_dead_run_sensor(api_name: str) -> dg.SensorDefinition:
    """Build the sensor that marks runs as failed whose process is gone; it is on by default.

    Args:
        api_name: the prefix of the sensor's name.
    """

    @dg.sensor(
        name=f"{api_name}_dead_runs",
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs as failed whose process was killed, which frees their pool slots.",
    )
    def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end_dead_runs(context.instance)
        return dg.SkipReason(f"Ended {', '.join(ended)}." if ended else "No run is dead.")

    return dead_runs
