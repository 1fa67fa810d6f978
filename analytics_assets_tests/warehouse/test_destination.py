"""Destinations: dlt's own, with transactions."""

from typing import Any

import dlt
import pytest
from dlt.common.normalizers.naming.direct import NamingConvention as Direct
from dlt.common.normalizers.naming.snake_case import NamingConvention as SnakeCase

from analytics_assets.warehouse.compat import DuckDbFile
from analytics_assets.warehouse.destination import TRANSACTIONS, DuckDb, Postgres

CREDENTIALS = DuckDbFile("a.duckdb")
EACH = pytest.mark.parametrize("name", ["duckdb", "postgres"])


def own(name: str) -> Any:
    return DuckDb(CREDENTIALS, **TRANSACTIONS) if name == "duckdb" else Postgres(**TRANSACTIONS)


def of_dlt(name: str) -> Any:
    if name == "duckdb":
        return dlt.destinations.duckdb(CREDENTIALS, supports_transactions=True)
    return dlt.destinations.postgres(supports_transactions=True)


@EACH
@pytest.mark.parametrize("naming", [None, Direct(), SnakeCase()])
def test_capabilities_depend_on_no_setting(name: str, naming: Any) -> None:
    can, expected = (make(name).capabilities(naming=naming) for make in (own, of_dlt))
    assert str(dict(can)) == str(dict(expected))  # as two partial functions are never equal
    assert can.supports_transactions


@EACH
def test_its_name_in_settings_and_in_the_stored_state_is_dlts(name: str) -> None:
    assert own(name).destination_name == of_dlt(name).destination_name == name
    assert own(name).destination_type == of_dlt(name).destination_type


@EACH
def test_dlts_own_settings_of_a_destination_apply(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DESTINATION__{name.upper()}__CREATE_INDEXES", "true")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", "postgresql://me:it@localhost/here")
    destination = own(name)
    assert destination.config_params == of_dlt(name).config_params
    settings = destination.configuration(destination.spec()._bind_dataset_name("analytics"))
    assert settings.create_indexes is True
