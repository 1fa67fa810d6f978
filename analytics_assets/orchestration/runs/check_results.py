"""Results of the checks of a run that ends before they run.

Dagster 1.13 plans a result for each check when it creates a run, and shows it as failed once the
run has failed, though the check never ran. Such a check keeps its last result.
"""

import math
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg

from analytics_assets.orchestration.runs.run_events import run_events

RESULT_OF_RUN = "result_of_run"  # metadata: the run in which a check that keeps its result ran
PLANNED = "PLANNED"  # Dagster's status of a check that has not run
NOT_RUN = "Not run yet: it runs after the first load that succeeds."


@contextmanager
def last_results_kept(
    instance: dg.DagsterInstance, run_id: str, checks: Collection[dg.AssetCheckKey]
) -> Iterator[None]:
    """Keep the last results of checks if the code inside the context fails.

    Args:
        instance: holds the event log.
        run_id: the run of the code, and of the checks after it.
        checks: the checks that do not run then.
    """
    try:
        yield
    except BaseException:
        keep_last_results(instance, run_id, checks)
        raise


def keep_last_results(
    instance: dg.DagsterInstance,
    run_id: str,
    checks: Collection[dg.AssetCheckKey],
    until: float = math.inf,
) -> bool:
    """Report the last result of each check again that a run has planned and not run.

    A check that never ran gets a warning that says so.

    Args:
        instance: holds the event log.
        run_id: the run.
        checks: the checks.
        until: the time, by `time.monotonic`, after which the rest is left; a query and an event for
            each check take 20 ms.

    Returns:
        True if none is left.
    """
    for check in checks:
        if time.monotonic() > until:
            return False
        record = instance.event_log_storage.get_asset_check_summary_records([check])[check]
        planned, last = (
            record.last_check_execution_record,
            record.last_completed_check_execution_record,
        )
        if planned is None or planned.run_id != run_id or planned.status.value != PLANNED:
            continue
        event = planned.event
        assert event is not None, "a planned result has an event since Dagster 1.6"
        evaluation = last.evaluation if last else None
        instance.report_dagster_event(
            dg.DagsterEvent(
                event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
                job_name=event.job_name or "",
                step_key=event.step_key,
                event_specific_data=_again(evaluation, last.run_id)
                if evaluation and last
                else _never_run(check),
                message=f"Check {check.name} did not run, and keeps its last result.",
            ),
            run_id,
        )
    return True


def keep_results_of_failed_run(
    instance: dg.DagsterInstance,
    run_id: str,
    api_names: Collection[str],
    until: float = math.inf,
) -> bool:
    """Report the last results again for a run that failed in whatever way.

    A process that is killed, or that never starts, cannot do so itself.

    Args:
        instance: holds the run.
        run_id: the run.
        api_names: the APIs of the checks.
        until: the time, by `time.monotonic`, after which the rest is left to the next call.

    Returns:
        True if none is left.
    """
    checks = planned_checks(instance, run_id)
    own = [check for check in checks if check.asset_key.path[0] in api_names]
    return keep_last_results(instance, run_id, own, until)


def last_results(
    instance: dg.DagsterInstance, checks: Collection[dg.AssetCheckKey]
) -> Mapping[dg.AssetCheckKey, dg.AssetCheckEvaluation]:
    """Return the last result of each check that has one, whatever is planned since.

    Args:
        instance: holds the event log.
        checks: the checks.
    """
    records = instance.event_log_storage.get_asset_check_summary_records(list(checks))
    completed = {
        check: record.last_completed_check_execution_record for check, record in records.items()
    }
    return {check: last.evaluation for check, last in completed.items() if last and last.evaluation}


def planned_checks(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckKey]:
    """Return the checks that a run has no result of, but for those that failed themselves."""
    kinds = {
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        dg.DagsterEventType.STEP_FAILURE,
    }
    events = [event for event, _ in run_events(instance, run_id, kinds)]
    failed = {
        event.step_key for event in events if event.event_type is dg.DagsterEventType.STEP_FAILURE
    }
    known = {
        event.asset_check_evaluation_data.asset_check_key
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    }
    planned = [
        event.asset_check_planned_data.asset_check_key
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
        and event.step_key not in failed
    ]
    return [check for check in dict.fromkeys(planned) if check not in known]


def _again(evaluation: dg.AssetCheckEvaluation, run_id: str) -> dg.AssetCheckEvaluation:
    """Return an evaluation with the run in which the check ran."""
    metadata: dict[str, Any] = dict(evaluation.metadata)
    # a sensor reports results without a run
    if run_id and evaluation.description != NOT_RUN:
        metadata.setdefault(RESULT_OF_RUN, dg.MetadataValue.dagster_run(run_id))
    return evaluation.with_metadata(metadata)


def _never_run(check: dg.AssetCheckKey) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=NOT_RUN,
    )
