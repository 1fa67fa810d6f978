"""The ledger of incidents: findings in, incidents that begin and end out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from analytics_assets.orchestration.automation.alerts.incident import (
    Incident,
    Problem,
    Severity,
    Success,
)

Finding = Problem | Success


@dataclass(frozen=True)
class Ended:
    """An incident that is over.

    Args:
        incident: the incident.
        at: the moment of its end, in seconds since 1970.
        run_id: the run that ended it; empty if none did.
        is_held: True if it waits for the end of quiet hours.
    """

    incident: Incident
    at: float
    run_id: str
    is_held: bool = False


@dataclass
class Ledger:
    """The open incidents, and those that ended and are not reported yet.

    Args:
        open: the open incidents by their keys.
        ended: those that were reported as open and are over, by their keys.
    """

    open: dict[str, Incident] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)

    def record(self, findings: Iterable[Finding]) -> None:
        """Record findings, in the order in which they were made.

        Args:
            findings: the findings; a success without an open incident changes nothing.
        """
        for finding in findings:
            known = self.open.get(finding.key)
            if isinstance(finding, Problem):
                self.open[finding.key] = (
                    known.with_problem(finding) if known else self._begun(finding)
                )
            elif known:
                left = known.after(finding)
                if left:
                    self.open[finding.key] = left
                    continue
                del self.open[finding.key]
                if known.is_known:
                    self.ended[finding.key] = Ended(known, finding.at, finding.run_id)

    def _begun(self, problem: Problem) -> Incident:
        """Return the incident of a problem: the one before, if its end is not reported yet."""
        ended = self.ended.pop(problem.key, None)
        if ended is None:
            return Incident.of(problem)
        return replace(Incident.of(problem), is_reported=True, is_known=True)

    def forget(self, keys: Iterable[str]) -> None:
        """Drop incidents without a message: of tables that no longer exist, or are not alerted."""
        for key in list(keys):
            self.open.pop(key, None)
            self.ended.pop(key, None)

    def due(self, is_quiet: Callable[[Problem], bool]) -> tuple[list[Incident], list[Ended]]:
        """Return the incidents that are to be reported now, and mark them as reported.

        Args:
            is_quiet: returns True for a problem that is held, unless it is critical.

        Returns:
            The open incidents and the ended ones, with the mark of those that were held.
        """
        begun, over = list[Incident](), list[Ended]()
        for key, incident in list(self.open.items()):
            if incident.is_reported:
                continue
            if incident.problem.severity < Severity.CRITICAL and is_quiet(incident.problem):
                self.open[key] = replace(incident, is_held=True)
                continue
            begun.append(incident)
            self.open[key] = replace(incident, is_reported=True, is_known=True, is_held=False)
        for key, ended in list(self.ended.items()):
            problem = ended.incident.problem
            if problem.severity < Severity.CRITICAL and is_quiet(problem):
                self.ended[key] = replace(ended, is_held=True)
                continue
            over.append(ended)
            del self.ended[key]
        return begun, over

    @property
    def problems(self) -> Sequence[Problem]:
        """The problems of the open incidents, the oldest first."""
        return sorted((each.problem for each in self.open.values()), key=lambda each: each.at)
