"""The command `alert`: list the open incidents, or try the receivers; and alerts after runs."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import click
import dagster as dg

from analytics_assets.cli.instance import open_instance
from analytics_assets.cli.project import load_apis, select_resources, takes_resources
from analytics_assets.cli.terminal import echo, errors_as_messages
from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.config.text.quantities import count
from analytics_assets.orchestration.automation.alerts.alerted_project import AlertedProject
from analytics_assets.orchestration.automation.alerts.delivery.message import test_message
from analytics_assets.orchestration.automation.alerts.delivery.receiver import Receiver
from analytics_assets.orchestration.automation.alerts.delivery.recipients import Recipients
from analytics_assets.orchestration.automation.alerts.sender import (
    NO_URLS,
    send_alerts,
)
from analytics_assets.orchestration.automation.alerts.state import read_state

PATIENCE = 30.0  # seconds to wait for a sensor that sends
WHERE = (
    "Set `urls` below [alerts] in .dlt/secrets.toml, or the environment variable ALERTS__URLS: a "
    "webhook is json://HOST/PATH, Slack slack://TokenA/TokenB/TokenC, and "
    "https://appriseit.com/services/ lists the others."
)


@click.command()
@takes_resources
@click.option("--test", "is_test", is_flag=True, help="Send a test message to each receiver.")
def alert(resources: tuple[str, ...], is_test: bool) -> None:
    """List the open incidents: what failed or is late, and is not over.

    By names, list those of their tables alone. With --test, send a test message to each receiver in
    the setting `alerts.urls`, and print which of them took it. The exit code is 0 if all did, 1 if
    one did not or there is none.
    """
    if is_test and resources:
        raise click.UsageError("`--test` tries all receivers, and takes no names.")
    with errors_as_messages():
        apis = load_apis()
        selected = select_resources(apis, resources) if resources else ()
        chosen = [each.full_name for each in selected]
    if is_test:
        with errors_as_messages():
            recipients = Recipients.of(apis)
        sys.exit(0 if _tried(recipients) else 1)
    with open_instance() as instance:
        state = read_state(instance, apis)
    if state.position is None:
        echo(
            "Nothing has looked for problems yet: once `alerts.urls` is set, the sensor `alerts` "
            "(make dev) and `analytics-assets materialize` do. `analytics-assets alert --test` "
            "sends a test message."
        )
        return
    problems = [each for each in state.ledger.problems if not resources or each.asset in chosen]
    for problem in problems:
        since = datetime.fromtimestamp(problem.at, UTC)
        kind = f"{problem.kind} {problem.check}".strip()
        echo(f"{problem.severity.word}: {kind}: {problem.asset}, since {since:%Y-%m-%d %H:%M} UTC")
        echo(f"    {problem.cause}")
        if problem.run_id:
            echo(f"    run {problem.run_id}")
    if not problems:
        echo("No problem is open.")
    looked = datetime.fromtimestamp(state.at, UTC)
    echo(f"As of {looked:%Y-%m-%d %H:%M} UTC; {_waiting(len(state.outbox.queued))}")


def _waiting(number: int) -> str:
    waiting = count(number, "message waits", "messages wait") if number else "no message waits"
    return f"{waiting} for a receiver."


def _tried(recipients: Recipients) -> bool:
    """Send the test message to each receiver; return True if all took it."""
    for problem in recipients.problems:
        echo(problem, style="red")
    receivers = recipients.all
    if not receivers:
        if not recipients.problems:
            echo(f"{NO_URLS} {WHERE}", style="red")
        return False
    message = test_message()
    is_taken = not recipients.problems
    with ThreadPoolExecutor(len(receivers)) as threads:
        refusals = threads.map(lambda receiver: receiver.send(message), receivers)
        for receiver, refusal in zip(receivers, refusals, strict=True):
            is_taken &= refusal is None
            _print_outcome(receiver, refusal)
    return is_taken


def _print_outcome(receiver: Receiver, refusal: str | None) -> None:
    if refusal is None:
        echo(f"{receiver.name}: took the test message.", style="green")
    else:
        echo(f"{receiver.name}: did not take it: {refusal}", style="red")


@contextmanager
def alerts_sent(instance: dg.DagsterInstance, project: dg.Definitions) -> Iterator[None]:
    """Send alerts about the runs of the code inside the context, and print how many.

    A receiver that takes none, and a setting that cannot be used, do not fail the command.

    Args:
        instance: holds the runs.
        project: the definitions of the project.
    """
    since = time.time()
    yield
    try:
        alerted = AlertedProject.of(load_apis(), project.get_repository_def())
        sent = send_alerts(instance, alerted, since=since, patience=PATIENCE)
    except AnalyticsAssetsError as error:
        echo(f"No alert was sent. {error}", style="red")
        return
    if sent.summary:
        echo(sent.summary, style="red" if sent.refusals else None)
