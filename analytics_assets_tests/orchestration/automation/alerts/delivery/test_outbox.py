"""Messages on their way: who has them, and the pauses of who did not take one."""

from analytics_assets.orchestration.automation.alerts.delivery.message import Message
from analytics_assets.orchestration.automation.alerts.delivery.outbox import (
    LONGEST_WAIT,
    MOST_MESSAGES,
    Outbox,
)


def message(subject: str = "one") -> Message:
    return Message("error", subject, [])


def subjects(outbox: Outbox, receiver: str, now: float) -> list[str]:
    return [each.message.subject for each in outbox.due(receiver, now)]


def test_a_receiver_gets_a_message_until_it_has_taken_it() -> None:
    outbox = Outbox()
    outbox.add(message(), ["mail", "slack"], 0)
    [queued] = outbox.due("mail", 0)
    outbox.taken(queued, "mail")
    assert (subjects(outbox, "mail", 0), subjects(outbox, "slack", 0)) == ([], ["one"])


def test_a_refusal_pauses_that_receiver_alone_and_longer_each_time() -> None:
    outbox = Outbox()
    outbox.add(message(), ["mail", "slack"], 0)
    outbox.pause("mail", 0)
    assert (subjects(outbox, "mail", 29), subjects(outbox, "slack", 29)) == ([], ["one"])
    assert subjects(outbox, "mail", 31) == ["one"]
    outbox.pause("mail", 31)
    assert (subjects(outbox, "mail", 90), subjects(outbox, "mail", 92)) == ([], ["one"])


def test_a_message_that_is_deferred_does_not_keep_others_back() -> None:
    outbox = Outbox()
    outbox.add(message("too long"), ["mail", "slack"], 0)
    outbox.add(message("fine"), ["mail", "slack"], 0)
    outbox.defer(outbox.due("mail", 0)[0], "mail")
    assert subjects(outbox, "mail", 0) == ["fine", "too long"]
    assert subjects(outbox, "slack", 0) == ["too long", "fine"]


def test_a_pause_ends_if_the_clock_is_set_back() -> None:
    outbox = Outbox()
    outbox.add(message(), ["mail"], 0)
    outbox.pause("mail", 10 * LONGEST_WAIT)
    assert subjects(outbox, "mail", 0) == ["one"]


def test_messages_for_receivers_that_are_no_longer_set_are_dropped() -> None:
    outbox = Outbox()
    outbox.add(message(), ["mail", "slack"], 0)
    assert outbox.drop({"slack"}, 1) == []
    assert subjects(outbox, "slack", 1) == ["one"]
    assert subjects(outbox, "mail", 1) == []


def test_a_message_is_given_up_after_a_week_and_beyond_a_number() -> None:
    outbox = Outbox()
    outbox.add(message("old"), ["mail"], 0)
    for number in range(MOST_MESSAGES + 1):
        outbox.add(message(str(number)), ["mail"], LONGEST_WAIT)
    given_up = outbox.drop({"mail"}, LONGEST_WAIT + 1)
    assert [each.message.subject for each in given_up] == ["old", "0"]
    assert len(outbox.queued) == MOST_MESSAGES


def test_an_outbox_survives_its_storage() -> None:
    outbox = Outbox()
    outbox.add(message(), ["mail"], 0)
    outbox.pause("mail", 0)
    assert Outbox.from_json(outbox.as_json()) == outbox
