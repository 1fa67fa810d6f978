"""Reads of a source without a load: its rows and its rejected rows, or an extraction by dlt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dlt
from dlt.extract import DltSource

from analytics_assets.contract.contract import Contract
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.paged_server import Answers, orders, serving, source_of

MERGED = {"write_disposition": "merge"}
Entries = Iterable[Mapping[str, Any]]


@dataclass
class Rows:
    """The items of a source.

    Args:
        valid: rows as dlt gets them for their tables.
        rejected: rows of the table `rejected_rows`.
    """

    valid: list[Any]
    rejected: list[dict[str, Any]]


def read_rows(
    answers: Answers, *entries: Mapping[str, Any], contract: Contract | None = None
) -> Rows:
    """Read `orders`, or other entries, up to where dlt would write the rows."""
    with serving(answers) as server:
        items = list(source_of(server, *(entries or [orders(MERGED)]), contract=contract))
    rejected = [item for item in items if isinstance(item, dict) and "rejected_at" in item]
    return Rows([item for item in items if item not in rejected], rejected)


def extract(
    answers: Answers, *entries: Mapping[str, Any], contract: Contract | None = None
) -> dlt.Pipeline:
    """Extract `orders`, or other entries, without normalizing or loading the rows."""
    with serving(answers) as server:
        source = source_of(server, *(entries or [orders(MERGED)]), contract=contract)
        return extract_source(source)


def extract_source(source: DltSource) -> dlt.Pipeline:
    """Extract a source."""
    pipeline = Warehouse.from_settings("analytics").pipeline("test")
    pipeline.extract(source, loader_file_format="parquet")
    return pipeline


def load(
    answers: Answers, *entries: Mapping[str, Any], contract: Contract | None = None
) -> dlt.Pipeline:
    """Load `orders`, or other entries, into the warehouse of the test."""
    pipeline = Warehouse.from_settings("analytics").pipeline("test")
    with serving(answers) as server:
        source = source_of(server, *(entries or [orders(MERGED)]), contract=contract)
        pipeline.run(source, loader_file_format="parquet")
    return pipeline


def metrics_of(pipeline: dlt.Pipeline, resource: str = "orders") -> dict[str, Any]:
    """The metrics of the last extraction of a resource, with the number of its items."""
    assert pipeline.last_trace
    assert pipeline.last_trace.last_extract_info
    packages = pipeline.last_trace.last_extract_info.metrics.values()
    found = [each["resource_metrics"] for steps in packages for each in steps]
    (metrics,) = [each[resource] for each in found if resource in each]
    return {**metrics.custom_metrics, "items_count": metrics.items_count}
