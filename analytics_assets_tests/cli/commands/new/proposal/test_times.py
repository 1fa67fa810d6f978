"""Loads of changed rows and of days, by parameters of time: active where the document says so."""

from datetime import date
from typing import Any

import pytest

from analytics_assets.cli.commands.new.proposal.resource import ProposedResource
from analytics_assets.config.errors import ConfigurationError
from analytics_assets_tests.cli.commands.new.documents import (
    DAY,
    NUMBER,
    TEXT,
    TIME,
    array,
    orders,
    query,
)

ROW = {"id": NUMBER, "created_at": TIME, "updated_at": TIME}
REPORT = {"id": NUMBER, "date": DAY}


def loads(fields: dict[str, Any], *parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The kind, the arguments and the state of each proposed load."""
    resource = orders(array(fields), *parameters)
    return [(each.kind, dict(each.arguments), each.is_active) for each in resource.loads]


@pytest.mark.parametrize(
    "name", ["updated_since", "modified_after", "updatedAt[gte]", "updated_at__gte", "updated_min"]
)
def test_a_parameter_for_changed_rows_loads_them_alone(name: str) -> None:
    expected = {"param": name, "field": "updated_at", "initial_value": "2000-01-01T00:00:00Z"}

    assert loads(ROW, query(name, TIME)) == [("Incremental", expected, True)]


def test_days_are_sent_as_days() -> None:
    [(_, arguments, _)] = loads(ROW, query("updated_since", DAY))

    assert arguments["initial_value"] == "2000-01-01"


def test_a_parameter_without_a_format_is_a_guess() -> None:
    assert [active for *_, active in loads(ROW, query("updated_since", TEXT))] == [False]


@pytest.mark.parametrize(
    ("description", "is_active"), [("Only rows updated since.", True), ("Since a time.", False)]
)
def test_since_is_about_changes_if_its_description_says_so(
    description: str, is_active: bool
) -> None:
    [(kind, arguments, active)] = loads(ROW, query("since", TIME, description=description))

    assert (kind, arguments["field"], active) == ("Incremental", "updated_at", is_active)


def test_times_of_creation_are_a_guess_as_they_miss_changes() -> None:
    created = {
        "name": "created",
        "in": "query",
        "style": "deepObject",
        "schema": {
            "anyOf": [{"type": "object", "properties": {"gte": NUMBER, "lte": NUMBER}}, NUMBER]
        },
    }
    seconds = NUMBER | {"format": "unix-time"}
    resource = orders(array({"id": TEXT, "created": seconds}), created)
    [incremental, _] = resource.loads

    assert incremental.arguments["param"] == "created[gte]"
    assert not incremental.is_active
    assert "reads new rows alone" in str(incremental.check)
    assert resource.time_formats["created"].value == "epoch_seconds"


@pytest.mark.parametrize("required", [True, False])
def test_a_span_of_days_is_active_only_if_it_must_be_sent(required: bool) -> None:
    span = [query(name, DAY, required=required) for name in ("start_date", "end_date")]

    assert loads(REPORT, *span) == [("Partitioned", {"start": date(2026, 1, 1)}, required)]


def test_a_span_has_the_parameters_and_the_format_of_the_document() -> None:
    span = [
        query("startAt", NUMBER, required=True, description="Timestamp (in ms)."),
        query("endAt", NUMBER, required=True, description="Timestamp (in ms)."),
    ]
    [(_, arguments, _)] = loads({"id": NUMBER, "createdAt": TIME}, *span)

    assert arguments["window"] == {
        "start_param": "startAt",
        "end_param": "endAt",
        "format": "epoch_milliseconds",
    }


def test_from_and_to_are_a_span_only_if_they_are_times() -> None:
    assert loads(REPORT, query("from", NUMBER), query("to", NUMBER)) == []
    assert [kind for kind, *_ in loads(REPORT, query("from", DAY), query("to", DAY))] == [
        "Partitioned"
    ]


def column_of(fields: dict[str, Any]) -> ProposedResource:
    return orders(array(fields))


def test_the_day_of_a_row_is_a_guess_if_it_is_a_time() -> None:
    assert column_of(REPORT).date_column.check is None
    assert column_of(ROW).date_column.value == "created_at"
    assert column_of(ROW).date_column.check
    assert column_of({"id": NUMBER}).date_column.value is None


def test_rows_without_a_key_are_loaded_as_a_whole() -> None:
    assert loads({"date": DAY, "a": TIME}, query("start_date", DAY), query("end_date", DAY)) == []


def test_a_span_that_must_be_sent_and_has_no_day_in_the_rows_is_left_to_the_user() -> None:
    span = [query(name, DAY, required=True) for name in ("start_date", "end_date")]
    with pytest.raises(ConfigurationError, match="needs the parameter `start_date`, `end_date`"):
        orders(array({"id": NUMBER}), *span)
