"""The proposal of an API as the project itself reads it: what it refuses is left out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from analytics_assets.cli.commands.new.proposal.from_document import ProposedApi
from analytics_assets.cli.commands.new.proposal.resource import Skipped
from analytics_assets.cli.commands.new.writing.entries import config_of, plain, policies_of
from analytics_assets.cli.commands.new.writing.nodes import SECRET, SETTING, Call, Word
from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.load import Incremental, Partitioned
from analytics_assets.config.times.window import Window
from analytics_assets.config.validation.entries import validate_entries
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.described_contract import contract_in
from analytics_assets.contract.openapi.endpoints import Endpoints

CALLS: Mapping[str, Any] = {
    "Incremental": Incremental,
    "Partitioned": Partitioned,
    "Window": Window,
}


@dataclass(frozen=True)
class Validated:
    """A proposal that the project accepts, and the contracts of its resources.

    Args:
        api: the proposal.
        contracts: the contracts by resource.
    """

    api: ProposedApi
    contracts: Mapping[str, Contract]


def validated(name: str, proposed: ProposedApi, endpoints: Endpoints) -> Validated:
    """Leave out what the project refuses, and read the contracts of the rest.

    Args:
        name: the API's name.
        proposed: the proposal.
        endpoints: those of the document.

    Raises:
        ConfigurationError: the whole is refused, or nothing is left.
    """
    api = proposed
    while True:
        try:
            built = api_of(name, api)
            validate_entries(built)
            break
        except ConfigurationError as error:
            refused = [each for each in api.resources if f"`{each.name}`" in str(error)]
            if not refused or len(api.resources) == len(refused):
                raise
            left = _without(api, {each.name for each in refused[:1]}, str(error))
            if not left.resources:
                raise
            api = left
    contracts = {}
    for each, resource in built.resources.items():
        contracts[each] = contract_in(endpoints, resource)
    return Validated(api, contracts)


def _without(api: ProposedApi, names: set[str], reason: str) -> ProposedApi:
    """Leave out resources, and those that are read from their rows."""
    while True:
        children = {each.name for each in api.resources if each.parent in names} - names
        if not children:
            break
        names |= children
    skipped = [
        Skipped(each.document_path, reason, is_list=True)
        for each in api.resources
        if each.name in names
    ]
    kept = tuple(each for each in api.resources if each.name not in names)
    return replace(api, resources=kept, skipped=(*api.skipped, *skipped))


def api_of(name: str, proposed: ProposedApi) -> Api:
    """Return the API that the written `api.py` describes.

    Raises:
        ConfigurationError: the project refuses it.
    """
    return Api(
        name=name,
        config=as_values(plain(config_of(proposed))),
        policies=as_values(plain(policies_of(proposed))),
    )


def as_values(part: Any) -> Any:
    """Return a part of a proposal with settings and calls as Python has them."""
    import dlt

    if isinstance(part, Word):
        return {SECRET: dlt.secrets.value, SETTING: dlt.config.value}[part]
    if isinstance(part, Call):
        return CALLS[part.name](**as_values(dict(part.arguments)))
    if isinstance(part, Mapping):
        return {name: as_values(value) for name, value in part.items()}
    return [as_values(each) for each in part] if isinstance(part, list) else part
