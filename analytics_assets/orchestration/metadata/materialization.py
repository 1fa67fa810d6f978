"""Metadata of a materialization, as it is recorded."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from analytics_assets.redaction.redactor import redact

OF_TEXT = (dg.TextMetadataValue, dg.UrlMetadataValue, dg.MarkdownMetadataValue)


def without_secrets(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata without the secrets that this process knows."""
    return {name: _without_secrets(value) for name, value in metadata.items()}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, OF_TEXT):
        return type(value)(redact(str(value.value)))
    if isinstance(value, dg.JsonMetadataValue):
        return dg.JsonMetadataValue(redact.all_of(value.value))
    return redact.all_of(value)
