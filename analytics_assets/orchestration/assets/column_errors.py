"""What to do about a value that has no place in its column, which dlt finds out after reading."""

import re

from dlt.common.schema.exceptions import CannotCoerceColumnException, UnboundColumnException
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from analytics_assets.config.errors import find_cause
from analytics_assets.contract import Contract
from analytics_assets.orchestration.metadata import key_types
from analytics_assets.warehouse.warehouse import Warehouse

# what Arrow, dlt and PostgreSQL say of it
NOT_NULL = re.compile(
    r"Column '([^']+)' is declared non-nullable|column `([^`]+)` which is not nullable"
    r'|null value in column "([^"]+)"'
)
MOST_COLUMNS = re.compile(r"at most (\d+) (columns|entries)")  # PostgreSQL's own words


def unfit_column(
    error: Exception, contract: Contract, warehouse: Warehouse, table: str
) -> str | None:
    """Say what to do if a load failed by the type of a value, or the number of columns.

    Args:
        error: what dlt raised.
        contract: the resource, and its primary key.
        warehouse: where the table is; its column is looked at.
        table: the table.

    Returns:
        What happened and the mend; None if the load failed by something else.
    """
    other = find_cause(error, CannotCoerceColumnException)
    if isinstance(other, CannotCoerceColumnException):
        field = other.column_name.partition("__v_")[0]
        return (
            f"A value of the type {other.from_type} fits none of the columns of its field: "
            f"`{other.column_name}` is {other.to_type}. {_mend(field)}"
        )
    if most := MOST_COLUMNS.search(str(error)):
        return (
            f"The rows have more columns than PostgreSQL takes, which are {most[1]} at most. Ask "
            "the API for fewer fields, or leave some out by `processing_steps` in the entry."
        )
    empty = _empty_column(error)
    if not empty:
        return None
    if empty in contract.key_columns:
        types = _types(error, contract, warehouse, table, empty)
        return (
            f"A row has nothing for the column `{empty}` of the primary key: its field is of "
            f"another type than in the rows so far{types}. {_mend(empty)}"
        )
    return (
        f"A row has nothing for the column `{empty}`, which the entry says is not null. Take "
        '`"nullable": False` out of its `columns`, or name the field as the API does.'
    )


def _empty_column(error: Exception) -> str | None:
    """Return the column that is null where it must not be; each stage of dlt says it otherwise."""
    unbound = find_cause(error, UnboundColumnException)
    if isinstance(unbound, UnboundColumnException):
        return str(unbound.columns[0]["name"])
    found = NOT_NULL.search(str(error))
    return next(filter(None, found.groups())) if found else None


def _types(
    error: Exception, contract: Contract, warehouse: Warehouse, table: str, column: str
) -> str:
    """Name the type of the table's column, and that of the values, as far as they are known."""
    with warehouse.open() as tables:
        known = [f"the column is {tables.columns(table).get(column, {}).get('data_type')}"]
    failed = find_cause(error, PipelineStepFailed)
    pipeline = failed.pipeline if isinstance(failed, PipelineStepFailed) else None
    trace = pipeline.last_trace if isinstance(pipeline, Pipeline) else None
    for field, kind in (key_types(trace, contract.resource) if trace else {}).items():
        if contract.name_of(field) == column:
            known.append(f"the API sent a {kind}")
    return f" ({', '.join(known)})"


def _mend(field: str) -> str:
    return (
        f'Say the one type that holds all, such as "columns": {{"{field}": {{"data_type": '
        '"text"}} in the entry, and load into an empty table.'
    )
