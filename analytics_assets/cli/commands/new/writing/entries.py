"""The entries and policies of a proposal, as they stand in `api.py`."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from analytics_assets.cli.commands.new.proposal.from_document import ProposedApi
from analytics_assets.cli.commands.new.proposal.resource import (
    Guess,
    ProposedLoad,
    ProposedResource,
)
from analytics_assets.cli.commands.new.writing.literal import one_line
from analytics_assets.cli.commands.new.writing.nodes import SETTING, Call, Inactive

LONGEST_DESCRIPTION = 78  # characters, so that it stands on one line
MERGED = {"primary_key": "id", "write_disposition": "merge"}


def config_of(api: ProposedApi) -> dict[str, Any]:
    """Return the `config` of a proposed API, with guesses in it."""
    client: dict[str, Any] = {"base_url": api.base_url if api.base_url.value else SETTING}
    if api.base_url.value is None and api.base_url.check:
        client["base_url"] = Guess(SETTING, api.base_url.check)
    if api.sign_in.auth.value:
        client["auth"] = api.sign_in.auth
    shared = _shared_headers(api.resources)
    headers = {**api.sign_in.headers, **shared}
    if headers:
        client["headers"] = headers
    paginator = _shared_paginator(api.resources)
    if paginator:
        client["paginator"] = paginator
    keys = Counter(_key(each) for each in api.resources)
    is_shared = keys["id"] * 2 > len(api.resources)
    config: dict[str, Any] = {"client": client}
    defaults: dict[str, Any] = dict(MERGED) if is_shared else {}
    if api.sign_in.params:
        defaults["endpoint"] = {"params": dict(api.sign_in.params)}
    if defaults:
        config["resource_defaults"] = defaults
    config["resources"] = [_entry(each, is_shared, paginator, shared) for each in api.resources]
    return config


def _key(resource: ProposedResource) -> Any:
    return resource.primary_key.value if resource.primary_key.check is None else None


def _shared_paginator(resources: tuple[ProposedResource, ...]) -> Guess | None:
    """Return the paginator of most resources, if it is the same for more than one."""
    texts = Counter(repr(each.paginator) for each in resources)
    text, count = texts.most_common(1)[0]
    if count < 2 or count * 2 <= len(resources):
        return None
    found = next(each.paginator for each in resources if repr(each.paginator) == text)
    return None if found.value == "single_page" else found


def _shared_headers(resources: tuple[ProposedResource, ...]) -> dict[str, Guess]:
    first = dict(resources[0].headers)
    return {
        name: guess
        for name, guess in first.items()
        if all(each.headers.get(name) == guess for each in resources)
    }


def _entry(
    resource: ProposedResource,
    is_shared: bool,
    paginator: Guess | None,
    shared_headers: Mapping[str, Guess],
) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": resource.name}
    key = resource.primary_key
    if key.value is None:
        entry |= {"write_disposition": Guess("replace", key.check)}
        entry |= {"primary_key": []} if is_shared else {}
    elif not (is_shared and _key(resource) == "id"):
        entry["primary_key"] = key
        entry |= {} if is_shared else {"write_disposition": "merge"}
    if resource.parent_fields:
        entry["include_from_parent"] = list(resource.parent_fields)
    endpoint: dict[str, Any] = {"path": resource.path}
    if resource.method != "get":
        endpoint["method"] = resource.method
    if resource.selector.value:
        endpoint["data_selector"] = resource.selector
    elif resource.selector.check:
        endpoint["path"] = Guess(
            resource.path.value, resource.path.check or resource.selector.check
        )
    if resource.params:
        endpoint["params"] = dict(resource.params)
    own = {name: each for name, each in resource.headers.items() if name not in shared_headers}
    if own:
        endpoint["headers"] = own
    if resource.paginator != paginator:
        endpoint["paginator"] = resource.paginator
    entry["endpoint"] = endpoint
    return entry


def policies_of(api: ProposedApi) -> dict[str, Any]:
    """Return the policies of a proposed API, by resource; those that are guesses as comments."""
    found = {each.name: _policy(each) for each in api.resources}
    return {name: policy for name, policy in found.items() if policy}


def _policy(resource: ProposedResource) -> dict[str, Any]:
    policy: dict[str, Any] = {}
    description = one_line(resource.description)
    if description:
        end = "" if description.endswith((".", "!", "?")) else "."
        if len(description) < LONGEST_DESCRIPTION:
            policy["description"] = f"{description}{end}"
    column = resource.date_column
    is_partitioned = any(load.kind == "Partitioned" and load.is_active for load in resource.loads)
    if column.value and column.value != "date":
        is_active = is_partitioned or not column.check
        policy["date_column"] = column if is_active else Guess(Inactive(column.value))
    active = [load for load in resource.loads if load.is_active]
    if resource.time_formats:
        is_used = any(load.kind == "Incremental" for load in active) or is_partitioned
        is_sure = not any(guess.check for guess in resource.time_formats.values())
        formats = dict(resource.time_formats)
        policy["time_formats"] = formats if is_used or is_sure else _left_out(formats)
    if active:
        policy["load"] = Guess(call_of(active[0]), active[0].check)
    elif resource.loads:
        policy["load"] = Guess(Inactive(call_of(resource.loads[0])), resource.loads[0].check)
    return policy


def _left_out(formats: Mapping[str, Guess]) -> Guess:
    """Return the formats of times as a comment: a wrong one would reject its rows."""
    checks = [guess.check for guess in formats.values() if guess.check]
    values = {name: guess.value for name, guess in formats.items()}
    return Guess(Inactive(values), "; ".join(checks))


def call_of(load: ProposedLoad) -> Call:
    """Return a load as `api.py` has it."""
    arguments = dict(load.arguments)
    if window := arguments.get("window"):
        arguments["window"] = Call("Window", window)
    return Call(load.kind, arguments)


def plain(value: Any) -> Any:
    """Return a value without guesses and without what is written as a comment."""
    if isinstance(value, Guess):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items() if not is_inactive(part)}
    return [plain(part) for part in value] if isinstance(value, list) else value


def is_inactive(value: Any) -> bool:
    """Return True for what is written as a comment."""
    return isinstance(value.value if isinstance(value, Guess) else value, Inactive)
