"""A resource with its contract, for both its asset and its requests."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

from analytics_assets.config.api import Api
from analytics_assets.config.resource import ResourceConfig
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.described_contract import contract_of


@dataclass(frozen=True, kw_only=True)
class Resource(ResourceConfig):
    """A resource of an API: name, entry, endpoint, key, table, policy and contract.

    Args:
        api: the API.
        contract: the schema of its rows, and its primary key.
    """

    api: Api
    contract: Contract

    @property
    def absent(self) -> Collection[str]:
        """The resources of the API whose policy has `"empty": "absent"`."""
        resources = self.api.resources.values()
        return [each.name for each in resources if each.policy.empty == "absent"]


def resources_of(api: Api) -> Mapping[str, Resource]:
    """Return the resources of an API by name, each with the contract of its OpenAPI document.

    Args:
        api: the API.

    Raises:
        ContractError: the document cannot be read.
        ConfigurationError: `rename` does not fit the document.
    """
    return {name: resource_of(api, name) for name in api.resources}


def resource_of(api: Api, name: str) -> Resource:
    """Return one resource of an API; see `resources_of`."""
    config = api.resources[name]
    values = {part.name: getattr(config, part.name) for part in fields(config)}
    return Resource(**values, api=api, contract=contract_of(config, api.openapi))
