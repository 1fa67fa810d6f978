"""The alerts of a project: looks at what has happened, and sends what is to be reported."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import dagster as dg

from analytics_assets.config.settings.providers.changes import reread_settings
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.delivery.message import message_of
from analytics_assets.orchestration.automation.alerts.delivery.outbox import Outbox, Queued
from analytics_assets.orchestration.automation.alerts.delivery.receiver import Receiver
from analytics_assets.orchestration.automation.alerts.delivery.recipients import Recipients
from analytics_assets.orchestration.automation.alerts.incident import Incident, Problem
from analytics_assets.orchestration.automation.alerts.ledger import Ended
from analytics_assets.orchestration.automation.alerts.look import Look
from analytics_assets.orchestration.automation.alerts.state import StateStore, only_sender

NO_URLS = "No `alerts.urls` is set, so that no alert is sent."
BUSY = "Another process is sending the alerts."
MOST_MESSAGES = 5  # of one look: the incidents of more runs are reported together
MOST_THREADS = 8
MOST_REFUSALS = 2  # in a row, after which a receiver is down
SEND_DEADLINE = 25.0  # seconds for one look; Dagster ends the tick of a sensor after 60


@dataclass
class AlertsSent:
    """The outcome of a look.

    Args:
        messages: the messages that a receiver has taken.
        receivers: the names of the receivers that have taken one.
        refusals: a sentence for each receiver that did not take a message, and for each URL that
            cannot be used.
        waiting: the messages that some receiver does not have yet.
        open: the open incidents.
        reason: the reason that nothing was looked at; empty if there is none.
    """

    messages: int = 0
    receivers: set[str] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)
    waiting: int = 0
    open: int = 0
    reason: str = ""

    @property
    def summary(self) -> str:
        """The outcome in a sentence; empty if there is nothing to say."""
        if self.reason:
            return "" if self.reason == NO_URLS else self.reason
        parts = []
        if self.messages:
            number, names = len(self.receivers), ", ".join(sorted(self.receivers))
            to = names if number <= 3 else count(number, "receiver")
            parts.append(f"{count(self.messages, 'alert')} sent to {to}.")
        if self.waiting:
            parts.append(f"{count(self.waiting, 'alert')} not taken yet, tried again later.")
        return " ".join([*parts, *self.refusals])


def send_alerts(
    instance: dg.DagsterInstance,
    project: AlertedProject,
    *,
    since: float | None = None,
    patience: float = 0.0,
    clock: Callable[[], float] = time.time,
) -> AlertsSent:
    """Send a message about what has begun and what is over since the last look.

    The sensor and the command line share the state, so that each incident is reported once, whoever
    looks first.

    Args:
        instance: holds the event log and the state.
        project: the APIs.
        since: the moment from which runs count at the very first look, in seconds since 1970;
            None for now. What failed before is not reported.
        patience: seconds to wait for another process that sends.
        clock: returns seconds since 1970.

    Raises:
        SettingsError: a setting cannot be used.
    """
    reread_settings()
    recipients = Recipients.of(project.apis)
    if not recipients.urls:
        return AlertsSent(reason=NO_URLS)
    until = time.monotonic() + patience
    while True:
        with only_sender(instance, clock, project.apis) as store:
            if store:
                return _send(instance, project, recipients, store, since, clock)
        if time.monotonic() > until:
            return AlertsSent(reason=BUSY)
        time.sleep(0.5)


def _send(
    instance: dg.DagsterInstance,
    project: AlertedProject,
    recipients: Recipients,
    store: StateStore,
    since: float | None,
    clock: Callable[[], float],
) -> AlertsSent:
    now, state = clock(), store.state
    Look(instance, state, project, now).record(now if since is None else since)
    moment = datetime.fromtimestamp(now, UTC)
    begun, over = state.ledger.due(
        lambda problem: recipients.settings_of(problem.asset).quiet_hours.contains(moment)
    )
    for api_name, its_begun, its_over in _by_recipients(recipients, begun, over):
        ids = [receiver.id for receiver in recipients.receivers_of(api_name)]
        for message_begun, message_over, is_summary in _groups(its_begun, its_over):
            message = message_of(message_begun, message_over, is_summary=is_summary)
            is_all_clear = not recipients.share(ids, state.ledger.problems)
            state.outbox.add(replace(message, is_all_clear=is_all_clear), ids, now)
    sent = AlertsSent(refusals=list(recipients.problems), open=len(state.ledger.open))
    known = {receiver.id: receiver for receiver in recipients.all}
    for given_up in state.outbox.drop(known.keys(), now):
        names = ", ".join(known[each].name for each in given_up.receivers)
        sent.refusals.append(f"{names} did not take an alert for a week; it is given up.")
    store.save()
    _deliver(store, list(known.values()), sent, clock)
    sent.waiting = len(state.outbox.queued)
    return sent


def _by_recipients(
    recipients: Recipients, begun: Iterable[Incident], over: Iterable[Ended]
) -> Iterable[tuple[str, list[Incident], list[Ended]]]:
    """Return the incidents of APIs with the same receivers together, with one of the APIs."""
    groups: dict[tuple[str, ...], tuple[str, list[Incident], list[Ended]]] = {}

    def group_of(problem: Problem) -> tuple[str, list[Incident], list[Ended]]:
        api_name = recipients.api_of(problem.asset)
        ids = tuple(sorted(each.id for each in recipients.receivers_of(api_name)))
        return groups.setdefault(ids, (api_name, [], []))

    for incident in begun:
        group_of(incident.problem)[1].append(incident)
    for ended in over:
        group_of(ended.incident.problem)[2].append(ended)
    return groups.values()


def _groups(
    begun: Sequence[Incident], over: Sequence[Ended]
) -> Iterable[tuple[Sequence[Incident], Sequence[Ended], bool]]:
    """Yield what one message is about: a run, or all that has waited in quiet hours."""
    held = [each for each in begun if each.is_held], [each for each in over if each.is_held]
    if any(held):
        yield *held, True
    by_run: dict[str, tuple[list[Incident], list[Ended]]] = defaultdict(lambda: ([], []))
    for incident in begun:
        if not incident.is_held:
            by_run[incident.problem.run_id][0].append(incident)
    for ended in over:
        if not ended.is_held:
            by_run[ended.run_id][1].append(ended)
    if len(by_run) > MOST_MESSAGES:
        yield (
            [incident for each, _ in by_run.values() for incident in each],
            [ended for _, each in by_run.values() for ended in each],
            False,
        )
        return
    for its_begun, its_over in by_run.values():
        yield its_begun, its_over, False


def _deliver(
    store: StateStore, receivers: Sequence[Receiver], sent: AlertsSent, clock: Callable[[], float]
) -> None:
    """Send the messages that are due, to several receivers at once."""
    outbox = store.state.outbox
    due = [(each, outbox.due(each.id, clock())) for each in receivers]
    due = [(receiver, queued) for receiver, queued in due if queued]
    if not due:
        return
    taken = set[int]()
    until = time.monotonic() + SEND_DEADLINE
    with ThreadPoolExecutor(min(MOST_THREADS, len(due)), "alerts") as threads:
        sending = {threads.submit(_send_all, *each, until): each[0] for each in due}
        for future in as_completed(sending):
            receiver = sending[future]
            outcomes = future.result()
            _record(outbox, receiver, outcomes, sent, clock())
            taken |= {id(queued.message) for queued, refusal in outcomes if refusal is None}
            store.save()
    sent.messages = len(taken)


def _record(
    outbox: Outbox,
    receiver: Receiver,
    outcomes: Sequence[tuple[Queued, str | None]],
    sent: AlertsSent,
    now: float,
) -> None:
    """Record the outcomes of messages to a receiver.

    One that takes nothing is down, and gets all in their order later: the end of an incident must
    not come before its beginning. A message that it refuses between others is put behind them.
    """
    taken = [place for place, (_, refusal) in enumerate(outcomes) if refusal is None]
    for place in taken:
        outbox.taken(outcomes[place][0], receiver.id)
        sent.receivers.add(receiver.name)
    refused = [(place, each) for place, (_, each) in enumerate(outcomes) if each is not None]
    for place, _ in refused:
        if place < max(taken, default=0):
            outbox.defer(outcomes[place][0], receiver.id)
    if refused:
        pause = outbox.pause(receiver.id, now)
        next_try = datetime.fromtimestamp(pause.until, UTC)
        sent.refusals.append(
            f"{receiver.name} did not take an alert (attempt {pause.failures}): "
            f"{refused[0][1].rstrip('.')}. The next attempt is at {next_try:%H:%M:%S} UTC."
        )


def _send_all(
    receiver: Receiver, due: Sequence[Queued], until: float
) -> list[tuple[Queued, str | None]]:
    """Send messages to a receiver until it refuses two in a row; return the refusals."""
    outcomes = list[tuple[Queued, str | None]]()
    for queued in due:
        if time.monotonic() > until:
            break
        outcomes.append((queued, receiver.send(queued.message)))
        if all(refusal for _, refusal in outcomes[-MOST_REFUSALS:]) and len(outcomes) > 1:
            break
    return outcomes
