"""Ticks of the sensors of a project with many resources, whose API takes its time."""

import json
from collections.abc import Mapping

from analytics_assets_tests.project.benchmarks.scale.api_server import serving
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.project import Project

SIZES = (10, 100, 500)
DELAY = 0.1  # seconds of an answer
TICKS = f"{__package__}.sensor_ticks"


def take(project: Project, size: int, delay: float = DELAY) -> Mapping[str, float]:
    """Evaluate the sensors in a process, while nothing is loaded."""
    with (
        serving(delay) as url,
        project.folder({"url": f"{url}/10x1/", "resources": size}) as folder,
    ):
        usage = folder.run(TICKS, url, str(size))
    figures: dict[str, float] = json.loads(usage.printed.splitlines()[-1])
    return figures


MEASURES = [
    Measure(
        name="sensor",
        title="Ticks of the sensors, 100 ms an answer",
        counted="resources",
        further="each further resource",
        sizes=SIZES,
        take=take,
    )
]
