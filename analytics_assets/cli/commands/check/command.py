"""The command `check`: sign in, and read the first two pages of each resource."""

import sys
from datetime import UTC, datetime

import click

from analytics_assets.cli.commands.check.origins import (
    known_settings,
    origins_table,
    setting_origins,
)
from analytics_assets.cli.commands.check.probe.api_probe import ApiProbe
from analytics_assets.cli.commands.check.resource_check import CheckError, check_resource
from analytics_assets.cli.project import load_apis, select_resources, takes_resources
from analytics_assets.cli.terminal import echo, echo_table, errors_as_messages, location
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause, without_name
from analytics_assets.config.settings.misplaced import misspelled
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.config.text.quantities import count
from analytics_assets.contract.resource import resource_of
from analytics_assets.definitions import definitions
from analytics_assets.extract.http.connection import connect
from analytics_assets.orchestration.api_file import user_error


@click.command()
@takes_resources
@click.option("--probe", is_flag=True, help="Find the most rows of a page and requests at once.")
@click.option("--settings", is_flag=True, help="List all settings, and ask no API.")
def check(resources: tuple[str, ...], probe: bool, settings: bool) -> None:
    """Sign in to the APIs, and read two pages of each resource; load nothing.

    The settings that something sets are listed first, with the variable or the file that each is
    taken from, and no value.

    All definitions are loaded first, as Dagster does. The requests are those of a load. The rows
    must have the fields that `api.py` names: the primary key, the day, the time of a change. The
    second page must be another one, and the end of the read the API's. The exit code is 0 if
    nothing is wrong; what may be is printed in yellow.

    With --probe, an API is asked for larger pages, for rows beyond its total, and by bursts of
    requests, some tens of them in all and none after a refusal. What to write is printed.
    """
    with errors_as_messages():
        apis = load_apis()
        definitions()  # raises what Dagster would show
        selected = select_resources(apis, resources)
        origins = setting_origins(apis[name] for name in {each.api_name: None for each in selected})
    if listed := [each for each in origins if settings or each.is_set]:
        echo_table(origins_table(listed))
    for sentence in misspelled(known_settings()):
        echo(sentence, style="yellow")
    if settings:
        return
    asked, failures = set[str](), set[str]()
    probes = {each.api_name: ApiProbe(each.api_name) for each in selected}
    for config in selected:
        api = apis[config.api_name]
        if api.name not in asked:
            echo(f"Asking {location(api)} ...")
            asked.add(api.name)
        try:
            resource = resource_of(api, config.name)
            connection = connect(api.config["client"], api.name, single_attempt())
            outcome = check_resource(resource, connection, datetime.now(UTC))
            echo(f"{config.name}: {outcome.text}")
            if outcome.asked:
                echo(f"    {outcome.asked}", style="dim")
            for warning in outcome.warnings:
                echo(f"    {warning}", style="yellow")
            if probe:
                sample, params = outcome.sample, outcome.params
                for line in probes[api.name].lines(resource, connection, sample, params):
                    echo(f"    {line}")
        except Exception as error:
            cause = find_cause(error, AnalyticsAssetsError) or user_error(error)
            if cause is None:
                raise
            failure = without_name(cause, config.name)
            shown = "the same error." if failure in failures else failure
            failures.add(failure)
            echo(f"{config.name}: {shown}", style="red")
            if isinstance(cause, CheckError) and cause.asked:
                echo(f"    {cause.asked}", style="dim")
    if probe:
        sent = count(sum(each.requests for each in probes.values()), "request")
        echo(f"The probe took {sent} beside those of the check.")
    sys.exit(1 if failures else 0)
