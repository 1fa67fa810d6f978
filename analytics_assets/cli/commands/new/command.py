"""The command `new`: describe an API in `defs/`."""

from datetime import date

import click

from analytics_assets.cli.commands.new.document_file import SourceDocument, source_document
from analytics_assets.cli.commands.new.folder import (
    folder_of,
    new_folder,
    refuse_bad_name,
    refuse_existing,
)
from analytics_assets.cli.commands.new.outcome import echo_next_steps, echo_outcome, echo_recipe
from analytics_assets.cli.commands.new.proposal.from_document import (
    ProposedApi,
    Selection,
    propose,
)
from analytics_assets.cli.commands.new.recipe import copy_recipe
from analytics_assets.cli.commands.new.validated import validated
from analytics_assets.cli.commands.new.writing.python_file import DOCUMENT, python_file
from analytics_assets.cli.terminal import echo, errors_as_messages
from analytics_assets.contract.openapi.document import store_document
from analytics_assets.contract.openapi.endpoints import Endpoints


@click.command()
@click.argument("name")
@click.option("--openapi", metavar="FILE-OR-URL", help="Propose entries of this OpenAPI document.")
@click.option("--only", multiple=True, help="Names, paths or patterns of lists to take.")
@click.option("--param", multiple=True, metavar="NAME=VALUE", help="A value for a parameter.")
@click.option("--recipe", metavar="VENDOR", help="Copy the recipe of a vendor.")
def new(
    name: str,
    openapi: str | None,
    only: tuple[str, ...],
    param: tuple[str, ...],
    recipe: str | None,
) -> None:
    """Describe the API NAME in `defs/`: from its OpenAPI document, or from a recipe.

    Nothing that is there is overwritten, and a command that fails leaves nothing behind.
    """
    refuse_bad_name(name)
    if openapi and recipe:
        raise click.UsageError("give `--openapi` or `--recipe`, not both.")
    with errors_as_messages():
        refuse_existing(name)
        if recipe:
            readme = copy_recipe(recipe, name)
            echo_recipe(name, recipe, readme, folder_of(name))
        elif openapi:
            _from_document(name, openapi, _selection(only, param))
        else:
            raise click.UsageError("give `--openapi FILE-OR-URL` or `--recipe VENDOR`.")


def _selection(only: tuple[str, ...], param: tuple[str, ...]) -> Selection:
    names = [part.strip() for text in only for part in text.split(",") if part.strip()]
    values = {}
    for text in param:
        key, equals, value = text.partition("=")
        if not (equals and key and value):
            raise click.BadParameter(f"`--param {text}`: give NAME=VALUE, such as owner=acme.")
        values[key] = value
    return Selection(names, values)


def _from_document(name: str, place: str, selection: Selection) -> None:
    echo(f"Reading {place} ...")
    source = source_document(place)
    endpoints = Endpoints(source.document, source.place)
    proposed = propose(endpoints, selection, source.url, date.today())
    found = validated(name, proposed, endpoints)
    text = python_file(name, found.api, _openapi_path(source, found.api), has_document=True)
    with new_folder(name) as folder:
        store_document(source.document, folder / DOCUMENT)
        (folder / "api.py").write_text(text, encoding="utf-8")
    echo_outcome(found)
    echo_next_steps(name, folder_of(name), found.api, text.count("# check: "))


def _openapi_path(source: SourceDocument, api: ProposedApi) -> str | None:
    """Return the path or the URL at which `analytics-assets contract` finds the document again."""
    base_url = api.base_url.value
    if source.url and base_url and source.url.startswith(f"{base_url}/"):
        return source.url.removeprefix(base_url)
    return source.url
