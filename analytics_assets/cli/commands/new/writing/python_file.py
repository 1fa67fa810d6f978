"""The text of `api.py`."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from analytics_assets.cli.commands.new.proposal.from_document import ProposedApi
from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.cli.commands.new.writing.entries import config_of, is_inactive, policies_of
from analytics_assets.cli.commands.new.writing.literal import WIDTH, lines_of
from analytics_assets.cli.commands.new.writing.nodes import Call, Inactive, Word

OWN = ("Api", "Incremental", "Partitioned", "Window", "build_definitions")
DOCUMENT = "openapi.json"
ABOUT = (
    "`analytics-assets check` finds out which guesses are wrong. `dlt.config.value` and "
    "`dlt.secrets.value` are settings, looked up in each run."
)


def python_file(name: str, api: ProposedApi, document: str | None, openapi_path: str | None) -> str:
    """Return the text of `api.py`.

    Args:
        name: the API's name.
        api: the proposal.
        document: the file of the document beside it; None if there is none.
        openapi_path: the path or URL at which the API serves its document; None if it serves none.
    """
    config, policies = config_of(api), policies_of(api)
    used = set(_names_in([config, policies]))
    kept = {each for each in used if each in OWN} | {"Api", "build_definitions"}
    left_out = {each for each in _names_in([config, policies], inactive=True) if each in OWN} - kept
    arguments: dict[str, Any] = {"name": name, "file": Word("__file__")}
    if document:
        arguments["openapi"] = Word(f'str(Path(__file__).with_name("{document}"))')
        if openapi_path != "/openapi.json":
            arguments["openapi_path"] = openapi_path
    arguments["config"] = config
    if policies:
        arguments["policies"] = policies
    lines = [*_head(name, left_out), *_imports(used, kept, document is not None), ""]
    lines += lines_of(Call("Api", {key: Guess(part) for key, part in arguments.items()}), "API = ")
    return "\n".join([*lines, *_definitions(), ""])


def _head(name: str, left_out: set[str]) -> Iterator[str]:
    yield f'"""The {name} API, as data. Each `# check:` names a guess, and the reason.'
    yield ""
    yield from textwrap.wrap(ABOUT, WIDTH)
    if left_out:
        yield ""
        needs = f"Policies that are comments are proposals; they need {_listed(left_out)}."
        yield from textwrap.wrap(needs, WIDTH)
    yield '"""'
    yield ""


def _listed(names: set[str]) -> str:
    needed = names | ({"Window"} if "Partitioned" in names else set())
    shown = [f"`{each}`" for each in sorted(needed)]
    from_datetime = ", and `date` of `datetime`" if "Partitioned" in names else ""
    return f"{', '.join(shown)} of `analytics_assets`{from_datetime}"


def _imports(used: set[str], kept: set[str], has_document: bool) -> Iterator[str]:
    standard = ["from datetime import date"] if "date" in used else []
    standard += ["from pathlib import Path"] if has_document else []
    if standard:
        yield from (*standard, "")
    yield "import dagster as dg"
    if "dlt" in used:
        yield "import dlt"
    yield ""
    yield f"from analytics_assets import {', '.join(sorted(kept))}"


def _definitions() -> Iterator[str]:
    yield from ("", "", "@dg.definitions", "def definitions() -> dg.Definitions:")
    yield '    """Dagster\'s definitions of the API."""'
    yield "    return build_definitions(API)"


def _names_in(value: Any, inactive: bool = False) -> Iterator[str]:
    """Yield the names of Python that a value needs; those of comments only if `inactive`."""
    if isinstance(value, Guess):
        value = value.value
    if isinstance(value, Inactive):
        if inactive:
            yield from _names_in(value.value, inactive)
    elif isinstance(value, Word):
        yield value.text.partition(".")[0]
    elif isinstance(value, Call):
        yield value.name
        yield from _names_in(list(value.arguments.values()), inactive)
    elif isinstance(value, Mapping):
        yield from _names_in(list(value.values()), inactive)
    elif isinstance(value, list):
        for part in value:
            if inactive or not is_inactive(part):
                yield from _names_in(part, inactive)
    elif type(value).__name__ == "date":
        yield "date"
