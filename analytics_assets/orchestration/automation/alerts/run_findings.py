"""Findings of events: the loads and checks of a run that has ended, and results without a run."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster import DagsterEventType

from analytics_assets.orchestration.assets.errors import QUOTA_USED_UP
from analytics_assets.orchestration.automation.alerts.cause import (
    cause_of,
    check_cause,
    check_kind,
    remedy_of,
)
from analytics_assets.orchestration.automation.alerts.event_log import EndedRun
from analytics_assets.orchestration.automation.alerts.incident import (
    Kind,
    Problem,
    Severity,
    Success,
)
from analytics_assets.orchestration.automation.alerts.lateness import late_key
from analytics_assets.orchestration.automation.alerts.ledger import Finding
from analytics_assets.orchestration.metadata.names import CAUSE
from analytics_assets.orchestration.runs.check_results import NOT_RUN, RESULT_OF_RUN
from analytics_assets.orchestration.runs.run_events import RunEvent, cause_of_failure
from analytics_assets.orchestration.runs.tags import PARTITION, RANGE_END

READ = {
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_CHECK_EVALUATION,
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.STEP_SKIPPED,
    DagsterEventType.STEP_SUCCESS,
}
REASON, STEP_FAILED = "dagster/run_failure_reason", "STEP_FAILURE"
CHECKS = "checks"  # of an asset, where the step itself fails
DEFAULT_LEVEL = "error"  # of assets without a policy


@dataclass(frozen=True)
class Scope:
    """The assets that are alerted, and the severity of alerts about them.

    Args:
        levels: the policy `alert` of each resource, by `api/resource`.
        others: further assets of the project; None if all others belong to it.
        jobs: the jobs of the project; None if all belong to it.
        checks: the checks of the project, each after its asset; None if all belong to it.
    """

    levels: Mapping[str, str]
    others: Collection[str] | None = None
    jobs: Collection[str] | None = None
    checks: Collection[tuple[str, str]] | None = None

    def severity(self, asset: str, is_warning: bool = False) -> Severity | None:
        """Return the severity of a finding about an asset; None if none is sent."""
        if asset in self.levels:
            return Severity.of(self.levels[asset], is_warning)
        if self.others is None or asset in self.others:
            return Severity.of(DEFAULT_LEVEL, is_warning)
        return None

    def has(self, problem: Problem) -> bool:
        """Return True if what has a problem is still there, and alerted."""
        if problem.kind == Kind.RUN:
            is_job = problem.key == run_key(problem.asset)
            return not is_job or self.jobs is None or problem.asset in self.jobs
        named = self.checks is None or problem.check in ("", CHECKS)
        is_there = named or (problem.asset, problem.check) in (self.checks or ())
        return is_there and self.severity(problem.asset) is not None


def run_key(job: str) -> str:
    """Return the key of the incident of a job that fails outside of its steps."""
    return f"run:{job}"


def load_key(asset: str) -> str:
    """Return the key of the incident of an asset that is not loaded."""
    return f"load:{asset}"


def check_key(asset: str, check: str) -> str:
    """Return the key of the incident of a failed check."""
    return f"check:{asset}:{check}"


class RunFindings:
    """The findings of a run.

    Args:
        run: the run.
        ended: its end.
        events: its events of the types in `READ`, with their moments.
        scope: the assets that are alerted.
    """

    def __init__(
        self,
        run: dg.DagsterRun,
        ended: EndedRun,
        events: Iterable[RunEvent],
        scope: Scope,
    ) -> None:
        self._run, self._ended, self._scope = run, ended, scope
        self._planned: dict[str, set[str]] = defaultdict(set)  # assets by step
        self._checked: dict[str, set[str]] = defaultdict(set)  # assets of checks by step
        self._loads: dict[str, tuple[float, list[str]]] = {}  # moment and partitions by asset
        self._results: dict[tuple[str, str], tuple[dg.AssetCheckEvaluation, str, float]] = {}
        self._failures: dict[str, tuple[dg.DagsterEvent, float]] = {}
        self._ended_steps: set[str] = set()  # that succeeded or were skipped
        for event, at in events:
            self._add(event, at)

    def _add(self, event: dg.DagsterEvent, at: float) -> None:
        step, kind = event.step_key or "", event.event_type
        if kind == DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.asset_key:
            self._planned[step].add(name_of(event.asset_key))
        elif kind == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
            key = event.asset_check_planned_data.asset_check_key
            self._checked[step].add(name_of(key.asset_key))
        elif kind == DagsterEventType.ASSET_MATERIALIZATION and event.asset_key:
            _, partitions = self._loads.get(name_of(event.asset_key), (at, list[str]()))
            partitions += [event.partition] if event.partition else []
            self._loads[name_of(event.asset_key)] = at, partitions
        elif kind == DagsterEventType.ASSET_CHECK_EVALUATION:
            result = event.asset_check_evaluation_data
            if is_new(result):
                key_of = name_of(result.asset_key), result.check_name
                self._results[key_of] = result, step, at
        elif kind == DagsterEventType.STEP_FAILURE:
            self._failures[step] = event, at
        else:
            self._ended_steps.add(step)

    @property
    def loads(self) -> Mapping[str, float]:
        """The moments of the loads of the run by asset, in seconds since 1970."""
        return {asset: at for asset, (at, _) in self._loads.items()}

    def all(self, is_final: bool) -> Iterator[Finding]:
        """Yield the findings.

        Args:
            is_final: False for a run that is retried: what failed in it is not final.
        """
        run_id = self._ended.run_id
        for asset, (at, partitions) in self._loads.items():
            span = (min(partitions), max(partitions)) if partitions else None
            yield Success(load_key(asset), at, run_id, span)
            yield Success(late_key(asset), at, run_id)
        for (asset, _), (result, step, at) in self._results.items():
            if is_final or step not in self._failures:
                yield from check_findings(result, at, run_id, self._scope)
            yield Success(check_key(asset, CHECKS), at, run_id)
        for step in self._ended_steps:
            yield Success(f"step:{step}", self._ended.at, run_id)
        if self._ended.status == dg.DagsterRunStatus.SUCCESS:
            yield Success(run_key(self._run.job_name), self._ended.at, run_id)
        elif self._ended.status == dg.DagsterRunStatus.FAILURE and is_final:
            yield from self.failures()

    def failures(self) -> Iterator[Problem]:
        """Yield the problems of a failed run."""
        for step, (event, at) in self._failures.items():
            yield from self._failed_step(step, event, at)
        left = [] if self._run.tags.get(REASON) == STEP_FAILED else self._not_loaded()
        for asset in left:
            cause = cause_of(self._ended.message)
            yield from self._problem(load_key(asset), Kind.LOAD, asset, cause)
        if not self._failures and not left:
            name = self._run.job_name
            yield from self._problem(run_key(name), Kind.RUN, name, cause_of(self._ended.message))

    def _not_loaded(self) -> Sequence[str]:
        """Return the assets of a run whose process is gone, or never began, that it left out."""
        ended = self._failures.keys() | self._ended_steps
        left = {asset for step in self._planned.keys() - ended for asset in self._planned[step]}
        return sorted(left - self._loads.keys())

    def _failed_step(self, step: str, event: dg.DagsterEvent, at: float) -> Iterator[Problem]:
        cause = cause_of(cause_of_failure(event) or event.message or "")
        planned = self._planned[step]
        for asset in sorted(planned - self._loads.keys()):
            kind = Kind.QUOTA if _is_quota(event) else Kind.LOAD
            yield from self._problem(load_key(asset), kind, asset, cause, at)
        # a check that blocks downstream assets fails its step, and has a result
        results = [result for result, of, _ in self._results.values() if of == step]
        if all(result.passed for result in results):
            for asset in sorted(self._checked[step] - planned):
                key = check_key(asset, CHECKS)
                yield from self._problem(key, Kind.CHECK, asset, cause, at, CHECKS)
        if not planned and not self._checked[step]:
            yield from self._problem(f"step:{step}", Kind.RUN, step, cause, at)

    def _problem(
        self, key: str, kind: Kind, asset: str, cause: str, at: float = 0.0, check: str = ""
    ) -> Iterator[Problem]:
        if kind == Kind.RUN:
            is_ours = self._scope.jobs is None or self._run.job_name in self._scope.jobs
            severity = Severity.ERROR if is_ours else None
        else:
            severity = self._scope.severity(asset)
        tags = self._run.tags
        last_partition = "" if check else tags.get(RANGE_END) or tags.get(PARTITION) or ""
        if severity is not None:
            yield Problem(
                *(key, kind, asset, severity, cause, remedy_of(kind, asset)),
                *(at or self._ended.at, self._ended.run_id, check, last_partition),
            )


def check_findings(
    result: dg.AssetCheckEvaluation, at: float, run_id: str, scope: Scope
) -> Iterator[Finding]:
    """Yield the finding of a result of a check.

    Args:
        result: the result.
        at: its moment, in seconds since 1970.
        run_id: the run that found it; empty for none.
        scope: the assets that are alerted.
    """
    asset, check = name_of(result.asset_key), result.check_name
    key = check_key(asset, check)
    if result.passed:
        yield Success(key, at, run_id)
        return
    severity = scope.severity(asset, result.severity == dg.AssetCheckSeverity.WARN)
    if severity is None:
        return
    kind = check_kind(check)
    cause, remedy = check_cause(result.description or "")
    # some results have the command that helps in their only line
    remedy = remedy or ("" if "`analytics-assets " in cause else remedy_of(kind, asset))
    yield Problem(key, kind, asset, severity, cause, remedy, at, run_id, check)


def is_new(result: dg.AssetCheckEvaluation) -> bool:
    """Return False for a result that was reported again, as its run did not check."""
    return RESULT_OF_RUN not in result.metadata and result.description != NOT_RUN


def name_of(asset: dg.AssetKey) -> str:
    """Return the name of an asset in messages."""
    return asset.to_user_string()


def _is_quota(event: dg.DagsterEvent) -> bool:
    data = event.step_failure_data.user_failure_data
    cause = data.metadata.get(CAUSE) if data else None
    return cause is not None and cause.value == QUOTA_USED_UP
