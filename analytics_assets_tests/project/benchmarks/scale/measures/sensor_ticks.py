"""Ticks of the new-data sensor until each endpoint was asked, and of the project's other sensors.

Run in a project; prints the figures as JSON.
"""

import json
import sys
import time
from typing import Any

import dagster as dg

from analytics_assets.definitions import definitions
from analytics_assets_tests.project.benchmarks.scale.api_server import requests_of

NEW_DATA = "scale_new_data"
OTHERS = ("housekeeping", "alerts")
MOST_TICKS = 20


def main(url: str, resources: int) -> None:
    """Evaluate the sensors against an API."""
    made: Any = definitions
    repository = (made if isinstance(made, dg.Definitions) else made()).get_repository_def()
    with dg.DagsterInstance.get() as instance:
        figures = _rounds(instance, repository, url, resources)
        for name in OTHERS:
            sensor = repository.get_sensor_def(name)
            cursor = None
            for _ in range(2):  # the second one has nothing to look up for the first time
                with dg.build_sensor_context(
                    instance, cursor, repository_def=repository
                ) as context:
                    began = time.process_time()
                    cursor = sensor.evaluate_tick(context).cursor
                    figures[f"tick of {name}, CPU s"] = time.process_time() - began
    sys.stdout.write(json.dumps(figures))


def _rounds(instance: Any, repository: Any, url: str, resources: int) -> dict[str, float]:
    sensor, cursor, seconds = repository.get_sensor_def(NEW_DATA), None, list[float]()
    began, runs = time.process_time(), 0
    while requests_of(url) < resources and len(seconds) < MOST_TICKS:
        with dg.build_sensor_context(instance, cursor, repository_def=repository) as context:
            start = time.perf_counter()
            data = sensor.evaluate_tick(context)
            seconds.append(time.perf_counter() - start)
        cursor = data.cursor
        runs += len(data.run_requests or ())
    return {
        "longest tick, s": max(seconds),
        "all ticks until each is asked, s": sum(seconds),
        "all ticks, CPU s": time.process_time() - began,
        "ticks": len(seconds),
        "requests": requests_of(url),
        "runs requested": runs,
    }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
