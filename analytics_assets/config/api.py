"""What may stand in `api.py`: an API as dlt configuration, and a policy per resource.

Everything wrong with it is refused here, with the entry named and the mend, before anything runs.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dlt.extract import DltResource
from dlt.sources.rest_api.typing import (
    ClientConfig,
    Endpoint,
    EndpointResource,
    EndpointResourceBase,
    RESTAPIConfig,
)

from analytics_assets.config.errors import (
    ConfigurationError,
    did_you_mean,
    listed,
    refuse_unknown_keys,
)
from analytics_assets.config.load import Full
from analytics_assets.config.load_validation import (
    REWRITING,
    reads_what_is_new,
    refuse_load,
    refuse_prune,
)
from analytics_assets.config.policy import Policy, PolicyEntry

NAME = re.compile(r"(?=.{1,63}\Z)[a-z][a-z0-9]*(_[a-z0-9]+)*")
REJECTED_ROWS = "rejected_rows"
PARENT_REFERENCE = re.compile(r"\{resources\.([^.}]+)\.")


@dataclass(frozen=True, kw_only=True)
class Api:
    """A third-party REST API: dlt's configuration of it, and a policy per resource.

    Args:
        name: short name; settings, assets, pipelines and schedules are called after it.
        config: what dlt's `rest_api_source` takes, plus `"type": "oauth2"` for `client.auth`.
            https://dlthub.com/docs/dlt-ecosystem/verified-sources/rest_api/basic
        default_policy: what all resources share.
        policies: what a resource does otherwise, by its name.
        file: the file in which the API is written down, for links from the Dagster UI to it.
        openapi: the file that keeps the API's OpenAPI document, from which contracts are read;
            None if there is none.
        openapi_path: where the API serves that document, below its base URL or as a whole URL.

    Raises:
        ConfigurationError: something in it cannot be, and what to do about it.

    Example:
        >>> api = Api(
        ...     name="shop",
        ...     config={
        ...         "client": {"base_url": "https://shop.example.com"},
        ...         "resources": [{"name": "orders", "endpoint": {"path": "/v1/orders"}}],
        ...     },
        ...     policies={"orders": {"schedule": "15 * * * *"}},
        ... )
        >>> api.policy("orders").schedule
        '15 * * * *'
    """

    name: str
    config: Mapping[str, Any]
    default_policy: PolicyEntry = field(default_factory=PolicyEntry)
    policies: Mapping[str, PolicyEntry] = field(default_factory=dict)
    file: str | None = None
    openapi: str | None = None
    openapi_path: str = "/openapi.json"

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not NAME.fullmatch(self.name):
            raise ConfigurationError(f"API name {self.name!r}: {_naming_rule(self.name)}")
        refuse_unknown_keys(f"API `{self.name}`", self.config, RESTAPIConfig.__annotations__)
        for part in ("client", "resources"):
            if part not in self.config:
                raise ConfigurationError(
                    f"API `{self.name}`: the configuration has no `{part}`; add it."
                )
        refuse_unknown_keys(
            f"`client` of API `{self.name}`", self.config["client"], ClientConfig.__annotations__
        )
        _check_entry("`resource_defaults`", self._defaults, EndpointResourceBase.__annotations__)
        self._check_resources()
        for unknown in self.policies.keys() - set(self.resources):
            raise ConfigurationError(
                f"policy of `{unknown}`: there is no such resource"
                f"{did_you_mean(unknown, self.resources)} "
                f"Resources are {listed(self.resources)}."
            )
        for name in self.resources:
            self._check_load(name)

    def _check_resources(self) -> None:
        seen: set[str] = set()
        if not isinstance(self.config["resources"], list):
            raise ConfigurationError(f"`resources` of API `{self.name}` must be a list of entries.")
        for number, entry in enumerate(self.config["resources"], start=1):
            where = f"resource {number} of API `{self.name}`"
            if not isinstance(entry, str | dict | DltResource):
                raise ConfigurationError(
                    f"{where} is a {type(entry).__name__}; an entry is a dictionary."
                )
            if not isinstance(name := _name_of(entry), str):
                raise ConfigurationError(f'{where} has no name; add "name": "<table name>" to it.')
            if not NAME.fullmatch(name):
                raise ConfigurationError(f"{where} is called {name!r}: {_naming_rule(name)}")
            if name in seen:
                raise ConfigurationError(
                    f"{where}: there is already a resource `{name}`; rename one of the two."
                )
            seen.add(name)
            if isinstance(entry, dict):
                _check_entry(f"resource `{name}`", entry, EndpointResource.__annotations__)
        for name in self.resources:
            table = self.table(name)
            if not NAME.fullmatch(table):
                raise ConfigurationError(
                    f"`table_name` of resource `{name}` is {table!r}: {_naming_rule(table)}"
                )
            if table == REJECTED_ROWS:
                raise ConfigurationError(
                    f"resource `{name}`: the table `{REJECTED_ROWS}` holds the rows that break a "
                    "contract; give the resource another name, or another `table_name`."
                )
            self._check_key(name)

    def _check_key(self, name: str) -> None:
        merge_key = self.entry(name).get("merge_key", self._defaults.get("merge_key"))
        if self._disposition(name)["disposition"] == "merge" and not (
            self.primary_key(name) or merge_key
        ):
            raise ConfigurationError(
                f"resource `{name}` is merged, but by no key, which would double its rows with "
                'each load: add "primary_key": "<field that tells its rows apart>" to it.'
            )

    def _check_load(self, name: str) -> None:
        """Refuse a load, and a clearing of the table, that do not go together with the entry."""
        policy, merged = self.policy(name), self._is_rewritten(name)
        if policy.prune:
            refuse_prune(name, policy.load, self.endpoint(name), merged)
        if not isinstance(policy.load, Full):
            is_function = isinstance(self._entries[name], DltResource)
            endpoint = None if is_function else self.endpoint(name)
            refuse_load(name, policy.load, endpoint, merged)

    def _is_rewritten(self, name: str) -> bool:
        """Tell whether rows are merged, and a row that comes again is written again."""
        disposition = self._disposition(name)
        merged = disposition["disposition"] == "merge"
        return merged and disposition.get("strategy") in REWRITING

    def _disposition(self, name: str) -> Mapping[str, Any]:
        """Return the write disposition in its long form."""
        disposition = {**self._defaults, **self.entry(name)}.get("write_disposition", "append")
        return disposition if isinstance(disposition, dict) else {"disposition": disposition}

    @property
    def _defaults(self) -> Mapping[str, Any]:
        return self.config.get("resource_defaults") or {}

    @cached_property
    def _entries(self) -> Mapping[str, Any]:
        return {str(_name_of(entry)): entry for entry in self.config["resources"]}

    @cached_property
    def resources(self) -> tuple[str, ...]:
        """The names of the resources, in the order of `api.py`."""
        return tuple(self._entries)

    def entry(self, name: str) -> Mapping[str, Any]:
        """Return the entry of the resource `name`; a bare string counts as its own endpoint."""
        entry = self._entries[name]
        return entry if isinstance(entry, dict) else {"name": name, "endpoint": name}

    def endpoint(self, name: str) -> Mapping[str, Any]:
        """Return the resource's endpoint, `path` included, with `resource_defaults` applied."""
        default, own = (
            as_endpoint(part.get("endpoint")) for part in (self._defaults, self.entry(name))
        )
        return {"path": name, **default, **own}

    def primary_key(self, name: str) -> tuple[str, ...]:
        """Return the columns that tell the resource's rows apart, empty if none are named."""
        key = self.entry(name).get("primary_key", self._defaults.get("primary_key")) or ()
        if isinstance(key, str):
            return (key,)
        return tuple(key) if isinstance(key, list | tuple) else ()

    def has_one_row_per_key(self, name: str) -> bool:
        """Tell whether the table holds a key once: not if rows are appended, or kept as history."""
        disposition = self._disposition(name)
        kept = disposition["disposition"] in ("merge", "replace")
        return kept and disposition.get("strategy") != "scd2"

    def loads_row_by_row(self, name: str) -> bool:
        """Tell whether each row that is read is a row of the table afterwards."""
        steps = {**self._defaults, **self.entry(name)}.get("processing_steps")
        endpoint = self.endpoint(name)
        return self.brings_rows_anew(name) and not steps and not reads_what_is_new(endpoint)

    def brings_rows_anew(self, name: str) -> bool:
        """Tell whether a row that comes again is a row of the load that brings it."""
        return self._disposition(name).get("strategy") in REWRITING

    def table(self, name: str) -> str:
        """Return the table that the resource is loaded into: its name, or its `table_name`."""
        table = self.entry(name).get("table_name")
        return table if isinstance(table, str) else name

    def policy(self, name: str) -> Policy:
        """Return the policy of the resource `name`, its own fields over the shared ones."""
        return self._policies[name]

    @cached_property
    def _policies(self) -> Mapping[str, Policy]:
        shared, own = self.default_policy, self.policies
        return {
            name: Policy.merged(f"policy of `{name}`", shared, own.get(name, PolicyEntry()))
            for name in self.resources
        }

    def config_of(self, name: str) -> dict[str, Any]:
        """Return the configuration cut down to one resource and the parents it is read from.

        A run of one asset then costs the same however many resources there are.

        Args:
            name: the resource.

        Returns:
            dlt configuration whose `resources` are the parents and the resource.
        """
        wanted = sorted(self._with_parents(name), key=self.resources.index)
        resources = [self._entries[each] for each in wanted]
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
                    f"{did_you_mean(current, self.resources)} "
                    f"Resources are {listed(self.resources)}."
                )
            found.add(current)
            to_visit.extend(parents_of(self.entry(current)) - found)
        return found


def _name_of(entry: Any) -> Any:
    if isinstance(entry, str):
        return entry
    return entry.get("name") if isinstance(entry, dict) else entry.name


def parents_of(value: Any) -> set[str]:
    """Find the resources that `{resources.<name>.<field>}` or a `resolve` parameter refers to."""
    if isinstance(value, str):
        return set(PARENT_REFERENCE.findall(value))
    if isinstance(value, dict):
        own = {value["resource"]} if value.get("type") == "resolve" else set()
        return own.union(*(parents_of(part) for part in (*value.keys(), *value.values())))
    if isinstance(value, list | tuple):
        return set().union(*(parents_of(part) for part in value))
    return set()


def as_endpoint(endpoint: Any) -> Mapping[str, Any]:
    """Return an entry's `endpoint` as a mapping; dlt lets a path stand for it."""
    if isinstance(endpoint, str):
        return {"path": endpoint}
    return endpoint or {}


def _check_entry(where: str, entry: Mapping[str, Any], known: Collection[str]) -> None:
    refuse_unknown_keys(where, entry, known)
    refuse_unknown_keys(
        f"`endpoint` of {where}", as_endpoint(entry.get("endpoint")), Endpoint.__annotations__
    )


def _naming_rule(name: str) -> str:
    suggestion = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    suggestion = suggestion.strip("_")
    mend = f" Call it {suggestion!r}." if NAME.fullmatch(suggestion) else ""
    return (
        "a name is up to 63 lower-case letters, digits and single underscores, starting with a "
        f"letter (a double underscore marks dlt's child tables).{mend}"
    )
