"""Checks of the fields of a load or a window, with errors that name class, field and remedy."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from analytics_assets.config.entry.place import Place, PlaceError
from analytics_assets.config.errors import ConfigurationError, did_you_mean


def check_texts(owner: Any, *names: str) -> None:
    """Refuse fields of `owner` that are not a text, or an empty one.

    Raises:
        ConfigurationError: a field is no such text.
    """
    for name in names:
        value = getattr(owner, name)
        if not isinstance(value, str) or not value.strip():
            raise refusal(owner, name, "give a text that is not empty")


def check_places(owner: Any, *names: str) -> None:
    """Refuse fields of `owner` that name no place in a request.

    Raises:
        ConfigurationError: a field names none.
    """
    for name in names:
        try:
            Place.of(getattr(owner, name))
        except PlaceError as error:
            raise refusal(owner, name, str(error)) from None


def check_params(owner: Any, needed: Sequence[str], *others: str) -> None:
    """Refuse a field `params` of `owner` that is no mapping of texts by places in a request.

    Args:
        owner: the load or the window.
        needed: the texts that must stand in it, such as `{start}`.
        *others: the fields that it replaces.

    Raises:
        ConfigurationError: it is refused.
    """
    params = owner.params
    if any(getattr(owner, name) != getattr(type(owner), name) for name in others):
        names = " and ".join(f"`{name}`" for name in others)
        raise refusal(owner, "params", f"it takes the place of {names}")
    if not isinstance(params, Mapping) or not all(isinstance(name, str) for name in params):
        example = {"date": f"{','.join(needed)}"}
        raise refusal(owner, "params", f"give parameters by their places, such as {example}")
    for name, template in params.items():
        try:
            place = Place.of(name)
        except PlaceError as error:
            raise refusal(owner, "params", f"`{name}`: {error}") from None
        if not (place.has_types or type(template) in (str, int, float)):
            raise refusal(owner, "params", f"`{name}` is no text or number")
    for text in needed:
        if text not in str(list(params.values())):
            raise refusal(owner, "params", f"no text in it has `{text}`")


def check_booleans(owner: Any, *names: str) -> None:
    """Refuse fields of `owner` that are neither True nor False.

    Raises:
        ConfigurationError: a field is neither.
    """
    for name in names:
        if not isinstance(getattr(owner, name), bool):
            raise refusal(owner, name, "give True or False")


def check_integer(owner: Any, name: str, at_least: int) -> None:
    """Refuse a field of `owner` that is not an integer, or is below a minimum.

    Raises:
        ConfigurationError: it is refused.
    """
    value = getattr(owner, name)
    if type(value) is not int or value < at_least:
        raise refusal(owner, name, f"give a whole number of at least {at_least}")


def check_timezone(owner: Any, name: str) -> tzinfo:
    """Return the time zone that a field of `owner` names.

    Raises:
        ConfigurationError: there is no such time zone.
    """
    try:
        return ZoneInfo(getattr(owner, name))
    except (ZoneInfoNotFoundError, ValueError, TypeError) as error:
        close = did_you_mean(getattr(owner, name), available_timezones()).removeprefix("; ")
        remedy = "give an IANA time zone such as 'UTC' or 'Europe/Berlin'"
        raise refusal(owner, name, f"{remedy} ({close})" if close != "." else remedy) from error


def refusal(owner: Any, name: str, remedy: str) -> ConfigurationError:
    """Return the error of a field.

    Args:
        owner: the load or the window.
        name: the field's name.
        remedy: the end of the message, without a full stop.
    """
    return ConfigurationError(
        f"`{type(owner).__name__}`: `{name}` cannot be {getattr(owner, name)!r}: {remedy}."
    )
