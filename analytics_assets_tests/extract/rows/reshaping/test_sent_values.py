"""Fields get what the request sends, and never a secret."""

from typing import Any

import pytest
import requests

from analytics_assets.config.entry.rows import Origin
from analytics_assets.extract.rows.reshaping.errors import RowsError
from analytics_assets.extract.rows.reshaping.sent_values import sent_values
from analytics_assets.redaction.redactor import redact

URL = "https://api.example.com/v1/sites/a%2Fb/reports?view=daily"


def sent(
    kind: str, value: Any, path: str = "sites/{resources.sites.id}/reports", **parts: Any
) -> Any:
    request = requests.Request("GET", parts.pop("url", URL), **parts)
    return sent_values({"found": Origin(kind, value)}, request, path)["found"]


def refusal(kind: str, value: Any, **parts: Any) -> str:
    with pytest.raises(RowsError) as refused:
        sent(kind, value, **parts)
    return str(refused.value)


@pytest.mark.parametrize(
    ("place", "parts", "value"),
    [
        ("site", {"params": {"site": 5}}, 5),
        ("created[gte]", {"params": {"created[gte]": "2026"}}, "2026"),
        ("view", {}, "daily"),
        ("json.site", {"json": {"site": "a"}}, "a"),
        ("json.ranges[1].from", {"json": {"ranges": [{}, {"from": 7}]}}, 7),
        ("data.site", {"data": {"site": "a"}}, "a"),
        ("data.site", {"data": "site=a&b=c"}, "a"),
        ("headers.x-property", {"headers": {"X-Property": "12"}}, "12"),
        ("params.json.x", {"params": {"json.x": 1}}, 1),
    ],
)
def test_a_value_is_found_at_its_place(place: str, parts: Any, value: Any) -> None:
    assert sent("param", place, **parts) == value


def test_a_place_in_which_nothing_is_sent_is_refused_with_what_there_is() -> None:
    text = refusal("param", "json.propertyId", json={"property": 1})

    assert "sends as `json.propertyId`, and it sends no such value: `json` has property" in (
        text.replace("`property`", "property")
    )
    assert "`json` has nothing" in refusal("param", "json.a")


@pytest.mark.parametrize(
    ("number", "value"), [(1, "sites"), (2, "a/b"), (3, "reports"), (-1, "reports"), (-2, "a/b")]
)
def test_segments_are_those_of_the_entrys_path(number: int, value: str) -> None:
    assert sent("path", number) == value


def test_segments_of_a_whole_url_are_those_of_the_url() -> None:
    assert sent("path", 3, path="{resources.sites.url}") == "a/b"
    assert sent("path", 2, path=URL) == "sites"


@pytest.mark.parametrize("number", [4, 9, -5])
def test_a_segment_that_is_not_there_is_refused(number: int) -> None:
    assert f"is the segment {number} of the path" in refusal("path", number)


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("headers.X-Shop", {"headers": {"X-Shop": "known-to-be-secret-7"}}),
        ("site", {"params": {"site": "known-to-be-secret-7"}}),
        ("json.key", {"json": {"key": "a8f3-22-x"}}),
    ],
)
def test_a_secret_is_no_field(place: str, parts: Any) -> None:
    redact.add("known-to-be-secret-7")
    text = refusal("param", place, **parts)

    assert "is a secret, which would be a column of the table" in text
    assert "known" not in text
