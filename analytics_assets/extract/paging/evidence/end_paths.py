"""The fields of a page about the end of a read, as far as a `paginator` names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlt.common.jsonpath import TJsonPath, compile_path
from dlt.sources.helpers.rest_client.paginators import BasePaginator, OffsetPaginator

from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.resource import name_of
from analytics_assets.extract.compat import paginator_options

PATHS = ("total_path", "has_more_path", "last_page_path")
OWN_OPTIONS = (*PATHS, "ignored_fields")


@dataclass(frozen=True)
class EndPaths:
    """The fields that a `paginator` names, of any type.

    Args:
        total_path: the path of the number of all rows or pages; None to find it by its name.
        has_more_path: the path of a flag for further pages.
        last_page_path: the path of a flag for the last page.
        ignored: the names or paths of fields and headers that mean something else.
    """

    total_path: TJsonPath | None = None
    has_more_path: TJsonPath | None = None
    last_page_path: TJsonPath | None = None
    ignored: frozenset[str] = frozenset()

    @classmethod
    def of(cls, given: Any, paginator: BasePaginator | None) -> "EndPaths":
        """Return the fields that the `paginator` of an entry names.

        Args:
            given: the `paginator`: a type, a dictionary, or an object of dlt's with attributes of
                these names.
            paginator: the one that dlt makes of it.
        """
        options = given if isinstance(given, dict) else {}
        paths = {name: options.get(name) or getattr(paginator, name, None) for name in PATHS}
        if isinstance(paginator, OffsetPaginator) and "total_path" not in options:
            # dlt's default is a guess, unlike that of an object
            paths["total_path"] = None if isinstance(given, dict) else paginator.total_path
        ignored: Any = options.get("ignored_fields") or getattr(paginator, "ignored_fields", ())
        compiled = {name: compile_path(path) for name, path in paths.items() if path}
        return cls(**compiled, ignored=frozenset(ignored))

    def ignores(self, *names: str) -> bool:
        """Return True if a field is ignored, by one of its names."""
        return not self.ignored.isdisjoint(names)


def without_own_options(given: Any, where: str = "the entry") -> Any:
    """Return a `paginator` as dlt accepts it: without the options that its type does not have.

    Args:
        given: the `paginator` of an entry or of `client`.
        where: the place of it, for errors.

    Raises:
        ConfigurationError: an option that dlt does not know has a value of another kind.
    """
    if not isinstance(given, dict):
        return given
    _check_options(where, given)
    accepted = paginator_options(given.get("type", "auto"))
    return {
        name: value for name, value in given.items() if name in accepted or name not in OWN_OPTIONS
    }


def ignores_totals(given: Any, paginator: BasePaginator | None) -> bool:
    """Return True if the `paginator` of an entry names no total.

    Args:
        given: the `paginator` of the entry.
        paginator: the one that dlt makes of it.
    """
    is_named = not isinstance(given, dict) or "total_path" in given
    return is_named and isinstance(paginator, OffsetPaginator) and paginator.total_path is None


def config_for_dlt(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose paginators dlt accepts; see `without_own_options`.

    Args:
        config: the configuration of a REST source.

    Raises:
        ConfigurationError: an option that dlt does not know has a value of another kind.
    """
    accepted = {
        **config,
        "client": _part_for_dlt("`client`", config["client"]),
        "resources": [
            _entry_for_dlt(f"resource `{name_of(entry)}`", entry) for entry in config["resources"]
        ],
    }
    if config.get("resource_defaults"):
        where = "`resource_defaults`"
        accepted["resource_defaults"] = _entry_for_dlt(where, config["resource_defaults"])
    return accepted


def _entry_for_dlt(where: str, entry: Any) -> Any:
    if not isinstance(entry, dict) or "endpoint" not in entry:
        return entry
    return {**entry, "endpoint": _part_for_dlt(where, entry["endpoint"])}


def _part_for_dlt(where: str, part: Any) -> Any:
    if not isinstance(part, Mapping) or "paginator" not in part:
        return part
    return {**part, "paginator": without_own_options(part["paginator"], where)}


def _check_options(where: str, paginator: Mapping[str, Any]) -> None:
    for name in PATHS:
        path = paginator.get(name)
        if not (isinstance(path, str | None) or hasattr(path, "find")):  # or compiled by dlt
            raise ConfigurationError(
                f"{where}: `{name}` in `paginator` is {path!r}; give the path of a field, such as "
                '"meta.name".'
            )
    ignored = paginator.get("ignored_fields") or []
    names = ignored if isinstance(ignored, list | tuple) else [None]
    if not all(isinstance(name, str) for name in names):
        raise ConfigurationError(
            f"{where}: `ignored_fields` in `paginator` is {ignored!r}; give a list of fields, such "
            'as ["count"].'
        )
