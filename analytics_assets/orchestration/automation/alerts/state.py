"""The state of alerts, shared by the sensor and the command line in the storage of Dagster.

Projects that share an instance have a state each: one sees what the others' runs do, but reports
none of it. A project is known by its APIs, whose names are those of its assets.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import dagster as dg

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.orchestration.automation.alerts.delivery.outbox import Outbox
from analytics_assets.orchestration.automation.alerts.event_log import Position
from analytics_assets.orchestration.automation.alerts.incident import Incident
from analytics_assets.orchestration.automation.alerts.ledger import Ended, Ledger
from analytics_assets.orchestration.compat import store_value, stored_value, swap_stored_value

STATE, LEASE = "analytics_assets/alerts/state", "analytics_assets/alerts/sender"
VERSION = 2
KEPT_SECONDS = 30 * 86400.0  # for a project that looks no more
LEASE_SECONDS = 120.0  # for which a sender that does not report keeps all others out


class SenderReplacedError(AnalyticsAssetsError):
    """Another process sends the alerts, as this one did not report for too long."""


@dataclass
class AlertState:
    """All that is known from one look at the event log to the next.

    Args:
        position: the place up to which the event log was read; None before the first look.
        ledger: the incidents.
        loads: the last load of each table, in seconds since 1970.
        retried: the failed runs that may be retried: the moment and the message of their failure.
        outbox: the messages that a receiver does not have yet.
        at: the moment of the last look, in seconds since 1970.
    """

    position: Position | None = None
    ledger: Ledger = field(default_factory=Ledger)
    loads: dict[str, float] = field(default_factory=dict)
    retried: dict[str, tuple[float, str]] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)
    at: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the state as values of JSON."""
        return {
            "position": self.position.as_json() if self.position else None,
            "open": [each.as_json() for each in self.ledger.open.values()],
            "ended": [
                [each.incident.as_json(), each.at, each.run_id, each.is_held]
                for each in self.ledger.ended.values()
            ],
            "loads": self.loads,
            "retried": self.retried,
            "outbox": self.outbox.as_json(),
            "at": self.at,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "AlertState":
        """Return a stored state."""
        ledger = Ledger()
        for each in stored["open"]:
            incident = Incident.from_json(each)
            ledger.open[incident.key] = incident
        for each in stored["ended"]:
            ended = Ended(Incident.from_json(each[0]), *each[1:])
            ledger.ended[ended.incident.key] = ended
        position = stored["position"]
        return cls(
            Position.from_json(position) if position else None,
            ledger,
            dict(stored["loads"]),
            {run: (at, text) for run, (at, text) in stored["retried"].items()},
            Outbox.from_json(stored["outbox"]),
            stored["at"],
        )


def read_state(instance: dg.DagsterInstance, apis: Collection[str] = ()) -> AlertState:
    """Return the stored state, without keeping others from changing it.

    Args:
        instance: the instance with the storage.
        apis: the names of the project's APIs.
    """
    return _of_project(_projects(stored_value(instance, STATE)), apis)[0]


def _projects(text: str | None) -> list[dict[str, Any]]:
    """Return the stored states of all projects, each with its APIs; none of another version."""
    stored = json.loads(text) if text else {}
    return list(stored["projects"]) if stored.get("version") == VERSION else []


def _of_project(
    projects: Collection[dict[str, Any]], apis: Collection[str]
) -> tuple[AlertState, list[dict[str, Any]]]:
    """Return the state of the project that had most of some APIs, and the stored other ones."""

    def shared(project: Mapping[str, Any]) -> int:
        return len({*project["apis"]} & {*apis})

    own = max(projects, key=shared, default=None)
    if own is None or (not shared(own) and (apis or own["apis"])):
        return AlertState(), list(projects)
    return AlertState.from_json(own), [each for each in projects if each is not own]


class StateStore:
    """The stored state, for the one process that sends alerts now.

    Args:
        instance: the instance with the storage.
        apis: the names of the project's APIs.
        lease: the value by which this process is known as the sender.
        clock: returns seconds since 1970.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        apis: Collection[str],
        lease: str,
        clock: Callable[[], float],
    ) -> None:
        self._instance, self._lease, self._clock = instance, lease, clock
        self._apis = sorted(apis)
        self._stored = stored_value(instance, STATE)
        self.state, self._others = _of_project(_projects(self._stored), apis)

    def save(self) -> None:
        """Store the state if it has changed.

        Raises:
            SenderReplacedError: another process has become the sender.
        """
        since = self._clock() - KEPT_SECONDS
        others = [each for each in self._others if each["at"] > since]
        projects = [*others, {"apis": self._apis, **self.state.as_json()}]
        text = json.dumps({"version": VERSION, "projects": projects}, separators=(",", ":"))
        if text == self._stored:
            return
        renewed = _lease(json.loads(self._lease)["holder"], self._clock() + LEASE_SECONDS)
        if not swap_stored_value(self._instance, LEASE, self._lease, renewed):
            raise SenderReplacedError("Another process sends the alerts now.")
        self._lease = renewed
        store_value(self._instance, STATE, text)
        self._stored = text

    def release(self) -> None:
        """End the time of this process as the sender."""
        swap_stored_value(self._instance, LEASE, self._lease, _lease("", 0))


@contextmanager
def only_sender(
    instance: dg.DagsterInstance,
    clock: Callable[[], float] = time.time,
    apis: Collection[str] = (),
) -> Iterator[StateStore | None]:
    """Keep all other processes from sending alerts inside the context.

    Args:
        instance: the instance with the storage.
        clock: returns seconds since 1970.
        apis: the names of the project's APIs.

    Yields:
        The state; None if another process sends now.
    """
    before = stored_value(instance, LEASE)
    # one of longer than that is of a clock that was wrong
    if before and 0 < json.loads(before)["until"] - clock() < 2 * LEASE_SECONDS:
        yield None
        return
    lease = _lease(uuid4().hex, clock() + LEASE_SECONDS)
    if not swap_stored_value(instance, LEASE, before, lease):
        yield None
        return
    store = StateStore(instance, apis, lease, clock)
    try:
        yield store
    finally:
        store.release()


def _lease(holder: str, until: float) -> str:
    return json.dumps({"holder": holder, "until": until})
