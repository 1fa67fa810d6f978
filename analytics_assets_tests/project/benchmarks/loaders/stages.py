"""Durations of the stages of a load, measured by the loader itself."""

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the floor loads without dlt
    from dlt.pipeline.trace import PipelineTrace

STAGES = ("import", "extract", "normalize", "load")
STARTED = "BENCHMARK_STARTED"
"""The variable with the start of the process, in seconds since 1970."""


class Stopwatch:
    """Measures one stage after another, from the start of the process on.

    In a process that the benchmark did not start, time begins here.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = float(os.environ.get(STARTED) or time.time())

    def end(self, stage: str) -> None:
        """End a stage, and begin the next one."""
        now = time.time()
        self.seconds[stage] = now - self._last
        self._last = now


def seconds_in(trace: "PipelineTrace | None") -> dict[str, float]:
    """Return the seconds of each stage in the trace of dlt's last run."""
    return {
        step.step: (step.finished_at - step.started_at).total_seconds()
        for step in (trace.steps if trace else ())
        if step.step in STAGES and step.finished_at
    }


def print_stages(seconds: Mapping[str, float]) -> None:
    """Print the stages as one line of JSON."""
    sys.stdout.write(json.dumps(seconds) + "\n")
