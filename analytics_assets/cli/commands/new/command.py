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
from analytics_assets.cli.commands.new.questions import AUTHS, answers_of, proposal_of
from analytics_assets.cli.commands.new.recipe import copy_recipe
from analytics_assets.cli.commands.new.validated import validated
from analytics_assets.cli.commands.new.writing.python_file import DOCUMENT, python_file
from analytics_assets.cli.commands.new.writing.yaml_file import yaml_file
from analytics_assets.cli.terminal import echo, errors_as_messages
from analytics_assets.contract.openapi.document import store_document
from analytics_assets.contract.openapi.endpoints import Endpoints
from analytics_assets.orchestration.api_file import NAME, YAML_NAME


@click.command()
@click.argument("name")
@click.option("--openapi", metavar="FILE-OR-URL", help="Propose entries of this OpenAPI document.")
@click.option("--only", multiple=True, help="Names, paths or patterns of lists to take.")
@click.option("--param", multiple=True, metavar="NAME=VALUE", help="A value for a parameter.")
@click.option("--recipe", metavar="VENDOR", help="Copy the recipe of a vendor.")
@click.option("--base-url", help="Without a document: the base URL.")
@click.option("--path", help="Without a document: the path of the first resource.")
@click.option("--auth", type=click.Choice(list(AUTHS)), help="Without a document: the sign-in.")
@click.option("--yaml", "as_yaml", is_flag=True, help="Write `defs.yaml` in place of `api.py`.")
def new(
    name: str,
    openapi: str | None,
    only: tuple[str, ...],
    param: tuple[str, ...],
    recipe: str | None,
    base_url: str | None,
    path: str | None,
    auth: str | None,
    as_yaml: bool,
) -> None:
    """Describe the API NAME in `defs/`: from its document, from a recipe, or by three answers.

    Nothing that is there is overwritten, and a command that fails leaves nothing behind.
    """
    refuse_bad_name(name)
    _refuse_together(openapi=openapi, recipe=recipe, base_url=base_url or path or auth)
    if (only or param) and not openapi:
        raise click.UsageError("`--only` and `--param` are about a document: give `--openapi`.")
    if recipe and as_yaml:
        raise click.UsageError("recipes are in Python: leave out `--yaml`.")
    with errors_as_messages():
        refuse_existing(name)
        if recipe:
            readme = copy_recipe(recipe, name)
            echo_recipe(name, recipe, readme, folder_of(name))
        elif openapi:
            _from_document(name, openapi, _selection(only, param), as_yaml)
        else:
            proposed = proposal_of(answers_of(base_url, path, auth))
            validated(name, proposed, Endpoints({}))
            _write(name, proposed, None, as_yaml)


def _refuse_together(**options: str | None) -> None:
    given = [f"`--{name.replace('_', '-')}`" for name, value in options.items() if value]
    if len(given) > 1:
        raise click.UsageError(f"give {' or '.join(given)}, not both.")


def _selection(only: tuple[str, ...], param: tuple[str, ...]) -> Selection:
    names = [part.strip() for text in only for part in text.split(",") if part.strip()]
    values = {}
    for text in param:
        key, equals, value = text.partition("=")
        if not (equals and key and value):
            raise click.BadParameter(f"`--param {text}`: give NAME=VALUE, such as owner=acme.")
        values[key] = value
    return Selection(names, values)


def _from_document(name: str, place: str, selection: Selection, as_yaml: bool) -> None:
    echo(f"Reading {place} ...")
    source = source_document(place)
    endpoints = Endpoints(source.document, source.place)
    proposed = propose(endpoints, selection, source.url, date.today())
    found = validated(name, proposed, endpoints)
    echo_outcome(found)
    _write(name, found.api, source, as_yaml)


def _write(name: str, api: ProposedApi, source: SourceDocument | None, as_yaml: bool) -> None:
    document = DOCUMENT if source else None
    served = _openapi_path(source, api) if source else None
    write = yaml_file if as_yaml else python_file
    text = write(name, api, document, served)
    file = YAML_NAME if as_yaml else NAME
    with new_folder(name) as folder:
        if source:
            store_document(source.document, folder / DOCUMENT)
        (folder / file).write_text(text, encoding="utf-8")
    echo_next_steps(name, folder_of(name) / file, api, text.count("# check: "))


def _openapi_path(source: SourceDocument, api: ProposedApi) -> str | None:
    """Return the path or the URL at which `analytics-assets contract` finds the document again."""
    base_url = api.base_url.value
    if source.url and base_url and source.url.startswith(f"{base_url}/"):
        return source.url.removeprefix(base_url)
    return source.url
