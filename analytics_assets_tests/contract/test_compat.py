"""Undocumented interfaces of dlt 1.31: a test fails where another version changes one of them."""

from datetime import UTC, datetime

import dlt
import pytest
from dlt.sources.helpers.rest_client.detector import find_response_page_data

from analytics_assets.contract import compat


@pytest.mark.parametrize("name", ["orderId", "a__b", "a.b", "Größe", "2nd", "x+"])
def test_naming_convention_normalize_path_names_columns_as_a_schema_does(name: str) -> None:
    assert compat.snake_case(name) == dlt.Schema("orders").naming.normalize_path(name)


def test_parse_iso_like_datetime_keeps_the_time_zone_of_a_text() -> None:
    parsed = compat.parse_time("0001-01-01T00:00:00+01:00")
    assert isinstance(parsed, datetime)
    with pytest.raises(OverflowError):
        parsed.astimezone(UTC)
    with pytest.raises(ValueError, match="Invalid datetime"):
        compat.parse_time("soon")


def test_detector_record_key_patterns_are_preferred_in_a_response() -> None:
    for name in ("data", "items", "results", "rows"):
        assert compat.is_record_key(name)
        assert find_response_page_data({"orders": [{}], name: [{}]})[0] == (name,)
    assert not compat.is_record_key("orders")


def test_detector_single_entity_path_takes_a_placeholder_at_the_end_for_an_object() -> None:
    assert compat.is_single_entity("/orders/{resources.orders.id}")
    assert not compat.is_single_entity("/orders/{id}/lines")
