"""The command `rejected`: list rejected rows, load those that fit now, or forget them."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import click
import dagster as dg
from rich import box
from rich.table import Table
from rich.text import Text

from analytics_assets.cli.instance import open_instance
from analytics_assets.cli.pool_wait import PoolWait, pools_of
from analytics_assets.cli.project import load_apis, select_resources, takes_resources
from analytics_assets.cli.terminal import echo, echo_table, errors_as_messages
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause, without_name
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.config.text.quantities import count, number
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.contract.rows.rejected_row import RowKeys, row_of
from analytics_assets.orchestration.assets.rejections import Retry, retry_rejected_rows
from analytics_assets.orchestration.checks.rejection_check import report_rejected_rows
from analytics_assets.orchestration.keys import asset_key
from analytics_assets.warehouse.queries.tables import Tables
from analytics_assets.warehouse.warehouse import Warehouse

LONG = ("reason", "example of a key")
HEADINGS = ("asset", "reason", "rows", "oldest", "newest", "example of a key")


@click.command()
@takes_resources
@click.option("--reason", default="", metavar="TEXT", help="Only rows with TEXT in their reason.")
@click.option("--rows", is_flag=True, help="Show the rows; they may hold personal data.")
@click.option("--retry", is_flag=True, help="Load the rows that fit today's contract.")
@click.option("--dismiss", is_flag=True, help="Forget the rows for good.")
@click.option("--yes", is_flag=True, help="Dismiss without confirmation.")
def rejected(
    resources: tuple[str, ...], reason: str, rows: bool, retry: bool, dismiss: bool, yes: bool
) -> None:
    """List the rejected rows by reason; request nothing from an API.

    A row stays rejected until a load brings its key and it fits, until it fits in a retry, or until
    it is dismissed. The exit code is 0; with `--retry` it is 1 if a row still does not fit, with
    `--dismiss` if that is not confirmed.
    """
    if retry and dismiss:
        raise click.UsageError("`--retry` and `--dismiss` exclude each other; give one of them.")
    with errors_as_messages():
        apis = load_apis()
        chosen = [
            resource_of(apis[each.api_name], each.name)
            for each in select_resources(apis, resources)
            if not each.is_function
        ]
        if retry:
            logging.getLogger("dlt").setLevel(logging.ERROR)
            sys.exit(0 if _retry(chosen, reason) else 1)
        found = _list(chosen, reason, rows)
        if dismiss and found:
            listed = _rows(chosen, reason)  # a row that is rejected meanwhile stays
            if not yes:
                _confirm(sum(len(rows) for _, rows in listed))
            _dismiss(listed)


def _list(resources: Sequence[Resource], reason: str, with_rows: bool) -> int:
    """Print the rejected rows by reason; return their number."""
    table, lines, found = Table(box=box.SIMPLE_HEAD, pad_edge=False), list[str](), 0
    for heading in HEADINGS:
        justify: Any = "right" if heading == "rows" else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=heading not in LONG)
    with _tables(resources) as tables:
        for resource in resources:
            rejections, keys = (
                tables[resource.api_name].rejections(resource),
                RowKeys(resource.contract),
            )
            for each in rejections.reasons(reason):
                key = keys.of(row_of(each.example)) or {}
                example = ", ".join(f"{field}={value}" for field, value in key.items()) or "none"
                times = [f"{time:%Y-%m-%d %H:%M}" for time in (each.oldest, each.newest)]
                cells = (resource.full_name, each.text, number(each.rows), *times, example)
                table.add_row(*map(Text, cells))
                found += each.rows
            for row in rejections.rows(reason) if with_rows else ():
                lines.append(f"{resource.full_name}: {row.reason}: {row.text}")
    if found:
        echo_table(table)
    else:
        echo(f"No row is rejected{f' with {reason!r} in its reason' if reason else ''}.")
    for line in lines:
        echo(line)
    return found


def _confirm(rows: int) -> None:
    """Ask on the terminal.

    Raises:
        click.ClickException: the answer is no, or there is no terminal.
    """
    try:
        click.confirm(f"Forget {count(rows, 'row')} for good?", abort=True)
    except click.Abort:
        raise click.ClickException(
            "Nothing was dismissed, as nobody confirmed it. Without a terminal, `--yes` does."
        ) from None


def _rows(resources: Sequence[Resource], reason: str) -> list[tuple[Resource, list[str]]]:
    """Return the ids of the rejected rows of each resource that has some."""
    with _tables(resources) as tables:
        found = [
            (each, [row.id for row in tables[each.api_name].rejections(each).rows(reason)])
            for each in resources
        ]
    return [(resource, rows) for resource, rows in found if rows]


def _dismiss(listed: Sequence[tuple[Resource, Sequence[str]]]) -> None:
    resources = [resource for resource, _ in listed]
    with open_instance() as instance, _tables(resources) as tables:
        for resource, rows in listed:
            tables[resource.api_name].rejections(resource).delete(rows)
            report_rejected_rows(tables[resource.api_name], resource, instance)
            echo(f"{resource.full_name}: {count(len(rows), 'row')} dismissed")


def _retry(resources: Sequence[Resource], reason: str) -> bool:
    """Retry the rows of each resource, and print the outcome; return True if all fit."""
    is_complete = True
    with open_instance() as instance:
        for resource in resources:
            try:
                retry = _retry_one(instance, resource, reason)
            except Exception as error:
                cause = find_cause(error, AnalyticsAssetsError)
                if cause is None:
                    raise
                is_complete = False
                echo(f"{resource.full_name}: {without_name(cause, resource.name)}", style="red")
                continue
            is_complete &= not retry.rejected
            for line in _outcome(retry):
                echo(f"{resource.full_name}: {line}")
    return is_complete


def _retry_one(instance: dg.DagsterInstance, resource: Resource, reason: str) -> Retry:
    """Retry the rows of a resource, and record that in the history of its asset."""
    warehouse = Warehouse.from_settings(resource.api_name)
    PoolWait(instance, pools_of([resource])).wait()
    retry = retry_rejected_rows(resource, warehouse, reason)
    if retry != Retry():
        counts = {"loaded": retry.loaded, "superseded": retry.superseded}
        counts["still_rejected"] = sum(retry.rejected.values())
        observation = dg.AssetObservation(
            asset_key(resource), "A retry of rejected rows.", metadata=counts
        )
        instance.report_runless_asset_event(observation)
        with warehouse.open() as tables:
            report_rejected_rows(tables, resource, instance)
    return retry


def _outcome(retry: Retry) -> Iterator[str]:
    if retry == Retry():
        yield "no row is rejected"
        return
    superseded = f"{number(retry.superseded)} superseded by later rows of their key"
    yield f"{count(retry.loaded, 'row')} loaded, {superseded}"
    for reason, rows in retry.rejected.items():
        yield f"{count(rows, 'row')} still rejected: {reason}"


@contextmanager
def _tables(resources: Sequence[ResourceConfig]) -> Iterator[dict[str, Tables]]:
    """Open the warehouse of each API."""
    with ExitStack() as stack:
        names = dict.fromkeys(resource.api_name for resource in resources)
        yield {name: stack.enter_context(Warehouse.from_settings(name).open()) for name in names}
