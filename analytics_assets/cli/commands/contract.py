"""The command `contract`: fetch the OpenAPI document of an API, compare and store it."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from analytics_assets.cli.project import load_apis, select_resources, takes_resources
from analytics_assets.cli.terminal import echo, errors_as_messages, location
from analytics_assets.config.api import Api
from analytics_assets.config.settings.request import single_attempt
from analytics_assets.config.text.quantities import count
from analytics_assets.contract.described_contract import contract_in
from analytics_assets.contract.drift import drift
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.document import read_document, store_document
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.openapi import fetch_document


@click.command()
@takes_resources
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail on a difference.")
def contract(resources: tuple[str, ...], only_check: bool) -> None:
    """Fetch and store the OpenAPI document of each API, and print changes in its rows.

    The document of an API is stored whole. For a resource, its own changes are printed, and the
    names of others that changed; with --check, the exit code is 1 if its own rows did.
    """
    with errors_as_messages():
        known = load_apis()
        chosen = select_resources(known, resources)
    is_changed = False
    for api in [known[name] for name in dict.fromkeys(each.api_name for each in chosen)]:
        names = [each.name for each in chosen if each.api_name == api.name]
        if api.openapi and api.openapi_path:
            with errors_as_messages():
                is_changed |= _update(api, api.openapi, api.openapi_path, names, only_check)
        elif resources or len(known) == 1:
            missing = (
                "`openapi_path`: set it to the path at which the API serves its OpenAPI document."
                if api.openapi
                else "`openapi`: set it to the file of the API's OpenAPI document, and "
                "`openapi_path` to the path at which the API serves it."
            )
            raise click.ClickException(f"The {api.name} API has no {missing}")
    sys.exit(1 if is_changed and only_check else 0)


def _update(api: Api, file: str, path: str, names: Sequence[str], only_check: bool) -> bool:
    """Compare the stored document with the live one, and store that.

    Returns:
        True if the rows of a resource of these names changed.
    """
    echo(f"Asking {location(api)} ...")
    connection = connect(api.config["client"], api.name, single_attempt())
    live = fetch_document(connection, path)
    before, after = Endpoints(_stored_document(file, only_check), file), Endpoints(live)
    changes, others = list[str](), list[str]()
    for name, resource in api.resources.items():
        now = contract_in(after, resource)
        lines = drift(contract_in(before, resource), now)
        if name not in names:
            others += [f"{name} ({count(len(lines), 'change')})"] if lines else []
            continue
        if now.problem and not lines:
            echo(f"{name}: still has no contract. {now.problem}", style="yellow")
        changes += [f"{name}: {line}" for line in lines]
    for line in changes or ["no change"]:
        echo(line, style="red" if changes and only_check else None)
    if others:
        echo(f"Others changed, too: {', '.join(others)}")
    if not only_check:
        store_document(live, file)
        echo(f"Stored in {file}")
    return bool(changes)


def _stored_document(file: str, only_check: bool) -> dict[str, Any]:
    try:
        return read_document(file)
    except ContractError:
        if only_check:
            raise
        return {}  # it is about to be written
