"""The command `report`: write the state of all tables into one HTML page."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from analytics_assets.cli.commands.report.collection import collect
from analytics_assets.cli.commands.report.page import write_page
from analytics_assets.cli.commands.report.table_report import Status
from analytics_assets.cli.instance import open_instance
from analytics_assets.cli.project import load_apis, select_resources, takes_resources
from analytics_assets.cli.terminal import echo, errors_as_messages
from analytics_assets.config.settings.alerts import resolve_alerts
from analytics_assets.config.text.quantities import count, number
from analytics_assets.contract.resource import resource_of


@click.command()
@takes_resources
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The file to write.",
)
def report(resources: tuple[str, ...], output: Path) -> None:
    """Write the state of tables into one HTML page.

    Of each table: rows a day, newest data, load times, completeness, checks, rejected rows, changed
    fields and schedules. The page needs no network, and can be printed. Values of rejected rows are
    in it only where the policy has a `preview`, and none that are `sensitive`. Nothing is loaded;
    the exit code is 0 whatever the state of the tables.
    """
    logging.getLogger("dlt").setLevel(logging.ERROR)
    with errors_as_messages():
        apis = load_apis()
        chosen = [
            resource_of(apis[each.api_name], each.name)
            for each in select_resources(apis, resources)
        ]
        from analytics_assets.definitions import definitions

        project, url = definitions(), resolve_alerts().base_url or ""
        with open_instance() as instance:
            collected = collect(chosen, instance, project, datetime.now(UTC), url)
        try:
            write_page(collected, output)
        except OSError as error:
            raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from error
    size = number(max(1, output.stat().st_size // 1000))
    echo(f"{output.absolute()}: {_tables(collected.by_status)} ({size} kB)")


def _tables(found: Mapping[Status, int]) -> str:
    states = ", ".join(f"{tables} {status.word}" for status, tables in found.items())
    return f"{count(sum(found.values()), 'table')}: {states}" if found else "no table"
