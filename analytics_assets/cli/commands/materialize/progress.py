"""The progress of the command: its runs, and the loads of each resource in them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count, number
from analytics_assets.orchestration.partitions.due import DueRun
from analytics_assets.orchestration.runs.progress import ACTIVE, FAILED, LoadProgress

QUEUED, LOADED, NONE_DUE = "queued", "loaded", "nothing is due"


@dataclass
class ResourceProgress:
    """The loads of one resource.

    Args:
        name: the resource with its API.
        runs: the number of runs that load it.
        partitions: the number of partitions to load; 0 if it has none.
        loads: those that have begun.
    """

    name: str
    runs: int = 0
    partitions: int = 0
    loads: list[LoadProgress] = field(default_factory=list)

    @property
    def is_under_way(self) -> bool:
        """True if a load has begun and not ended."""
        return bool(self.loads) and not self.loads[-1].has_ended

    @property
    def is_over(self) -> bool:
        """True if all loads have ended."""
        return len(self.loads) >= self.runs and not self.is_under_way

    @property
    def has_failed(self) -> bool:
        """True if a load has failed."""
        return any(load.stage == FAILED for load in self.loads)

    @property
    def rows(self) -> int:
        """Rows of all loads so far."""
        return sum(load.rows for load in self.loads)

    @property
    def pages(self) -> int:
        """Pages of all loads so far."""
        return sum(load.pages for load in self.loads)

    @property
    def seconds(self) -> float:
        """Seconds of all loads so far."""
        return sum(load.seconds for load in self.loads)

    @property
    def state(self) -> str:
        """The stage of the load that is under way, or the outcome, in a few words."""
        if not self.runs:
            return NONE_DUE
        if not self.is_under_way:
            outcome = "failed" if self.has_failed else LOADED
            return f"{outcome if self.is_over else QUEUED}{self._partitions_loaded}"
        load = self.loads[-1]
        if load.holder:
            return f"waits for {load.holder}"
        text = ACTIVE.get(load.stage, load.stage)
        if load.rows < load.expected:
            text += f" {load.rows / load.expected:.0%} of {count(load.expected, 'row')}"
        text += f", pass {load.void_passes + 1}" if load.void_passes else ""
        waits = f"; waits for {load.waits_for}" if load.waits_for else ""
        return f"{text}{self._partitions_loaded}{waits}"

    @property
    def _partitions_loaded(self) -> str:
        if not self.partitions:
            return ""
        ended = [load for load in self.loads if load.has_ended and load.stage != FAILED]
        loaded = sum(len(load.partitions) for load in ended)
        return f" ({number(loaded)} of {count(self.partitions, 'partition')})"


class CommandProgress:
    """The progress of the command.

    Args:
        resources: the resources to load.
        say: takes a sentence about each part of the command that may last.
    """

    def __init__(
        self, resources: Sequence[ResourceConfig], say: Callable[[str], None] = lambda line: None
    ) -> None:
        self.resources = {each.full_name: ResourceProgress(each.full_name) for each in resources}
        self.phase, self.is_planned = "", False
        self._say, self.begun_at = say, monotonic()
        self._has_loads = self._has_loaded = False

    def begin(self, phase: str, *, is_short: bool = False, has_loads: bool = False) -> None:
        """Begin a part of the command.

        Args:
            phase: a sentence about it.
            is_short: True to show it, but not to say it.
            has_loads: True if it is a run that loads resources.
        """
        self.phase, self._has_loads, self._has_loaded = phase, has_loads, False
        if not is_short:
            self._say(f"{phase} ...")

    def plan(self, due: Iterable[DueRun]) -> None:
        """Note the runs that are due."""
        for run in due:
            for resource in run.resources:
                progress = self.resources[resource.full_name]
                progress.runs += 1
                progress.partitions += len(run.partitions)
        self.is_planned = True

    def leave_out(self, names: Iterable[str]) -> None:
        """Note that a run that was due leaves resources out."""
        for name in names:
            self.resources[name].runs -= 1

    def watch(self, load: LoadProgress) -> None:
        """Add a load that begins."""
        self.resources[load.resource.full_name].loads.append(load)
        self._has_loaded = True

    @property
    def seconds(self) -> float:
        """Seconds since the begin of the command."""
        return monotonic() - self.begun_at

    @property
    def title(self) -> str:
        """The part that is under way; of a run that loads nothing now, its work."""
        if self.under_way or not self._has_loads:
            return self.phase
        return f"{self.phase}: {'runs the checks' if self._has_loaded else 'prepares the run'}"

    @property
    def under_way(self) -> list[ResourceProgress]:
        """The resources that are loaded now."""
        return [each for each in self.resources.values() if each.is_under_way]
