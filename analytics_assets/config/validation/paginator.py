"""The options of a `paginator`: those of its type in dlt, and this project's own of any type."""

from collections.abc import Mapping
from inspect import Parameter
from typing import Any, get_args

from dlt.sources.helpers.rest_client.paginators import BasePaginator, OffsetPaginator

from analytics_assets.config.entry.place import Place, PlaceError
from analytics_assets.config.errors import did_you_mean, listed
from analytics_assets.config.validation.compat import paginator_options, paginator_types
from analytics_assets.config.validation.structure import OWN_KEYS

PATHS = ("total_path", "has_more_path", "last_page_path")
OWN_OPTIONS = (*PATHS, "ignored_fields", "as_text")
NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
PLAIN = {
    int: "a whole number, without quotes",
    str: "a text",
    bool: "True or False",
    type(None): "None",
}


def wrong_option(paginator: Any) -> str | None:
    """Describe a `paginator` of an unknown type, or an option of it that is wrong or missing.

    Returns:
        The end of an error message; None if nothing is wrong, or dlt itself refuses it.
    """
    paginator = {"type": paginator} if isinstance(paginator, str) else paginator
    kind = paginator.get("type", "auto") if isinstance(paginator, dict) else None
    if not isinstance(kind, str):
        return None  # an object, or refused by dlt itself
    if kind not in paginator_types():
        return (
            f"`paginator` is of the type {kind!r}, which dlt does not have"
            f"{did_you_mean(kind, paginator_types())} Types are {listed(paginator_types())}."
        )
    options = {name: each for name, each in paginator_options(kind).items() if each.kind in NAMED}
    known = [*options, *OWN_OPTIONS, "type"]
    for name in paginator:
        if name not in known:
            return (
                f"`paginator` of the type {kind!r} has no option {name!r}"
                f"{did_you_mean(name, known)} Options are {listed(sorted(set(known)))}."
            )
    for name, option in options.items():
        hint = option.annotation
        if name not in paginator:
            if option.default is option.empty:
                return f"`paginator` of the type {kind!r} needs `{name}`; add it."
        elif not _fits(paginator[name], hint):
            return (
                f"`{name}` in `paginator` cannot be {paginator[name]!r}: give {_described(hint)}."
            )
    if "limit" in options and paginator["limit"] < 1:
        return f"`limit` in `paginator` cannot be {paginator['limit']}: give at least 1."
    return _wrong_place(paginator) or _wrong_own_option(paginator)


def _wrong_place(paginator: Mapping[str, Any]) -> str | None:
    """Describe a parameter whose name is no place in a request, or an `as_text` without effect."""
    for name, place in paginator.items():
        try:
            Place.of(place if name.endswith("_param") and isinstance(place, str) else "any")
        except PlaceError as error:
            return f"`{name}` in `paginator` cannot be {place!r}: {error}."
    by_dlt = [name for name in paginator if name.endswith("_body_path") and paginator[name]]
    if paginator.get("as_text") and by_dlt:
        param = by_dlt[0].replace("_body_path", "_param")
        return (
            f"`as_text` in `paginator` does not apply to `{by_dlt[0]}`: write "
            f'"{param}": "json.{paginator[by_dlt[0]]}" in its place.'
        )
    return None


def _wrong_own_option(paginator: Mapping[str, Any]) -> str | None:
    """Describe an option of this project that has a value of another kind."""
    for name in PATHS:
        path = paginator.get(name)
        if not (isinstance(path, str | None) or hasattr(path, "find")):  # or compiled by dlt
            return (
                f"`{name}` in `paginator` is {path!r}; give the path of a field, such as "
                '"meta.name".'
            )
    if not isinstance(paginator.get("as_text", False), bool):
        return f"`as_text` in `paginator` is {paginator['as_text']!r}; give True or False."
    ignored = paginator.get("ignored_fields") or []
    names = ignored if isinstance(ignored, list | tuple) else [None]
    if not all(isinstance(name, str) for name in names):
        return (
            f"`ignored_fields` in `paginator` is {ignored!r}; give a list of fields, such as "
            '["count"].'
        )
    return None


def _fits(value: Any, hint: Any) -> bool:
    kinds = get_args(hint) or (hint,)
    if Parameter.empty in kinds:  # the options of a user's own paginator need no types
        return True
    # True is an integer, too
    return any(
        type(value) is kind
        if kind in PLAIN
        else not isinstance(kind, type) or isinstance(value, kind)
        for kind in kinds
    )


def _described(hint: Any) -> str:
    kinds = get_args(hint) or (hint,)
    known = [PLAIN[kind] for kind in kinds if kind in PLAIN]
    return " or ".join(reversed(known)) or str(hint)


def without_own_options(given: Any) -> Any:
    """Return a `paginator` as dlt accepts it: without the options that its type does not have.

    Args:
        given: the `paginator` of an entry or of `client`.
    """
    if not isinstance(given, dict):
        return given
    accepted = paginator_options(given.get("type", "auto"))
    return {
        name: value for name, value in given.items() if name in accepted or name not in OWN_OPTIONS
    }


def own_options(given: Any, paginator: BasePaginator | None) -> dict[str, Any]:
    """Return this project's own options of a `paginator` of any type; None for those it leaves out.

    Args:
        given: the `paginator`: a type, a dictionary, or an object of dlt's with attributes of
            these names.
        paginator: the one that dlt makes of it.
    """
    options = given if isinstance(given, dict) else {}
    named = {name: options.get(name) or getattr(paginator, name, None) for name in OWN_OPTIONS}
    if isinstance(paginator, OffsetPaginator) and options and "total_path" not in options:
        named["total_path"] = None  # dlt's default is a guess, unlike that of an object
    return named


def config_for_dlt(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration that dlt accepts: without options that it does not have.

    Args:
        config: the configuration of a REST source.
    """
    client = {name: part for name, part in config["client"].items() if name != "allowed_hosts"}
    accepted = {
        **config,
        "client": _part_for_dlt(client),
        "resources": [_entry_for_dlt(entry) for entry in config["resources"]],
    }
    if config.get("resource_defaults"):
        accepted["resource_defaults"] = _entry_for_dlt(config["resource_defaults"])
    return accepted


def _entry_for_dlt(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    known = {key: part for key, part in entry.items() if key not in OWN_KEYS}
    if "endpoint" in known:
        known["endpoint"] = _part_for_dlt(known["endpoint"])
    return known


def _part_for_dlt(part: Any) -> Any:
    if not isinstance(part, Mapping) or "paginator" not in part:
        return part
    return {**part, "paginator": without_own_options(part["paginator"])}
