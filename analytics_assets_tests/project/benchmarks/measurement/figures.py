"""Time and memory of one run of a loader, and the medians of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from analytics_assets_tests.project.benchmarks.loaders.stages import STAGES


@dataclass(frozen=True)
class Measurement:
    """Time and memory of a run.

    Args:
        rows: rows that it loaded, all tables together.
        seconds: from the start of the process to its end.
        cpu_seconds: of all its threads and processes, user and system.
        peak_bytes: peak memory of its largest process.
        stages: seconds per stage, as the loader measures them.
    """

    rows: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    stages: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """The medians of the runs of one loader in one case.

    Args:
        runs: one or more.
    """

    runs: Sequence[Measurement]

    @property
    def seconds(self) -> float:
        """From the start of the process to its end."""
        return median(run.seconds for run in self.runs)

    @property
    def rows_per_second(self) -> float:
        """Rows divided by the seconds of the whole process."""
        return self.runs[0].rows / self.seconds

    @property
    def cpu_seconds(self) -> float:
        """Of all threads and processes, user and system."""
        return median(run.cpu_seconds for run in self.runs)

    @property
    def rows_per_cpu_second(self) -> float:
        """Rows divided by these seconds."""
        return self.runs[0].rows / self.cpu_seconds

    @property
    def peak_megabytes(self) -> float:
        """Peak memory in millions of bytes."""
        return median(run.peak_bytes for run in self.runs) / 1e6

    @property
    def stages(self) -> dict[str, float]:
        """Seconds per stage, of those that the loader measures."""
        return {
            stage: median(run.stages[stage] for run in self.runs)
            for stage in STAGES
            if all(stage in run.stages for run in self.runs)
        }
