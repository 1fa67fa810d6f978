"""The command `preview`: the first rows of resources, as their tables would have them."""

import sys
from datetime import UTC, datetime

import click

from analytics_assets.cli.commands.preview.display import show
from analytics_assets.cli.commands.preview.document import document, print_document
from analytics_assets.cli.commands.preview.previewed import preview_of
from analytics_assets.cli.project import load_apis, select_resources, takes_resources
from analytics_assets.cli.terminal import echo, errors_as_messages
from analytics_assets.config.errors import AnalyticsAssetsError, find_cause, without_name
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.contract.resource import resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.orchestration.api_file import user_error

ROWS, FEW_ROWS = 20, 3  # of one resource, and of each of several


@click.command()
@takes_resources
@click.option("--rows", type=click.IntRange(1, 10_000), help="The most rows of each resource.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, and nothing else.")
def preview(resources: tuple[str, ...], rows: int | None, as_json: bool) -> None:
    """Show the first rows of each resource as its table would have them; load nothing.

    A partitioned resource is asked for its newest finished partition, an incremental one for
    changes since its last load. Values of `sensitive` columns are not shown. The exit code is 0 if
    all resources answered.
    """
    with errors_as_messages():
        apis = load_apis()
        selected = select_resources(apis, resources)
    most = rows or (ROWS if len(selected) == 1 else FEW_ROWS)
    documents, failed = [], False
    for config in selected:
        api = apis[config.api_name]
        try:
            resource = resource_of(api, config.name)
            connection = connect(api.config["client"], api.name, single_attempt())
            found = preview_of(resource, connection, datetime.now(UTC), most)
        except Exception as error:
            cause = find_cause(error, AnalyticsAssetsError) or user_error(error)
            if cause is None:
                raise
            failed, text = True, without_name(cause, config.name)
            documents.append({"resource": config.full_name, "error": text})
            if not as_json:
                echo(f"{config.full_name}: {text}\n", style="red")
            continue
        documents.append(document(found))
        if not as_json:
            show(found, is_short=len(selected) > 1)
    if as_json:
        print_document({"resources": documents})
    sys.exit(1 if failed else 0)
