"""The command that keeps the API's OpenAPI document."""

import sys
from typing import Any

import click

from analytics_assets.cli.terminal import errors_said, load_api, say, where
from analytics_assets.config.api import Api
from analytics_assets.contract.contract import contract_in
from analytics_assets.contract.drift import drift
from analytics_assets.contract.errors import ContractError
from analytics_assets.contract.openapi.document import keep, read_document
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.http.request_settings import single_attempt
from analytics_assets.extract.openapi import fetch_document


@click.command("contract")
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail on a difference.")
def keep_contract(only_check: bool) -> None:
    """Fetch the API's OpenAPI document, keep it, and say what is new in its rows."""
    api = load_api()
    if not api.openapi:
        raise click.ClickException(
            f"The {api.name} API has no `openapi`: set it to the file that is to keep the API's "
            "OpenAPI document, and `openapi_path` to where the API serves it."
        )
    say(f"Asking {where(api)} ...")
    with errors_said():
        connection = connect(api.config["client"], api.name, single_attempt())
        live = fetch_document(connection, api.openapi_path)
        changes = _changes(api, _kept_document(api.openapi, only_check), live)
        for line in changes or ["no change"]:
            say(line, style="red" if changes and only_check else None)
        if not only_check:
            keep(live, api.openapi)
            say(f"Kept in {api.openapi}")
    sys.exit(1 if changes and only_check else 0)


def _kept_document(place: str, only_check: bool) -> dict[str, Any]:
    try:
        return read_document(place)
    except ContractError:
        if only_check:
            raise
        return {}  # it is about to be written


def _changes(api: Api, kept: dict[str, Any], live: dict[str, Any]) -> list[str]:
    return [
        f"{resource}: {line}"
        for resource in api.resources
        for line in drift(contract_in(kept, api, resource), contract_in(live, api, resource))
    ]
