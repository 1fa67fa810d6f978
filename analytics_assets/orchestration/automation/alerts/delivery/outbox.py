"""Messages that receivers do not have yet, and the pauses of those that did not take one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analytics_assets.orchestration.automation.alerts.delivery.message import Message

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 3600.0  # seconds
LONGEST_WAIT = 7 * 86400.0  # seconds after which a message is given up
MOST_MESSAGES = 200


@dataclass(frozen=True)
class Queued:
    """A message on its way.

    Args:
        message: the message.
        receivers: the ids of the receivers that do not have it yet.
        at: the moment at which it was written, in seconds since 1970.
    """

    message: Message
    receivers: tuple[str, ...]
    at: float


@dataclass(frozen=True)
class Pause:
    """The pause of a receiver that did not take a message.

    Args:
        failures: the attempts that failed since the last success.
        until: the moment of the next attempt, in seconds since 1970.
    """

    failures: int
    until: float


@dataclass
class Outbox:
    """The messages on their way, and the pauses of receivers by id."""

    queued: list[Queued] = field(default_factory=list)
    pauses: dict[str, Pause] = field(default_factory=dict)

    def add(self, message: Message, receivers: Collection[str], now: float) -> None:
        """Add a message for some receivers."""
        if receivers:
            self.queued.append(Queued(message, tuple(receivers), now))

    def due(self, receiver: str, now: float) -> list[Queued]:
        """Return the messages for a receiver, the oldest first; none during a pause."""
        pause = self.pauses.get(receiver)
        if pause and now < pause.until <= now + LONGEST_PAUSE:  # longer: the clock was set back
            return []
        return [each for each in self.queued if receiver in each.receivers]

    def taken(self, sent: Queued, receiver: str) -> None:
        """Record that a receiver has a message."""
        self.pauses.pop(receiver, None)
        self._without(sent.message, receiver)

    def pause(self, receiver: str, now: float) -> Pause:
        """Begin the pause of a receiver that did not take a message, and return it."""
        failures = self.pauses[receiver].failures + 1 if receiver in self.pauses else 1
        self.pauses[receiver] = Pause(failures, now + pause_after(failures))
        return self.pauses[receiver]

    def defer(self, sent: Queued, receiver: str) -> None:
        """Put a message behind all others for a receiver that has taken a later one."""
        self._without(sent.message, receiver)
        self.queued.append(replace(sent, receivers=(receiver,)))

    def _without(self, message: Message, receiver: str) -> None:
        left = []
        for each in self.queued:
            if each.message is message:
                receivers = tuple(one for one in each.receivers if one != receiver)
                each = replace(each, receivers=receivers)
            if each.receivers:
                left.append(each)
        self.queued = left

    def drop(self, receivers: Collection[str], now: float) -> list[Queued]:
        """Drop what can no longer be sent, and return what was given up.

        Args:
            receivers: the ids of the receivers that the settings name now.
            now: the moment, in seconds since 1970.
        """
        self.pauses = {each: pause for each, pause in self.pauses.items() if each in receivers}
        known = [
            replace(each, receivers=tuple(one for one in each.receivers if one in receivers))
            for each in self.queued
        ]
        known = [each for each in known if each.receivers]
        kept = [each for each in known if each.at > now - LONGEST_WAIT][-MOST_MESSAGES:]
        given_up = [each for each in known if each not in kept]
        self.queued = kept
        return given_up

    def as_json(self) -> dict[str, Any]:
        """Return the outbox as values of JSON."""
        return {
            "queued": [
                {"message": each.message.as_json(), "receivers": each.receivers, "at": each.at}
                for each in self.queued
            ],
            "pauses": {each: [pause.failures, pause.until] for each, pause in self.pauses.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Outbox":
        """Return a stored outbox."""
        queued = [
            Queued(Message.from_json(each["message"]), tuple(each["receivers"]), each["at"])
            for each in stored["queued"]
        ]
        return cls(queued, {each: Pause(*pause) for each, pause in stored["pauses"].items()})


def pause_after(failures: int) -> float:
    """Return the seconds until the next attempt: doubled by each failure, up to an hour.

    Example:
        >>> pause_after(1), pause_after(2), pause_after(100)
        (30.0, 60.0, 3600.0)
    """
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
