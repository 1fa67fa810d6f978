"""The findings since the last look: of runs that have ended, of checks without one, of time."""

import time
from collections.abc import Iterator

import dagster as dg

from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.event_log import (
    EndedRun,
    ended_runs,
    events_without_run,
    newest_position,
    still_there,
)
from analytics_assets.orchestration.automation.alerts.incident import Success, late_key, load_key
from analytics_assets.orchestration.automation.alerts.lateness import (
    last_loads_of,
    late_tables,
)
from analytics_assets.orchestration.automation.alerts.ledger import Finding, Ledger
from analytics_assets.orchestration.automation.alerts.retries import is_retried
from analytics_assets.orchestration.automation.alerts.run_findings import (
    READ,
    RunFindings,
    check_findings,
    is_new,
    name_of,
)
from analytics_assets.orchestration.automation.alerts.state import AlertState
from analytics_assets.orchestration.runs.run_events import run_events

READ_DEADLINE = 10.0  # seconds for the events of one look
LONGEST_GAP = 7 * 86400.0  # seconds without a look after which older failures are not reported


class Look:
    """One look at what has happened.

    Args:
        instance: holds the event log.
        state: the state after the last look, which advances.
        project: the project.
        now: the moment, in seconds since 1970.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        state: AlertState,
        project: AlertedProject,
        now: float,
    ) -> None:
        self._instance, self._state = instance, state
        self._project, self._now = project, now

    def record(self, since: float) -> None:
        """Record all findings since the last look in the ledger.

        Args:
            since: the moment from which runs count at the first look, in seconds since 1970.
        """
        self._begin(since)
        ledger = self._state.ledger
        ledger.record(self._of_retried())
        ledger.record(self._of_runs())
        ledger.record(self._without_run())
        names = {resource.full_name for resource in self._project.resources}
        self._state.loads = {name: at for name, at in self._state.loads.items() if name in names}
        late = late_tables(self._project.resources, self._state.loads, self._now)
        ledger.record(late)
        watched = {finding.key for finding in late}
        ledger.forget(
            key
            for key, incident in ledger.open.items()
            if not self._project.has(incident.problem)
            or (key.startswith("late:") and key not in watched)
        )
        self._state.at = self._now

    def _begin(self, since: float) -> None:
        """Set the position at the first look, and after a wiped history or a long pause."""
        state = self._state
        if state.position is not None:
            state.position = still_there(self._instance, state.position)
            if state.position and self._now - state.at < LONGEST_GAP:
                return
            state.ledger = state.ledger if state.position else Ledger()
        state.position = newest_position(self._instance, since)
        state.retried = {}
        state.loads = last_loads_of(self._instance, self._project.resources)

    def _of_runs(self) -> Iterator[Finding]:
        position = self._state.position
        assert position is not None, "`_begin` sets it"
        runs = ended_runs(self._instance, position)
        until, count = time.monotonic() + READ_DEADLINE, 0
        for ended in runs:
            if time.monotonic() > until:  # the next look reads the others
                break
            count += 1
            if ended.number not in position.seen:
                yield from self._of_run(ended)
        self._state.position = position.after(runs[:count], self._now)

    def _of_run(self, ended: EndedRun) -> Iterator[Finding]:
        run = self._instance.get_run_by_id(ended.run_id)
        if run is None:  # it was deleted
            return
        findings = self._read(run, ended)
        for asset, at in findings.loads.items():
            self._state.loads[asset] = max(at, self._state.loads.get(asset, 0.0))
        is_final = True
        if ended.status == dg.DagsterRunStatus.FAILURE:
            retried = is_retried(self._instance, run, self._now - ended.at)
            is_final = retried is False
            if retried is None:
                self._state.retried[run.run_id] = ended.at, ended.message
        yield from findings.all(is_final)

    def _of_retried(self) -> Iterator[Finding]:
        """Yield the problems of failed runs that are not retried after all."""
        for run_id, (at, message) in list(self._state.retried.items()):
            run = self._instance.get_run_by_id(run_id)
            retried = is_retried(self._instance, run, self._now - at) if run else True
            if retried is None:
                continue
            del self._state.retried[run_id]
            if run and not retried:
                ended = EndedRun(0, run_id, dg.DagsterRunStatus.FAILURE, at, message)
                yield from self._read(run, ended).failures()

    def _read(self, run: dg.DagsterRun, ended: EndedRun) -> RunFindings:
        events = run_events(self._instance, run.run_id, READ)
        return RunFindings(run, ended, events, self._project)

    def _without_run(self) -> Iterator[Finding]:
        position = self._state.position
        assert position is not None, "`_begin` sets it"
        records, self._state.position = events_without_run(self._instance, position)
        for record in records:
            event = record.event_log_entry.dagster_event
            if event is None:
                continue
            if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key:
                asset = name_of(event.asset_key)
                self._state.loads[asset] = record.timestamp
                span = (event.partition, event.partition) if event.partition else None
                yield Success(load_key(asset), record.timestamp, "", span)
                yield Success(late_key(asset), record.timestamp)
            elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                result = event.asset_check_evaluation_data
                if is_new(result):
                    yield from check_findings(result, record.timestamp, "", self._project)
