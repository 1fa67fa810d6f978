"""Loading time and memory of the definitions, which each process of Dagster needs first."""

import json
from collections.abc import Mapping

from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.project import Project

SIZES = (10, 100, 500, 1_000)
LOAD = f"{__package__}.load_definitions"


def take(project: Project, size: int) -> Mapping[str, float]:
    """Load the definitions in a process of their own."""
    with project.folder({"resources": size}) as folder:
        usage = folder.run(LOAD)
    figures: dict[str, float] = json.loads(usage.printed.splitlines()[-1])
    return {**figures, "memory MB": usage.peak_bytes / 1e6}


MEASURES = [
    Measure(
        name="definitions",
        title="Loading the definitions",
        counted="resources",
        sizes=SIZES,
        take=take,
        further="each further resource",
    )
]
