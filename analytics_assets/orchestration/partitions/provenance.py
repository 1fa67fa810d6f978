"""What a partition's load was made of: by it, Dagster tells partitions that a change made stale."""

from collections.abc import Mapping

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    compute_logical_data_version,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)


def provenance_tags(asset: dg.AssetSpec) -> Mapping[str, str]:
    """Return the tags that Dagster 1.13 gives to the materialization of an output.

    One that a step tells of by itself has none, and would stay fresh whatever is changed in the
    resource's entry. Without the endpoint, the asset would at once have a new dependency.

    Args:
        asset: the asset, with the endpoints that it depends on: they have no versions.
    """
    code = str(asset.code_version)
    endpoints = dict.fromkeys((dep.asset_key for dep in asset.deps), DEFAULT_DATA_VERSION)
    tags = {
        CODE_VERSION_TAG: code,
        DATA_VERSION_TAG: compute_logical_data_version(code, endpoints).value,
    }
    for endpoint, version in endpoints.items():
        tags[get_input_data_version_tag(endpoint)] = version.value
        tags[get_input_event_pointer_tag(endpoint)] = NULL_EVENT_POINTER
    return tags
