"""Settings of the warehouse, looked up with dlt's own providers.

`destination_type` chooses it, `destination.<type>.credentials` are its credentials
(https://dlthub.com/docs/dlt-ecosystem/destinations), and `dataset_name` is the schema of tables.
"""

import os
import re
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    InvalidNativeValue,
    ValueNotSecretException,
)
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.exceptions import MissingDependencyException
from dlt.common.normalizers.naming.snake_case import NamingConvention

from analytics_assets.config.errors import SettingsError, find_cause
from analytics_assets.config.settings.look_up import DEFAULT_DESTINATION
from analytics_assets.config.settings.resolution import resolved, secret_in_config
from analytics_assets.redaction.configuration import learn_secrets
from analytics_assets.warehouse.errors import WarehouseError

DOCUMENTED = "https://dlthub.com/docs/dlt-ecosystem/destinations"
OF_DESTINATION = re.compile(r"(^|__)(DESTINATION|CREDENTIALS)(__|$)|^PGPASSWORD$")


@configspec
class DatasetSettings(BaseConfiguration):
    """The schema (dataset) of an API's tables; None for one with the name of the API."""

    dataset_name: str | None = None


@configspec
class WarehouseSettings(BaseConfiguration):
    """dlt's own pipeline settings, and those of locks and of the history of loads.

    Args:
        destination_type: a dlt destination: `duckdb`, `postgres`, `snowflake`, ...
        lock_patience: seconds that a run waits for a table, or a DuckDB file, which a process
            holds that is no run of the same Dagster instance.
        history_days: days for which dlt's records of loads are kept; 0 is for ever.
    """

    destination_type: str = DEFAULT_DESTINATION
    lock_patience: float = 3600
    history_days: int = 90


def warehouse_settings() -> WarehouseSettings:
    """Look the settings up.

    Raises:
        WarehouseError: a value is no number, or is negative.
    """
    try:
        settings = resolved(WarehouseSettings())
    except SettingsError as error:
        raise WarehouseError(str(error)) from None
    for name in ("lock_patience", "history_days"):
        if getattr(settings, name) < 0:
            raise _not_a_number(name, getattr(settings, name))
    settings.destination_type = settings.destination_type.strip() or DEFAULT_DESTINATION
    _learn_credentials()
    return settings


def settings_error(error: BaseException, destination_type: str) -> WarehouseError | None:
    """Return the error of credentials or a driver that are missing; None for another cause.

    Args:
        error: dlt's error when the warehouse is opened, with its causes.
        destination_type: the destination.
    """
    name = f"destination.{destination_type}.credentials"
    if find_cause(error, ConfigFieldMissingException):
        return WarehouseError(
            f"The warehouse needs the setting `{name}`, which is missing or has not all parts: set "
            f"the environment variable {name.upper().replace('.', '__')}, or write it into "
            f".dlt/secrets.toml. Its form: {DOCUMENTED}/{destination_type}."
        )
    if find_cause(error, InvalidNativeValue):
        return WarehouseError(
            f"The setting `{name}` cannot be read: it has another form than "
            f"{DOCUMENTED}/{destination_type} shows."
        )
    if misplaced := find_cause(error, ValueNotSecretException):
        return WarehouseError(str(secret_in_config(misplaced)))
    if find_cause(error, MissingDependencyException):
        return WarehouseError(
            f"The destination {destination_type} needs a driver, which is not installed: run "
            f"pip install 'dlt[{destination_type}]'."
        )
    return None


def _learn_credentials() -> None:
    """Remove the secrets of any destination from all texts: dlt itself looks them up."""
    for provider in (dlt.secrets, dlt.config):
        learn_secrets(provider.get("destination"))
    for name, value in os.environ.items():
        if OF_DESTINATION.search(name):
            learn_secrets(value, name.rpartition("__")[2])


def dataset_of(api_name: str) -> str:
    """Return the dataset of an API's tables, as dlt writes its name.

    Args:
        api_name: the API's name: `sources.<api name>.dataset_name` goes before `dataset_name`, and
            the name is the default. An empty setting counts as none.
    """
    for sections in (("sources", api_name), ("sources",), ()):
        name = resolved(DatasetSettings(), sections).dataset_name
        if name and name.strip():
            return NamingConvention().normalize_table_identifier(name.strip())
    return api_name


def _not_a_number(setting: str, value: Any) -> WarehouseError:
    return WarehouseError(
        f"The setting `{setting}` cannot be {value!r}: give a number that is not negative."
    )
