"""The failure of a load, with the remedy; also of dlt's errors about values and columns."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg
from dlt.common.schema.exceptions import (
    CannotCoerceColumnException,
    CannotCoerceNullException,
    UnboundColumnException,
)

from analytics_assets.config.errors import (
    AnalyticsAssetsError,
    ConfigurationError,
    find_cause,
    without_name,
)
from analytics_assets.contract.resource import Resource
from analytics_assets.extract.http.errors import is_quota_used_up
from analytics_assets.orchestration.api_file import user_error
from analytics_assets.orchestration.assets.deletion import RowsNotDroppedError
from analytics_assets.orchestration.metadata.names import CAUSE
from analytics_assets.orchestration.runs.tags import range_name
from analytics_assets.redaction.redactor import redact

_VALUE = re.compile(r"(?<=Could not convert ).*(?= with type)", re.DOTALL)  # of Arrow's errors
QUOTA_USED_UP = "quota used up"  # the `CAUSE` in the metadata of a failure
NULL_COLUMN = re.compile("Column '(.+)' is declared non-nullable")  # of pyarrow
# the field of a policy that an error of Dagster is about, by a word of it
FIELDS = {"owner": "owners", "tag": "tags", "valid name": "group", "group name": "group"}
NULL_ADVICE = (
    'Remove `"nullable": False` from the `columns` of the entry, or correct the name of the field. '
    "If the entry no longer names the column, remove the constraint in the warehouse "
    "(ALTER TABLE ... ALTER COLUMN ... DROP NOT NULL)."
)


def failure_of(
    error: Exception, resource: Resource, partitions: Sequence[str]
) -> dg.Failure | None:
    """Return a failure that describes an error; None if its cause is unknown."""
    cause = (
        find_cause(error, AnalyticsAssetsError)
        or user_error(error)
        or explanation_of(error, resource.contract.key_columns)
    )
    if cause is None:
        return None
    of = f" for {range_name(partitions)}" if partitions else ""
    is_loaded = isinstance(cause, RowsNotDroppedError)
    outcome = "loaded, but nothing was dropped" if is_loaded else "not loaded"
    reason = without_name(cause, resource.name)
    metadata = {CAUSE: QUOTA_USED_UP} if is_quota_used_up(error) else {}
    return dg.Failure(redact(f"{resource.name} was {outcome}{of}. {reason}"), metadata=metadata)


def explanation_of(error: BaseException, key_columns: tuple[str, ...]) -> str | None:
    """Return a sentence about a value that does not fit its column, with the remedy.

    Args:
        error: the error of a load.
        key_columns: the primary key by the table's names.

    Returns:
        The sentence; None if the load failed for another reason.
    """
    unfit = find_cause(error, CannotCoerceColumnException)
    if isinstance(unfit, CannotCoerceColumnException):
        field = unfit.column_name.partition("__v_")[0]
        return (
            f"A value of the type {unfit.from_type} fits none of the columns of its field: "
            f"`{unfit.column_name}` is {unfit.to_type}. {_type_advice(field)}"
        )
    null = find_cause(error, CannotCoerceNullException)
    if isinstance(null, CannotCoerceNullException):
        return f"A row has no value for a column that is declared not null: {null}. {NULL_ADVICE}"
    from pyarrow import ArrowInvalid  # takes 0.1 s, which definitions do not need

    unwritable = find_cause(error, ArrowInvalid)
    null_column = NULL_COLUMN.search(str(unwritable))
    if null_column and null_column[1] not in key_columns:
        return f"A row has no value for a column that takes no null: {unwritable}. {NULL_ADVICE}"
    if unwritable:
        reason = _VALUE.sub("a value", str(unwritable))
        return (
            f"dlt cannot write the rows into the columns of the table: {reason}. A field has "
            "no value, or another type than in the rows before. "
            + _type_advice((*key_columns, "field")[0])
        )
    unbound = find_cause(error, UnboundColumnException)
    if not isinstance(unbound, UnboundColumnException):
        return None
    column = str(unbound.columns[0]["name"])
    if column in key_columns:
        return (
            f"No row has a value for the column `{column}` of the primary key: its field has "
            f"another type than in the rows before. {_type_advice(column)}"
        )
    return f"No row has a value for the column `{column}`, declared not null. {NULL_ADVICE}"


def _type_advice(field: str) -> str:
    return (
        f'Set the one type that holds all values, such as "columns": {{"{field}": {{"data_type": '
        '"text"}} in the entry: the stored column is widened to it.'
    )


@contextmanager
def refusals_explained(resource: Resource) -> Iterator[None]:
    """Name the resource, and the field of its policy, in an error of Dagster about it."""
    try:
        yield
    except dg.DagsterInvalidDefinitionError as error:
        said, name = str(error), resource.name
        field = next((field for word, field in FIELDS.items() if word in said), None)
        refused = (
            f"policy of `{name}`: Dagster refuses `{field}`"
            if field
            else (f"Dagster refuses the resource `{name}`")
        )
        raise ConfigurationError(f"{refused}: {said}") from error
