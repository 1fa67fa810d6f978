"""Incidents: a problem of a table from its first occurrence until it is over."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import IntEnum, StrEnum
from typing import Any

MOST_PARTITIONS = 100  # failed ranges that are known of one incident


CHECKS = "checks"  # of an asset, where the step itself fails


class Kind(StrEnum):
    """The kinds of incidents, in the words of a message."""

    LOAD = "failed load"
    QUOTA = "quota used up"
    CHECK = "failed check"
    LATE = "late table"
    DRIFT = "schema drift"
    REJECTED = "rejected rows"
    RUN = "failed run"


class Severity(IntEnum):
    """The severities, as policies name them."""

    INFO = 0
    WARNING = 1
    ERROR = 2
    CRITICAL = 3

    @classmethod
    def of(cls, alert: str, is_warning: bool) -> "Severity | None":
        """Return the severity of a finding; None if none is sent.

        Args:
            alert: the policy `alert` of the resource.
            is_warning: True for a finding that only warns.

        Example:
            >>> Severity.of("critical", False).name, Severity.of("critical", True).name
            ('CRITICAL', 'WARNING')
            >>> Severity.of("off", False)
        """
        if alert == "off":
            return None
        severity = cls[alert.upper()]
        return min(severity, cls.WARNING) if is_warning else severity

    @property
    def word(self) -> str:
        """The severity in a message."""
        return self.name.lower()


@dataclass(frozen=True)
class Problem:
    """A finding that something is wrong.

    Args:
        key: identifies the incident that it belongs to.
        kind: its kind.
        asset: the table as `api/resource`, or another asset, step or job.
        severity: the severity by the policy of the resource.
        cause: the first line of the error, or of the result of the check.
        remedy: a sentence or two.
        at: the moment, in seconds since 1970.
        run_id: the run that found it; empty if none did.
        check: the check that failed; empty for other kinds.
        last_partition: the newest partition of a failed load; empty without partitions.
    """

    key: str
    kind: Kind
    asset: str
    severity: Severity
    cause: str
    remedy: str
    at: float
    run_id: str = ""
    check: str = ""
    last_partition: str = ""


@dataclass(frozen=True)
class Success:
    """A finding that something is right.

    Args:
        key: identifies the incident that is over with it.
        at: the moment, in seconds since 1970.
        run_id: the run that found it; empty if none did.
        partitions: the first and the newest partition of a load; empty without partitions.
    """

    key: str
    at: float
    run_id: str = ""
    partitions: tuple[str, str] | None = None

    def covers(self, partition: str) -> bool:
        """Return True if a failed load up to a partition is over with this one."""
        if not partition or not self.partitions or len(partition) != len(self.partitions[1]):
            return True
        first, last = self.partitions
        return first <= partition <= last


@dataclass(frozen=True)
class Incident:
    """An incident that is not over.

    Args:
        problem: its first problem, with the highest severity so far.
        partitions: the newest partitions of its failed loads.
        is_reported: True once a message about it, with this severity, has been written.
        is_known: True once any message about it has been written.
        is_held: True if it waits for the end of quiet hours.
    """

    problem: Problem
    partitions: tuple[str, ...] = ()
    is_reported: bool = False
    is_known: bool = False
    is_held: bool = False

    @classmethod
    def of(cls, problem: Problem) -> "Incident":
        """Return the incident of its first problem."""
        return cls(problem, (problem.last_partition,) if problem.last_partition else ())

    @property
    def key(self) -> str:
        """Identifies the incident."""
        return self.problem.key

    def with_problem(self, problem: Problem) -> "Incident":
        """Return the incident after another problem of it; a higher severity is reported again."""
        partitions = self.partitions
        if problem.last_partition and problem.last_partition not in partitions:
            partitions = (*partitions, problem.last_partition)[-MOST_PARTITIONS:]
        if problem.severity <= self.problem.severity:
            return replace(self, partitions=partitions)
        risen = replace(problem, at=self.problem.at)
        return replace(self, problem=risen, partitions=partitions, is_reported=False)

    def after(self, success: Success) -> "Incident | None":
        """Return what is left of the incident after a success; None if it is over."""
        if not self.partitions:
            return None
        left = tuple(each for each in self.partitions if not success.covers(each))
        return replace(self, partitions=left) if left else None

    def as_json(self) -> dict[str, Any]:
        """Return the incident as values of JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Incident":
        """Return a stored incident."""
        problem = dict(stored["problem"])
        problem["kind"], problem["severity"] = (
            Kind(problem["kind"]),
            Severity(problem["severity"]),
        )
        return cls(
            Problem(**problem),
            tuple(stored["partitions"]),
            stored["is_reported"],
            stored["is_known"],
            stored["is_held"],
        )


def late_key(asset: str) -> str:
    """Return the key of the incident of a late table."""
    return f"late:{asset}"


def run_key(job: str) -> str:
    """Return the key of the incident of a job that fails outside of its steps."""
    return f"run:{job}"


def load_key(asset: str) -> str:
    """Return the key of the incident of an asset that is not loaded."""
    return f"load:{asset}"


def check_key(asset: str, check: str) -> str:
    """Return the key of the incident of a failed check."""
    return f"check:{asset}:{check}"
