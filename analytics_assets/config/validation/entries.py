"""dlt's validation of a configuration, with errors that name the entry."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dlt.common.exceptions import DictValidationException
from dlt.common.typing import ConfigValueSentinel
from dlt.sources.rest_api import rest_api_resources
from requests import Session

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError, listed
from analytics_assets.config.resource import is_resource_function, name_of
from analytics_assets.config.validation.paginator import config_for_dlt
from analytics_assets.config.validation.structure import OWN_KEYS

CLIENT = ("client",)
OF_DLT = re.compile(r"\.|resources\[\d+\]")  # the steps of its paths that an entry begins with
COMPLAINT = re.compile(r"Path `([^`]*)`: (.*)")
UNRESOLVED_BASE_URL = "http://base-url.invalid"
# dlt accepts any text for these, any body, and any plain value of a parameter
OF_ANY_TEXT = ("name", "path", "data_selector", "table_name", "primary_key", "merge_key")
BODIES = ("json", "data")


def validate_entries(api: Api) -> None:
    """Validate each entry by dlt's own rules, without settings, secrets or requests.

    Args:
        api: the API.

    Raises:
        ConfigurationError: dlt refuses an entry; the message names it.
    """
    accepted = set()
    for resource in api.resources.values():
        config = resource.config
        kind = _kind(config["resources"])
        if kind not in accepted:
            _validate(config)
            accepted.add(kind)


def _validate(config: Mapping[str, Any]) -> None:
    client = {key: value for key, value in config["client"].items() if key != "auth"}
    described: Any = {
        **config,
        # with a session dlt 1.31 makes none of its own, which takes most of the time
        "client": {**client, "base_url": UNRESOLVED_BASE_URL, "session": _IdleSession()},
        "resources": [_without_auth(entry) for entry in config["resources"]],
    }
    described = config_for_dlt(_without_placeholders(described))
    with refusals_explained(described):
        rest_api_resources(described)


def _without_placeholders(part: Any) -> Any:
    """Return a part of a configuration with a text for each value that is looked up in a run."""
    if isinstance(part, ConfigValueSentinel):
        return "setting"
    if isinstance(part, dict):
        return {key: _without_placeholders(value) for key, value in part.items()}
    return [_without_placeholders(each) for each in part] if isinstance(part, list) else part


def _kind(entries: list[Any]) -> str:
    """Return the kind of a resource: dlt accepts or refuses all resources of a kind.

    dlt needs 7 ms to validate one, and most of hundreds differ in name and path alone.
    """
    if len(entries) > 1:  # a child, which refers to its parents by their names
        return str([entry["name"] if isinstance(entry, dict) else entry for entry in entries])
    [entry] = entries
    if not isinstance(entry, dict):
        return type(entry).__name__
    known = {key: part for key, part in entry.items() if key not in OWN_KEYS}
    return repr(_validated_part(known))


def _validated_part(part: Any, is_free: bool = False, in_params: bool = False) -> Any:
    """Return what dlt's rules depend on: of plain values that may be any, the type alone."""
    if isinstance(part, dict):
        return {
            key: _validated_part(
                each,
                (is_free and key != "type")
                or key in (*OF_ANY_TEXT, *BODIES)
                or (in_params and _is_plain(each)),
                in_params=key == "params",
            )
            for key, each in part.items()
        }
    if isinstance(part, list) and is_free:
        return sorted({repr(_validated_part(each, is_free)) for each in part})
    return type(part) if is_free and _is_plain(part) else part


def _is_plain(value: Any) -> bool:
    """Return True if a value has no placeholder in it."""
    return isinstance(value, int | float) or (
        isinstance(value, str) and not {"{", "}"}.intersection(value)
    )


class _IdleSession(Session):
    """A session for dlt that sends nothing."""

    def __init__(self) -> None:
        pass


def _without_auth(entry: Any) -> Any:
    """Return an entry without `auth`: dlt does not know its types, and its secrets are missing."""
    endpoint = entry.get("endpoint") if isinstance(entry, dict) else None
    if not isinstance(endpoint, dict):
        return entry
    return {**entry, "endpoint": {key: endpoint[key] for key in endpoint if key != "auth"}}


@contextmanager
def refusals_explained(config: Any) -> Iterator[None]:
    """Raise dlt's refusal of a configuration as an error that names the entry and the remedy."""
    try:
        yield
    except (DictValidationException, ValueError, TypeError) as error:
        names = listed(
            [name_of(entry) for entry in config["resources"] if not is_resource_function(entry)]
        )
        part, complaint = _deepest(error)
        where = f"the entry of {names}" if part.partition(".")[0] not in CLIENT else f"`{part}`"
        of = f"`{part}`: " if part and part.partition(".")[0] not in CLIENT else ""
        raise ConfigurationError(f"dlt refuses {where}: {of}{complaint}.") from error


def _deepest(error: Exception) -> tuple[str, str]:
    """Return the part that a refusal is about, and the complaint that points deepest into it."""
    complaints = COMPLAINT.findall(str(error))
    if not complaints:
        return "", str(error).rstrip(".")
    path, complaint = max(complaints, key=lambda found: found[0].count("/"))
    steps = [step for step in path.split("/") if not OF_DLT.fullmatch(step)]
    return ".".join(steps), complaint.rstrip(".")
