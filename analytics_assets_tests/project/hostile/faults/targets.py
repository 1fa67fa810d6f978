"""Targets of a trial: rows in memory, a table of a dlt pipeline, a table of a Dagster run."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dlt.extract import DltSource

from analytics_assets.config.errors import AnalyticsAssetsError, find_cause
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import Resource, resource_of
from analytics_assets.extract.http.connection import connect
from analytics_assets.extract.source import rest_api_source
from analytics_assets.warehouse.evolution.comparison import compare
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.project.hostile.faults.case import (
    RESOURCE,
    Row,
    one_per_key,
    visits_api,
)
from analytics_assets_tests.support.loading import as_json, change, failures_of, load, table_rows


@dataclass
class Memory:
    """Rows out of the source, merged by key in memory.

    A read that fails must yield no row.

    Args:
        rows: The rows of the load before.
        typed: A contract states the types of the rows.
    """

    rows: list[Row] = field(default_factory=list)
    typed: bool = False

    def load(self, columns: Mapping[str, Any]) -> str | None:
        """Read the resource; return why that failed, None if it did not."""
        read: list[Row] = []
        try:
            resource = resource_of(visits_api(columns, self.typed), RESOURCE)
            with source_of(resource, resource.contract) as source:
                for each in source.resources[RESOURCE]:
                    read.append({name: as_json(value) for name, value in each.items()})
        except Exception as error:
            assert not read
            return cause_of(error)
        self.rows = one_per_key([*self.rows, *read])
        return None

    def change(self, statement: str) -> None:
        """Refuse the statement, as there is no warehouse."""
        raise NotImplementedError(statement)

    def content(self) -> tuple[list[Row], int]:
        """Return the rows, and how many rows have been rejected."""
        return self.rows, 0


@dataclass
class Table:
    """A table that a dlt pipeline loads.

    Args:
        warehouse: The warehouse of the table.
        typed: A contract states the types of the rows.
    """

    warehouse: Warehouse
    typed: bool = field(default=False, kw_only=True)

    def load(self, columns: Mapping[str, Any]) -> str | None:
        """Load the resource; return why that failed, None if it did not."""
        file_format: Any = self.warehouse.loader_file_format  # dlt's hint forgets None
        resource = resource_of(visits_api(columns, self.typed), RESOURCE)
        try:
            with self.warehouse.loading(resource.pipeline_name, table=RESOURCE) as pipeline:
                with self.warehouse.open() as tables:
                    contract = compare(tables, resource, resource.contract).contract
                with source_of(resource, contract) as source:
                    pipeline.run(source, loader_file_format=file_format)
        except Exception as error:
            return cause_of(error)
        return None

    def change(self, statement: str) -> None:
        """Run SQL on the warehouse, `{table}` being the table."""
        change(self.warehouse, RESOURCE, statement)

    def content(self) -> tuple[list[Row], int]:
        """Return the rows of the table, none if there is no table, and the number of rejected."""
        with self.warehouse.open() as tables:
            exists = bool(tables.columns(RESOURCE))
            rejected = tables.row_count("rejected_rows") if tables.columns("rejected_rows") else 0
        return table_rows(self.warehouse, RESOURCE) if exists else [], rejected


@dataclass
class Asset(Table):
    """A table that a Dagster run loads.

    Args:
        instance: The Dagster instance.
    """

    instance: dg.DagsterInstance

    def load(self, columns: Mapping[str, Any]) -> str | None:
        """Materialize the resource; return why that failed, None if it did not."""
        result = load(self.instance, RESOURCE, api=visits_api(columns))
        if result.success:
            return None
        error = "\n".join(failures_of(result).values())
        assert error.startswith(f"{RESOURCE} was not loaded."), error
        return error


@contextmanager
def source_of(resource: Resource, contract: Contract) -> Iterator[DltSource]:
    """The source of the resource, as a run makes it."""
    client, name = resource.api.config["client"], resource.api_name
    with closing(connect(client, name, resource=RESOURCE)) as connection:
        contracts, schema = {RESOURCE: contract}, resource.pipeline_name
        yield rest_api_source(resource.config, name, connection, contracts, schema=schema)


def cause_of(error: Exception) -> str:
    """Return the text of an error of this project.

    Raises:
        Exception: It is another error.
    """
    cause = find_cause(error, AnalyticsAssetsError)
    if cause is None:
        raise error
    return str(cause)
