"""The progress of a pass through the history, and the outcome of one of its steps."""

from dataclasses import dataclass
from enum import StrEnum

from analytics_assets.config.text.quantities import count


class Part(StrEnum):
    """The parts of a pass, in their order: runs whose checks have no newer result stay."""

    CHECKS = "results of checks"
    RUNS = "runs"
    WITHOUT_RUN = "events without a run"
    LOGS = "logs"
    ENDED = "ended"


@dataclass(frozen=True)
class Progress:
    """The progress of a pass through the history, stored between two steps.

    Args:
        before: the moment before which history is old, as text, in UTC.
        part: the part.
        after: the number behind which rows are looked at, or the name of a folder of logs.
        checks_until: the number of the last old result of a check.
    """

    before: str
    part: Part = Part.CHECKS
    after: int | str = 0
    checks_until: int = 0


@dataclass
class Trimmed:
    """The outcome of a step."""

    runs: int = 0
    events: int = 0
    results: int = 0

    def __str__(self) -> str:
        """The outcome as a sentence; empty if nothing was old."""
        found = [
            count(number, noun)
            for number, noun in (
                (self.runs, "run"),
                (self.events, "event"),
                (self.results, "check result"),
            )
            if number
        ]
        return f"Removed {', '.join(found)} from the history." if found else ""
