"""Look-up of settings with dlt's own providers, and the errors of those that cannot be used.

A value that `api.py` leaves open (`dlt.config.value`, `dlt.secrets.value`, or no value at all) is
taken from the environment, secret files, `.dlt/secrets.toml` or `.dlt/config.toml`, first under
`sources.<api name>.<setting>`, then `sources.<setting>`, then `<setting>`.
https://dlthub.com/docs/general-usage/credentials/setup
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import dlt
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.typing import ConfigValueSentinel, TSecretStrValue

from analytics_assets.config.errors import MissingSettingError, SettingsError
from analytics_assets.config.settings.misplaced import misplaced
from analytics_assets.config.settings.providers.secret_files import secrets_folder
from analytics_assets.config.settings.resolution import resolved, wrong_type
from analytics_assets.config.validation.base_url import wrong_base_url, wrong_url
from analytics_assets.redaction.configuration import learn_secrets
from analytics_assets.redaction.names import setting_name

DEFAULT_DESTINATION = "duckdb"
DEFAULT_DUCKDB_FILE = "warehouse.duckdb"
OWN_NAMES = {"path": "endpoint_path"}  # by key; each environment has a variable PATH

Spec = TypeVar("Spec", bound=BaseConfiguration)


def resolve_settings(spec: Spec, api_name: str, given: Mapping[str, Any]) -> Spec:
    """Return the settings of a specification: values that are given, and others looked up.

    Args:
        spec: dlt's specification, without values.
        api_name: the section under which settings are looked up first.
        given: values of `api.py`, which are not looked up.

    Raises:
        SettingsError: a value has the wrong type; it is named and not shown.
    """
    hints, explicit = get_type_hints(type(spec)), {}
    for name, value in given.items():
        # dlt 1.31 checks the type of a value that it looks up, but not of one that it is given
        try:
            explicit[name] = _of_type(value, hints[name])
        except ValueError:
            raise wrong_type(name, hints[name], api_name) from None
    return resolved(spec, ("sources", api_name), explicit or None, api_name)


def _of_type(value: Any, hint: Any) -> Any:
    """Return a value in its type.

    Raises:
        ValueError: it has another type, which cannot be converted.
    """
    with suppress(TypeError):  # the type has parts, or is none
        if isinstance(value, hint):
            return value
    from pydantic import TypeAdapter  # takes 40 ms to import

    return TypeAdapter(hint).validate_python(value)


def without_open_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a dictionary that are not left open."""
    return {
        key: value
        for key, value in given.items()
        if value is not None and not isinstance(value, ConfigValueSentinel)
    }


def without_placeholders(part: Any, api_name: str, resource: str = "") -> Any:
    """Return a part of a configuration with what it leaves open looked up, at any depth.

    The name of the setting is that of the key, `x_api_key` for `X-API-Key`; that of a `path` is
    `endpoint_path`.

    Args:
        part: a value, or a dictionary or list of them.
        api_name: the API's name, the section under which settings are looked up first.
        resource: the resource whose own settings go before the API's.

    Raises:
        MissingSettingError: a setting is found nowhere.
    """
    if isinstance(part, dict):
        return {key: _filled(value, key, api_name, resource) for key, value in part.items()}
    if isinstance(part, list):
        return [without_placeholders(each, api_name, resource) for each in part]
    return part


def _filled(value: Any, key: str, api_name: str, resource: str) -> Any:
    if isinstance(value, list):
        return [_filled(each, key, api_name, resource) for each in value]
    if not isinstance(value, ConfigValueSentinel):
        return without_placeholders(value, api_name, resource)
    name = OWN_NAMES.get(key) or setting_name(key)
    found = look_up(name, "sources", api_name, *([resource] if resource else []))
    if found is None:
        raise missing_setting(name, api_name)
    if value == dlt.secrets.value:
        learn_secrets(found, name, is_marked=True)
    return found


def look_up(name: str, *sections: str) -> Any:
    """Return a setting in whatever form it has, None if it is missing or empty.

    The first place that has it counts, as in dlt's own look-up, and there its longest name.

    Args:
        name: the setting, with a section that always stands before it: `credentials.database`.
        *sections: those it may stand in, from the outermost; it may also stand in fewer of them.
    """
    *inner, key = name.split(".")
    for provider in dlt.config.config_providers:
        hint = TSecretStrValue if provider.supports_secrets else Any
        for depth in range(len(sections), -1, -1):
            found, _ = provider.get_value(key, hint, None, *sections[:depth], *inner)
            if found:
                return found
    return None


@configspec
class FolderSettings(BaseConfiguration):
    """The folder of the files of running processes."""

    pipelines_dir: str = ".dlt/pipelines"


def pipelines_dir() -> Path:
    """Return the folder of the files of running processes."""
    return Path(resolved(FolderSettings()).pipelines_dir)


def own_destination() -> str | None:
    """Return the words for a destination other than the default DuckDB file, None for that."""
    kind = look_up("destination_type")
    if kind and str(kind).strip() != DEFAULT_DESTINATION:
        return f"`destination_type` is {kind}"
    credentials = look_up("credentials", "destination", "duckdb")
    database = look_up("credentials.database", "destination", "duckdb")
    if isinstance(credentials, Mapping):
        credentials = credentials.get("database")
    for file in (credentials, database):
        path = str(file or DEFAULT_DUCKDB_FILE).removeprefix("duckdb:///")
        if Path(path).absolute() != Path(DEFAULT_DUCKDB_FILE).absolute():
            return f"`destination.duckdb.credentials` is not the default, {DEFAULT_DUCKDB_FILE}"
    return None


def missing_setting(name: str, api_name: str, reason: str = "") -> MissingSettingError:
    """Return the error of a setting that is found nowhere, with the places for it.

    Args:
        name: the setting.
        api_name: the API that needs it.
        reason: a further sentence.
    """
    file = "config.toml" if name in ("base_url", "token_url") else "secrets.toml"
    context, meant = dlt.current.run_context(), misplaced(name, api_name)
    folders = [Path(folder).absolute() for folder in (context.settings_dir, context.global_dir)]
    variable = f"SOURCES__{api_name}__{name}".upper()
    return MissingSettingError(
        f"The {api_name} API needs the setting `{name}`, which is missing"
        f"{f'. {meant} Or' if meant else ':'} set the environment variable {variable}, or write "
        f'{name} = "..." into the section [sources.{api_name}] of {folders[0] / file}, or its '
        f"value into the file {secrets_folder() / variable}. Searched were the environment, these "
        f"two folders, and {folders[1]}."
        f"{' ' if reason else ''}{reason}"
    )


def check_url(name: str, url: str, api_name: str) -> None:
    """Refuse a URL of a scheme other than HTTP and HTTPS, and a base URL with a query.

    Raises:
        SettingsError: it cannot be used; the error leaves out user name and password.
    """
    if wrong := (wrong_base_url if name == "base_url" else wrong_url)(url):
        raise SettingsError(f"The setting `{name}` of the {api_name} API {wrong}")


def endpoint_url(base_url: str, path: str) -> str:
    """Return the URL of an endpoint; its path may be a whole URL."""
    return path if "://" in path else f"{base_url.rstrip('/')}/{path.lstrip('/')}"
