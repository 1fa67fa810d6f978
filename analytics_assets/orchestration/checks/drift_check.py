"""The check of the API's document and rows against the stored contract."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import dagster as dg

from analytics_assets.config.errors import AnalyticsAssetsError
from analytics_assets.contract.column import Column
from analytics_assets.contract.described_contract import contract_in
from analytics_assets.contract.drift import drift
from analytics_assets.contract.openapi.endpoints import stored_endpoints
from analytics_assets.contract.resource import Resource
from analytics_assets.orchestration.checks.document_cache import DocumentCache
from analytics_assets.orchestration.checks.result import CheckResult
from analytics_assets.orchestration.metadata.names import (
    ABSENT_FIELDS,
    ROWS_RECEIVED,
    UNKNOWN_FIELDS,
)

TAKE_OVER = (
    "`analytics-assets contract` stores the API's document as the new contract. Stored columns are "
    "then widened, or stay; no value changes."
)


def check_drift(
    resource: Resource, load: Mapping[str, Any], documents: DocumentCache, now: datetime
) -> CheckResult:
    """Warn if the API's document or rows differ from the stored contract.

    Args:
        resource: the resource, whose API may serve a document.
        load: the metadata of the last load.
        documents: the documents of APIs.
        now: the moment of the check.
    """
    observed, advice = list(_observed(resource, load)), TAKE_OVER
    try:
        changes = _changes(resource, documents, now)
    except AnalyticsAssetsError as error:
        changes = [f"the API's document could not be compared: {error}"]
    if changes is None:
        advice = f"No document is compared: {_why_none(resource)}."
    lines = [*(changes or ()), *observed]
    if lines:
        text = "\n".join([*lines, advice])
    else:
        text = "The API matches the contract."
        if changes is None:
            text = f"The rows match the contract. {advice}"
    return CheckResult(not lines, text, dg.AssetCheckSeverity.WARN, {"changes": len(lines)})


def _changes(resource: Resource, documents: DocumentCache, now: datetime) -> list[str] | None:
    """Return the differences of the API's document; None if it serves none."""
    served = documents.document_of(resource.api, now) if resource.api.openapi_path else None
    if served is None:
        return None
    return drift(resource.contract, contract_in(stored_endpoints(served), resource))


def _why_none(resource: Resource) -> str:
    path = resource.api.openapi_path
    if path is None:
        return "`openapi_path` is None"
    return f"the API serves none at `{path}`, the `openapi_path` in `api.py`"


def _is_in_each_row(column: Column) -> bool:
    return column.required and not any(parent.nullable for parent in column.parents)


def _observed(resource: Resource, load: Mapping[str, Any]) -> Iterator[str]:
    """Yield the differences of the rows; a field that may be missing is none."""
    for field, kind in (load.get(UNKNOWN_FIELDS) or {}).items():
        if field not in resource.added_fields:
            yield f"rows have `{field}` ({kind}), unknown to it"
    if load.get(ROWS_RECEIVED):
        absent = load.get(ABSENT_FIELDS) or ()
        required = {each.field for each in resource.contract.columns if _is_in_each_row(each)}
        if tombstone := resource.policy.tombstone:
            required.discard(tombstone["field"])  # null until a row is deleted
        yield from (f"no row has `{field}`" for field in absent if field in required)
