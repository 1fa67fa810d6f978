"""The first rows of a resource, as a load would put them into its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dlt.common.schema.typing import TTableSchemaColumns

from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import Resource
from analytics_assets.contract.rows.delete_marker import DeleteMarker
from analytics_assets.contract.rows.validation import Rejection
from analytics_assets.extract.http.connection import Connection
from analytics_assets.extract.paging.read_sample import ReadSample
from analytics_assets.extract.rows.columns.compat import SchemaInference
from analytics_assets.extract.rows.rejected_rows import ListedRejections
from analytics_assets.extract.sampling.pages_source import pages_source

MOST_PAGES = 10  # for the rows that are asked for
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class LoadedRows:
    """The first rows of a resource.

    Args:
        sample: the pages that they came on.
        table: the table of the resource.
        tables: the rows by their table: that of the resource, and those of lists in its rows.
        columns: the columns of each table, in the order of the table.
        rejected: the rows that the table would not have.
        deleted: the number of rows that mark the row of their key as deleted.
    """

    sample: ReadSample
    table: str
    tables: Mapping[str, Rows]
    columns: Mapping[str, TTableSchemaColumns]
    rejected: Sequence[Rejection]
    deleted: int


def load_first_rows(
    resource: Resource, connection: Connection, params: Mapping[str, Any], rows: int
) -> LoadedRows:
    """Request the first rows of a resource, and make of them what a load does; writes nothing.

    Args:
        resource: the resource.
        connection: sends the requests.
        params: the parameters of the request, such as those of a time window.
        rows: the most rows, for which some pages may be needed.

    Raises:
        dlt.extract.exceptions.ResourceExtractionError: a request failed; its cause is an
            `ApiError` with the reason.
    """
    sample, name = ReadSample(MOST_PAGES, rows), resource.name
    rejected = ListedRejections(resource.api_name, name)
    source = pages_source(resource, connection, params, sample, resource.contract, rejected)
    found = [row for row in source.resources[name] if isinstance(row, dict)]
    marker = DeleteMarker(resource.contract, is_strict=False)
    kept = [row for row in found if not marker.marks(_by_fields(resource.contract, row))]
    inference = SchemaInference(source.resources[name], source.schema)
    tables = inference.loaded(kept)
    columns = {table: inference.columns(table) for table in tables}
    return LoadedRows(
        *(sample, inference.table),
        {table: list(islice(made, rows)) for table, made in tables.items()},
        columns,
        rejected.rejections,
        len(found) - len(kept),
    )


def _by_fields(contract: Contract, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a named row with the API's names of renamed fields beside."""
    own = {field: row[column] for field, column in contract.rename.items() if column in row}
    return {**row, **own}
