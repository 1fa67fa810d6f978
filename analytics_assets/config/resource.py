"""A resource of an API as configured: its entry and policy, with the API's defaults applied."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dlt.common.typing import ConfigValueSentinel
from dlt.extract import DltResource

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.policy import Policy
from analytics_assets.config.validation.load import REWRITING, has_incremental_cursor
from analytics_assets.redaction.configuration import learn_secrets
from analytics_assets.redaction.redactor import redact
from analytics_assets.redaction.url import without_credentials

REJECTED_ROWS = "rejected_rows"
LOAD_HEALTH = "load_health"
LOADED_PARTITIONS = "loaded_partitions"
STAGING = "_staging"  # the end of the name of the dataset in which dlt stages the rows of another
PARENT_REFERENCE = re.compile(r"\{resources\.([^.}]+)\.")


@dataclass(frozen=True, kw_only=True)
class ResourceConfig:
    """A resource as `api.py` configures it.

    Args:
        api_name: the API's name.
        name: the resource's name, unique within the API.
        entry: the entry of `resources`; a text is an entry with that name and path.
        defaults: `resource_defaults` of the API.
        config: dlt configuration of this resource and the parents that it is read from, so that
            a run of one asset costs the same however many resources there are.
        policy: its policy over the API's default policy.
        is_function: True if the entry is a resource function of dlt.
    """

    api_name: str
    name: str
    entry: Mapping[str, Any]
    defaults: Mapping[str, Any]
    config: Mapping[str, Any]
    policy: Policy
    is_function: bool = False

    @property
    def full_name(self) -> str:
        """The name as commands take it, and as the Dagster UI shows it: `api/resource`."""
        return f"{self.api_name}/{self.name}"

    @cached_property
    def merged_entry(self) -> Mapping[str, Any]:
        """The entry with `resource_defaults` applied, as dlt does."""
        return merged_entry(self.defaults, self.entry)

    @property
    def columns(self) -> Any:
        """The hints of the columns, see `merged_entry`."""
        return self.merged_entry["columns"]

    @property
    def endpoint(self) -> Mapping[str, Any]:
        """The endpoint, `path` included, with `resource_defaults` applied."""
        return {"path": self.name, **self.merged_entry["endpoint"]}

    @property
    def paginator(self) -> Any:
        """The paginator as configured: that of the entry, else of the client."""
        return self.endpoint.get("paginator") or self.config["client"].get("paginator")

    @property
    def shown_path(self) -> str:
        """The path for display, without a secret."""
        path = self.endpoint["path"]
        if isinstance(path, ConfigValueSentinel):
            return path.default_literal
        return redact(without_credentials(str(path)) if "://" in str(path) else str(path))

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The fields of the primary key by the API's names, empty if none are named."""
        return as_fields(self.merged_entry.get("primary_key"))

    @property
    def merge_key(self) -> Any:
        """The entry's `merge_key`, None if none is set."""
        return self.merged_entry.get("merge_key")

    @property
    def table(self) -> str:
        """The table that the resource is loaded into: its name, or its `table_name`."""
        table = self.merged_entry.get("table_name")
        return table if isinstance(table, str) else self.name

    @property
    def pipeline_name(self) -> str:
        """The dlt pipeline under which the state and the schema of the resource are stored."""
        return f"{self.api_name}_{self.name}"

    @property
    def added_fields(self) -> frozenset[str]:
        """The fields that the entry adds to rows, beside those that the API sends."""
        entry = self.merged_entry
        from_parent = entry.get("include_from_parent") or ()
        added = {f"_{name}_{field}" for name in parents_of(self.entry) for field in from_parent}
        return frozenset(added.union((entry.get("rows") or {}).get("fields") or ()))

    @property
    def is_child(self) -> bool:
        """True if the resource is read from the rows of another one."""
        return len(self.config["resources"]) > 1

    @property
    def write_disposition(self) -> Mapping[str, Any]:
        """The write disposition in its long form."""
        return as_disposition(self.merged_entry.get("write_disposition", "append"))

    @property
    def is_merged(self) -> bool:
        """True if rows are merged, and a row that is read again replaces the stored one."""
        return self.write_disposition["disposition"] == "merge" and self.rewrites_rows

    @property
    def rewrites_rows(self) -> bool:
        """True if every row that a load reads carries that load's id in the table."""
        return self.write_disposition.get("strategy") in REWRITING

    @property
    def has_unique_keys(self) -> bool:
        """True if the table holds a key once: rows are neither appended nor kept as history."""
        disposition = self.write_disposition
        is_kept_once = disposition["disposition"] in ("merge", "replace")
        return is_kept_once and disposition.get("strategy") != "scd2"

    @property
    def leaves_other_rows(self) -> bool:
        """True if a load of some rows leaves the others in the table as they are."""
        kind = self.write_disposition["disposition"]
        return kind == "append" or (kind == "merge" and self.has_unique_keys and not self.merge_key)

    @property
    def loads_every_row(self) -> bool:
        """True if each row that is read is a row of the table afterwards."""
        steps = self.merged_entry.get("processing_steps")
        return self.rewrites_rows and not steps and not has_incremental_cursor(self.endpoint)


def refuse_shared_tables(tables: Iterable[tuple[str, str]]) -> None:
    """Refuse resources that would overwrite rows or state of each other.

    Args:
        tables: pairs of a resource, as `api/resource`, and its table, as `dataset.table` or without
            the dataset where that is the same for all.

    Raises:
        ConfigurationError: two resources have the same table, or the same dlt pipeline, or one is
            loaded into the dataset in which dlt stages the rows of the other.
    """
    owners: dict[tuple[str, ...], str] = {}
    datasets: dict[str, str] = {}
    for resource, table in sorted(tables):  # Dagster's loader lists folders in any order
        dataset, pipeline = table.rpartition(".")[0], resource.replace("/", "_")
        datasets.setdefault(dataset, resource)
        for kind, name, remedy in (
            ("table", table, "give one of them another `table_name`"),
            ("dlt pipeline", pipeline, "rename one of them"),
        ):
            owner = owners.setdefault((kind, dataset, name), resource)
            if owner != resource:
                raise ConfigurationError(
                    f"`{owner}` and `{resource}` have the same {kind}, {name}; {remedy}."
                )
    for dataset, resource in datasets.items():
        if other := datasets.get(f"{dataset}{STAGING}"):
            raise ConfigurationError(
                f"`{other}` is loaded into the dataset {dataset}{STAGING}, in which dlt stages the "
                f"rows of `{resource}`; set another `dataset_name` for one of their APIs."
            )


def name_of(entry: Any) -> Any:
    """Return the name of an entry of `resources`: a text, a dictionary or a resource of dlt."""
    if isinstance(entry, str):
        return entry
    return entry.get("name") if isinstance(entry, dict) else entry.name


def as_entry(entry: Any) -> Mapping[str, Any]:
    """Return an entry of `resources` as a mapping; a text is both name and path."""
    if isinstance(entry, dict):
        return entry
    table = {"table_name": entry.table_name} if isinstance(entry, DltResource) else {}
    return {"name": name_of(entry), "endpoint": name_of(entry), **table}


def learn_secrets_of_entries(config: Mapping[str, Any]) -> None:
    """Remove the secrets in the endpoints of a configuration from all texts of the process."""
    for part in (config.get("resource_defaults"), *config["resources"]):
        if isinstance(part, dict):
            learn_secrets(as_endpoint(part.get("endpoint")))


def as_fields(key: Any) -> tuple[str, ...]:
    """Return the fields of a `primary_key` or `merge_key`; empty for a function or none."""
    if isinstance(key, str):
        return (key,)
    return tuple(key) if isinstance(key, list | tuple) else ()


def as_disposition(disposition: Any) -> Mapping[str, Any]:
    """Return a `write_disposition` in its long form."""
    return disposition if isinstance(disposition, dict) else {"disposition": disposition}


def may_make_fields(entry: Mapping[str, Any]) -> bool:
    """Return True if `processing_steps` of an entry may give rows other fields, or another key."""
    steps = entry.get("processing_steps") or ()
    return any("map" in step or "yield_map" in step for step in steps)


def is_resource_function(entry: Any) -> bool:
    """Return True for a resource function of dlt, which is used unchanged."""
    return isinstance(entry, DltResource)


def parents_of(value: Any) -> set[str]:
    """Return the resources that `{resources.<name>.<field>}` or a `resolve` parameter refers to."""
    if isinstance(value, str):
        return set(PARENT_REFERENCE.findall(value))
    if isinstance(value, dict):
        own = {value["resource"]} if value.get("type") == "resolve" else set()
        return own.union(*(parents_of(part) for part in (*value.keys(), *value.values())))
    if isinstance(value, list | tuple):
        return set().union(*(parents_of(part) for part in value))
    return set()


def merged_entry(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Merge `resource_defaults` and an entry, as dlt does; `rows` part by part.

    Returns:
        The entry, its `endpoint` a mapping; `columns` by their names, or in a form left to dlt.
    """
    parts = {
        "endpoint": _merged_endpoint(defaults, entry),
        "columns": _merged_columns(defaults, entry),
    }
    if rows := defaults.get("rows"):
        parts["rows"] = _merged_rows(rows, entry.get("rows") or {})
    return {**defaults, **entry, **parts}


def _merged_rows(default: Any, own: Any) -> dict[str, Any]:
    both = {**(default.get("fields") or {}), **(own.get("fields") or {})}
    return {**default, **own, "fields": both}


def _merged_endpoint(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    default, own = (as_endpoint(part.get("endpoint")) for part in (defaults, entry))
    merged = {**default, **own}
    for part in ("params", "json"):
        if part in default and part in own:
            merged[part] = {**(default[part] or {}), **(own[part] or {})}
    return merged


def _merged_columns(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
    default, own = defaults.get("columns"), entry.get("columns")
    if not (isinstance(default, dict) and isinstance(own, dict)):
        return own or default
    both = {name: {**(default[name] or {}), **(own[name] or {})} for name in own if name in default}
    return {**default, **own, **both}


def as_endpoint(endpoint: Any) -> Mapping[str, Any]:
    """Return an entry's `endpoint` as a mapping; a text is a path."""
    if isinstance(endpoint, str):
        return {"path": endpoint}
    return endpoint or {}
