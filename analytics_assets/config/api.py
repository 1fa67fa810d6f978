"""An API as `api.py` describes it: dlt's REST configuration, and a policy per resource.

Everything wrong with it is refused here, with the entry and what to change, before anything runs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from analytics_assets.config.entry.disposition import with_dispositions
from analytics_assets.config.entry.template import filled_templates
from analytics_assets.config.errors import ConfigurationError, did_you_mean, listed
from analytics_assets.config.load import Full
from analytics_assets.config.policy import Policy, PolicyEntry
from analytics_assets.config.resource import (
    LOAD_HEALTH,
    LOADED_PARTITIONS,
    REJECTED_ROWS,
    ResourceConfig,
    as_entry,
    is_resource_function,
    learn_secrets_of_entries,
    name_of,
    parents_of,
    refuse_shared_tables,
)
from analytics_assets.config.validation.load import (
    refuse_load,
    refuse_places,
    refuse_prune,
    refuse_tombstone,
)
from analytics_assets.config.validation.structure import refuse_wrong_structure
from analytics_assets.config.validation.values import refuse_wrong_values
from analytics_assets.redaction.configuration import learn_secrets

NAME = re.compile(r"(?=.{1,63}\Z)[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class Api:
    """A third-party REST API: dlt's configuration of it, and a policy per resource.

    Args:
        name: short name; the prefix of its settings, assets, pipelines and schedules.
        config: configuration of dlt's `rest_api_source`, `"type": "oauth2"` for `client.auth`, and
            `templates` for entries (see `filled_templates`); entries are plain from here on, and
            each has a `write_disposition` (see `with_dispositions`).
            https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic
        default_policy: the policy of all resources.
        policies: deviations from it, by resource.
        file: the file that defines the API, for links from the Dagster UI.
        openapi: the file of the API's OpenAPI document, from which contracts are read; None if
            there is none.
        openapi_path: the path below the base URL, or the whole URL, at which the API serves that
            document; None if it serves none.

    Raises:
        ConfigurationError: a part is invalid; the message names it and what to change.

    Example:
        >>> api = Api(
        ...     name="shop",
        ...     config={
        ...         "client": {"base_url": "https://shop.example.com"},
        ...         "resources": [{"name": "orders", "endpoint": {"path": "/v1/orders"}}],
        ...     },
        ...     policies={"orders": {"schedule": "15 * * * *"}},
        ... )
        >>> api.resources["orders"].policy.schedule
        '15 * * * *'
    """

    name: str
    config: Mapping[str, Any]
    default_policy: PolicyEntry = field(default_factory=PolicyEntry)
    policies: Mapping[str, PolicyEntry] = field(default_factory=dict)
    file: str | None = None
    openapi: str | None = None
    openapi_path: str | None = "/openapi.json"

    def __post_init__(self) -> None:
        """Refuse an invalid configuration; secrets that are written in it are in no text."""
        if not NAME.fullmatch(self.name):
            raise ConfigurationError(f"API name {self.name!r}: {naming_rule(self.name)}")
        where = f"API `{self.name}`"
        object.__setattr__(self, "config", filled_templates(where, self.config))
        refuse_wrong_structure(where, self.config)
        learn_secrets(self.config["client"])
        learn_secrets_of_entries(self.config)
        refuse_wrong_values(self.config)
        object.__setattr__(self, "config", with_dispositions(self.config))
        self._check_names()
        for unknown in self.policies.keys() - self._entries.keys():
            raise ConfigurationError(
                f"policy of `{unknown}`: there is no such resource"
                f"{did_you_mean(unknown, self._entries)} "
                f"Resources are {listed(self._entries)}."
            )
        for resource in self.resources.values():
            _check_table(resource)
            _check_key(resource)
            _check_hints(resource)
            _check_load(resource)
        refuse_shared_tables(
            (resource.full_name, resource.table) for resource in self.resources.values()
        )

    @cached_property
    def resources(self) -> Mapping[str, ResourceConfig]:
        """The resources by name, in the order of `api.py`."""
        return {name: self._resource(name) for name in self._entries}

    def _resource(self, name: str) -> ResourceConfig:
        own = self.policies.get(name, PolicyEntry())
        return ResourceConfig(
            api_name=self.name,
            name=name,
            entry=as_entry(self._entries[name]),
            defaults=self._defaults,
            config=self._config_of(name),
            policy=Policy.merged(f"policy of `{name}`", self.default_policy, own),
            is_function=is_resource_function(self._entries[name]),
        )

    @property
    def _defaults(self) -> Mapping[str, Any]:
        return self.config.get("resource_defaults") or {}

    @cached_property
    def _entries(self) -> Mapping[str, Any]:
        return {str(name_of(entry)): entry for entry in self.config["resources"]}

    def _check_names(self) -> None:
        seen: set[str] = set()
        for number, entry in enumerate(self.config["resources"], start=1):
            where, name = f"resource {number} of API `{self.name}`", name_of(entry)
            if not NAME.fullmatch(name):
                raise ConfigurationError(f"{where} is called {name!r}: {naming_rule(name)}")
            if name in seen:
                raise ConfigurationError(
                    f"{where}: there is already a resource `{name}`; rename one of the two."
                )
            seen.add(name)

    def _config_of(self, name: str) -> dict[str, Any]:
        """Return dlt configuration of a resource and of the parents that it is read from."""
        wanted = self._with_parents(name)
        resources = (
            [self._entries[name]]
            if len(wanted) == 1
            else [entry for each, entry in self._entries.items() if each in wanted]
        )
        config: dict[str, Any] = {"client": self.config["client"], "resources": resources}
        if self._defaults:
            config["resource_defaults"] = self.config["resource_defaults"]
        return config

    def _with_parents(self, name: str) -> set[str]:
        found: set[str] = set()
        to_visit = [name]
        while to_visit:
            current = to_visit.pop()
            if current not in self._entries:
                raise ConfigurationError(
                    f"resource `{name}` is read from the rows of `{current}`, which is not there"
                    f"{did_you_mean(current, self._entries)} "
                    f"Resources are {listed(self._entries)}."
                )
            found.add(current)
            to_visit.extend(parents_of(as_entry(self._entries[current])) - found)
        return found


def _check_table(resource: ResourceConfig) -> None:
    if not NAME.fullmatch(resource.table):
        raise ConfigurationError(
            f"`table_name` of resource `{resource.name}` is {resource.table!r}: "
            f"{naming_rule(resource.table)}"
        )
    if resource.table == REJECTED_ROWS:
        raise ConfigurationError(
            f"resource `{resource.name}`: the table `{REJECTED_ROWS}` holds the rows that break a "
            "contract; give the resource another name, or another `table_name`."
        )
    if resource.table == LOADED_PARTITIONS:
        raise ConfigurationError(
            f"resource `{resource.name}`: the table `{LOADED_PARTITIONS}` has the partitions that "
            "were loaded; give the resource another name, or another `table_name`."
        )
    if LOAD_HEALTH in (resource.name, resource.table):
        raise ConfigurationError(
            f"resource `{resource.name}`: the asset and the table `{LOAD_HEALTH}` have the outcome "
            "of each load; give the resource another name, or another `table_name`."
        )


def _check_key(resource: ResourceConfig) -> None:
    is_merged = resource.write_disposition["disposition"] == "merge"
    if is_merged and not (resource.primary_key or resource.merge_key):
        raise ConfigurationError(
            f"resource `{resource.name}` is merged, but by no key, which would double its rows "
            'with each load: add "primary_key": "<field that tells its rows apart>" to it.'
        )


def _check_hints(resource: ResourceConfig) -> None:
    """Refuse hints that dlt 1.31 does not apply when it upserts."""
    columns = str(resource.columns)
    used = [hint for hint in ("hard_delete", "dedup_sort") if f"'{hint}'" in columns]
    if used and resource.write_disposition.get("strategy") == "upsert":
        raise ConfigurationError(
            f"resource `{resource.name}`: `{used[0]}` in `columns` needs the merge strategy "
            "`delete-insert`; dlt's `upsert` inserts a deleted row that the table does not have, "
            'and takes each key once. Set "write_disposition": "merge".'
        )


def _check_load(resource: ResourceConfig) -> None:
    """Refuse a load, or a deletion of rows, that the entry does not allow."""
    policy, merged = resource.policy, resource.is_merged
    if policy.tombstone:
        refuse_tombstone(
            resource.name,
            deletes=policy.tombstone["rows"] == "delete",
            is_function=resource.is_function,
            has_mark="'hard_delete'" in str(resource.columns),
            disposition=resource.write_disposition,
            has_key=bool(resource.primary_key),
        )
    endpoint = None if resource.is_function else resource.endpoint
    if policy.prune:
        refuse_prune(resource.name, policy.load, endpoint, merged)
    if not isinstance(policy.load, Full):
        refuse_load(resource.name, policy.load, endpoint, merged)
    if endpoint is not None:
        newest = policy.newest["params"] if policy.newest else None
        refuse_places(resource.name, endpoint, resource.paginator, policy.load, newest)


def naming_rule(name: str) -> str:
    """Return the rule for names, and one that is like `name` and follows it."""
    suggestion = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    suggestion = suggestion.strip("_")
    advice = f" Call it {suggestion!r}." if NAME.fullmatch(suggestion) else ""
    return (
        "a name is up to 63 lower-case letters, digits and single underscores, starting with a "
        f"letter (a double underscore marks dlt's child tables).{advice}"
    )
