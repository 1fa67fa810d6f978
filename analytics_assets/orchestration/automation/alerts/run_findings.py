"""Findings of events: the loads and checks of a run that has ended, and results without a run."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import dagster as dg
from dagster import DagsterEventType

from analytics_assets.orchestration.assets.errors import QUOTA_USED_UP
from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.delivery.cause import (
    cause_of,
    check_cause,
    check_kind,
    remedy_of,
)
from analytics_assets.orchestration.automation.alerts.event_log import EndedRun
from analytics_assets.orchestration.automation.alerts.incident import (
    CHECKS,
    Kind,
    Problem,
    Severity,
    Success,
    check_key,
    late_key,
    load_key,
    run_key,
)
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


class RunFindings:
    """The findings of a run.

    Args:
        run: the run.
        ended: its end.
        events: its events of the types in `READ`, with their moments.
        project: the project.
    """

    def __init__(
        self,
        run: dg.DagsterRun,
        ended: EndedRun,
        events: Iterable[RunEvent],
        project: AlertedProject,
    ) -> None:
        self._run, self._ended, self._project = run, ended, project
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
                yield from check_findings(result, at, run_id, self._project)
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
            is_ours = self._project.has_job(self._run.job_name)
            severity = Severity.ERROR if is_ours else None
        else:
            severity = self._project.severity(asset)
        tags = self._run.tags
        last_partition = "" if check else tags.get(RANGE_END) or tags.get(PARTITION) or ""
        if severity is not None:
            yield Problem(
                *(key, kind, asset, severity, cause, remedy_of(kind, asset)),
                *(at or self._ended.at, self._ended.run_id, check, last_partition),
            )


def check_findings(
    result: dg.AssetCheckEvaluation, at: float, run_id: str, project: AlertedProject
) -> Iterator[Finding]:
    """Yield the finding of a result of a check.

    Args:
        result: the result.
        at: its moment, in seconds since 1970.
        run_id: the run that found it; empty for none.
        project: the project.
    """
    asset, check = name_of(result.asset_key), result.check_name
    key = check_key(asset, check)
    if result.passed:
        yield Success(key, at, run_id)
        return
    severity = project.severity(asset, result.severity == dg.AssetCheckSeverity.WARN)
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
