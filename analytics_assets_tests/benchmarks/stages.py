"""How long the stages of a load took, told by the loader itself."""

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
"""The variable that says when the process was started, in seconds since 1970."""


class Stopwatch:
    """Takes the seconds of one stage after another, from the start of the process on.

    A process that is not started by the benchmark does not know when that was; for it, time begins
    here.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = float(os.environ.get(STARTED) or time.time())

    def end(self, stage: str) -> None:
        """Say that a stage has ended, and the next one begins."""
        now = time.time()
        self.seconds[stage] = now - self._last
        self._last = now


def seconds_in(trace: "PipelineTrace | None") -> dict[str, float]:
    """Return what dlt remembers of the stages of its last run."""
    return {
        step.step: (step.finished_at - step.started_at).total_seconds()
        for step in (trace.steps if trace else ())
        if step.step in STAGES and step.finished_at
    }


def tell(seconds: Mapping[str, float]) -> None:
    """Print the stages as one line of JSON."""
    sys.stdout.write(json.dumps(seconds) + "\n")
