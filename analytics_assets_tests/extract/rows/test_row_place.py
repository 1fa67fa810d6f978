"""The place of the rows in a body, and bodies that have no rows there or report a failure."""

from typing import Any

import pytest

from analytics_assets.extract.rows.row_place import RowPlace

ROW = {"id": 1, "text": "Müller zahlt 5 €"}


def problem(body: Any, selector: str | None = "data", accepts_object: bool = False) -> str | None:
    place = RowPlace(selector, accepts_object)
    misplacement = place.misplacement(body)
    return place.failure(body) or (misplacement.text if misplacement else None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "no `data` in its body"),
        ({"rows": []}, "no `data` in its body"),
        ({"data": None}, "`data` being null and no list"),
        ({"data": {"id": 1}}, "`data` being an object and no list"),
        ({"data": "none"}, "`data` being a text and no list"),
        ({"data": 0}, "`data` being a number and no list"),
        ({"data": 1.5}, "`data` being a number and no list"),
        ({"data": False}, "`data` being a truth value and no list"),
        ([], "no `data` in its body"),
        (None, "no `data` in its body"),
        ("data", "no `data` in its body"),
    ],
)
def test_a_body_without_a_list_in_the_place_of_its_rows_is_no_page(
    body: Any, expected: str
) -> None:
    assert problem(body) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"error": "no quota"}, "`error` in its body"),
        ({"error": {"code": 1}}, "`error` in its body"),
        ({"errors": [{"message": "timeout"}]}, "`errors` in its body"),
        ({"fault": {"faultstring": "limit"}}, "`fault` in its body"),
        ({"exception": "NullPointer"}, "`exception` in its body"),
        ({"success": False}, "`success` being false in its body"),
        ({"ok": False}, "`ok` being false in its body"),
        ({"status": "error"}, "`status` being 'error' in its body"),
        ({"status": "FAILED"}, "`status` being 'FAILED' in its body"),
        ({"status": "fail"}, "`status` being 'fail' in its body"),
    ],
)
def test_a_body_that_reports_a_failure_is_no_page_whatever_rows_it_has(
    fields: dict[str, Any], expected: str
) -> None:
    assert problem({"data": [], **fields}) == expected
    assert problem({"data": [ROW], **fields}) == expected
    assert problem({"data": [ROW], **fields}, selector=None) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"error": None},
        {"error": ""},
        {"error": False},
        {"errors": []},
        {"success": True},
        {"success": None},
        {"ok": True},
        {"status": "ok"},
        {"status": 200},
        {"status": None},
    ],
)
def test_a_body_that_reports_no_failure_is_a_page(fields: dict[str, Any]) -> None:
    assert problem({"data": [ROW], **fields}) is None


@pytest.mark.parametrize("selector", ["items[*]", "$.items[*]", "$.items.[*]"])
def test_an_empty_list_under_a_wildcard_is_a_page_and_a_missing_one_is_not(selector: str) -> None:
    for rows in ([], [ROW], [ROW, {"id": 2}]):
        assert problem({"items": rows}, selector) is None
    assert str(problem({"rows": []}, selector)).startswith("no `")
    assert str(problem({"items": None}, selector)).endswith("being null and no list")
    assert str(problem({"items": {}}, selector)).endswith("being an object and no list")
    assert str(problem({"items": ""}, selector)).endswith("being a text and no list")


@pytest.mark.parametrize(
    "selector", ["items[?(@.id==1)]", "$.items[?(@.id == 1)]", "items[?id==1]"]
)
def test_a_filter_that_matches_no_row_of_a_list_is_a_page(selector: str) -> None:
    for rows in ([], [ROW], [{"id": 2}]):
        assert problem({"items": rows}, selector) is None
    assert problem({"rows": []}, selector) == f"no `{selector.partition('[')[0]}` in its body"
    assert str(problem({"items": None}, selector)).endswith("being null and no list")


def test_a_wildcard_may_be_inside_the_rows_too() -> None:
    groups = {"groups": [{"rows": [ROW]}, {"rows": []}, {"rows": [{"id": 2}]}]}

    assert problem(groups, "groups[*].rows[*]") is None
    assert problem({"groups": []}, "groups[*].rows[*]") is None
    assert problem({}, "groups[*].rows[*]") == "no `groups` in its body"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": 1}, "its body being an object and no list"),
        (None, "its body being null and no list"),
        ("none", "its body being a text and no list"),
        (7, "its body being a number and no list"),
    ],
)
def test_without_a_selector_a_body_must_have_some_list(body: Any, expected: str) -> None:
    assert problem(body, selector=None) == expected
    assert problem({"links": ["next"], "items": [ROW]}, selector=None) is None


def test_a_single_object_may_be_the_only_row_of_an_endpoint_without_paging() -> None:
    for body, selector in ((ROW, None), ({"data": ROW}, "data"), (ROW, "$")):
        assert problem(body, selector, accepts_object=True) is None
    failed = {"id": 1, "status": "failed", "error": "card refused"}
    assert problem(failed, "$", accepts_object=True) is None
    assert problem({"data": None}, "data", True) == "`data` being null and no list"
    assert problem({"data": "x"}, "data", True) == "`data` being a text and no list"
    assert problem({}, "data", True) == "no `data` in its body"


@pytest.mark.parametrize("selector", ["$..data", "'ns:data'"])
def test_a_selector_of_another_form_needs_a_list_too(selector: str) -> None:
    body = {"result": {"data": None}, "ns:data": None}

    assert str(problem(body, selector)).endswith("being null and no list")


@pytest.mark.parametrize(
    ("first", "path"),
    [
        ({"meta": {}, "order rows": [ROW]}, "'order rows'"),
        ({"ns:data": [ROW]}, "'ns:data'"),
        ({"my-data": [ROW]}, "my-data"),
        ({"@graph": [ROW]}, "@graph"),
        ({"d": {"results": [ROW]}}, "d.results"),
        ([ROW], "$"),
    ],
    ids=str,
)
def test_the_place_that_is_detected_in_the_first_page_is_that_of_all(first: Any, path: str) -> None:
    place = RowPlace()
    place.detect(first)

    assert (place.path, place.rows(first)) == (path, [ROW])
    assert place.misplacement(first) is None
    misplacement = place.misplacement({"items": [ROW]})
    assert misplacement
    assert misplacement.text.endswith(", unlike the first page")
    assert not misplacement.is_absent


def test_an_object_with_a_list_is_no_row_behind_a_page_that_is_one() -> None:
    place = RowPlace(accepts_object=True)
    place.detect({"id": 1})

    assert place.misplacement({"id": 2}) is None
    misplacement = place.misplacement({"items": [ROW]})
    assert misplacement
    assert misplacement.text == "a list of rows in its body, unlike the first page"
