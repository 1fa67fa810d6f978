"""Responses that are no page of rows fail the read, with the reason and the remedy."""

import json
from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets_tests.support.paged_server import Answer, attempted, failed, in_turn, read

ROW = {"id": 1, "text": "Müller zahlt 5 €"}


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")


def rows_of(body: Any, selector: str | None, paginator: Any = "single_page", **headers: str) -> Any:
    """The rows of a single page with this body."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answers = in_turn(*[Answer(body, headers=headers)] * 2)
    return read(answers, {"primary_key": None}, data_selector=selector, paginator=paginator).rows


def error_of(body: Any, **endpoint: Any) -> str:
    return failed(in_turn(*[Answer(body)] * 2), **endpoint).error


def test_rows_in_another_place_are_not_printed_but_the_remedy_is() -> None:
    error = error_of({"items": [{"id": 1, "name": "Erika Mustermann"}], "next": None})

    assert error.startswith("orders: GET http://127.0.0.1")
    assert "Mustermann" not in error
    assert error.endswith(
        ": the API answered 200 with no `data` in its body: the body has the keys `items`, `next`. "
        "Set `data_selector` of the entry to where its rows are."
    )


def test_a_failure_in_a_body_and_a_body_that_is_not_json_are_shown() -> None:
    failure = error_of({"data": [], "error": "no quota"})
    assert "with `error` in its body: " in failure
    assert "no quota" in failure
    assert "with a body that is not JSON: <h1>Hello</h1>" in error_of(b"<h1>Hello</h1>")


@pytest.mark.parametrize(
    ("body", "selector", "rows"),
    [
        ({"items": []}, "items[*]", []),
        ({"items": [ROW, {"id": 2}]}, "$.items.[*]", [ROW, {"id": 2}]),
        ({"items": [ROW, {"id": 2}]}, "items[?(@.id==1)]", [ROW]),
        ({"items": [{"id": 2}]}, "items[?id==1]", []),
        ({"a": [{"rows": [ROW]}, {"rows": []}]}, "a[*].rows[*]", [ROW]),
        ({"a": []}, "a[*].rows[*]", []),
        ([ROW, {"id": 2}], "$", [ROW, {"id": 2}]),
        ([ROW, {"id": 2}], "$[*]", [ROW, {"id": 2}]),
        ([ROW, {"id": 2}], None, [ROW, {"id": 2}]),
        ([], None, []),
        ({"links": ["next"], "items": [ROW], "total": 1}, None, [ROW]),
        (
            {"id": 1, "status": "failed", "error": "x"},
            "$",
            [{"id": 1, "status": "failed", "error": "x"}],
        ),
    ],
)
def test_rows_are_read_from_their_place(body: Any, selector: str | None, rows: list[Any]) -> None:
    assert rows_of(body, selector) == rows


@pytest.mark.parametrize("paginator", ["single_page", "auto", None])
def test_a_single_object_is_the_only_row_of_an_endpoint_without_paging(paginator: Any) -> None:
    assert rows_of(ROW, None, paginator) == [ROW]
    assert rows_of({"data": ROW}, "data", paginator) == [ROW]
    assert "`data` being null and no list" in error_of({"data": None}, paginator=paginator)


def test_pages_behind_one_without_a_match_are_read_where_the_api_names_them() -> None:
    paginator = {"type": "cursor", "cursor_path": "after", "cursor_param": "after"}
    answers = in_turn(
        Answer({"data": [{"id": 1, "x": 2}], "after": "a"}),
        Answer({"data": [{"id": 2, "x": 1}, {"id": 3, "x": 2}], "after": "b"}),
        Answer({"data": []}),
    )

    assert read(answers, data_selector="data[?(@.x==1)]", paginator=paginator).numbers == [2]


@pytest.mark.parametrize("paginator", [{"type": "offset", "limit": 2}, "page_number", "auto", None])
def test_a_filter_is_refused_where_rows_left_out_would_move_or_end_the_paging(
    paginator: Any,
) -> None:
    with pytest.raises(ConfigurationError, match=r'orders`.*"processing_steps": \[{"filter"'):
        read(in_turn(), data_selector="data[?(@.x==1)]", paginator=paginator)


def encoded(encoding: str) -> bytes:
    return json.dumps({"data": [ROW]}, ensure_ascii=False).encode(encoding)


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", "text/html"),
        ("utf-16", "application/json"),
        ("cp1252", "text/html; charset=cp1252"),
    ],
)
def test_texts_arrive_as_they_were_sent(encoding: str, content_type: str) -> None:
    assert rows_of(encoded(encoding), "data", Content_Type=content_type) == [ROW]


def test_a_response_action_may_set_the_encoding_of_a_read() -> None:
    def set_encoding(response: Any, *_arguments: Any, **_options: Any) -> Any:
        response.encoding = "windows-1252"
        return response

    answers = in_turn(Answer(encoded("cp1252")))
    attempt = attempted(answers, paginator="single_page", response_actions=[set_encoding])

    assert attempt.rows == [ROW]


def test_a_broken_page_behind_a_good_one_fails_the_read() -> None:
    answers = in_turn(Answer({"data": [ROW, {"id": 2}]}), Answer({"data": "none"}))

    assert "`data` being a text" in failed(answers).error


@pytest.mark.parametrize("second", [{"items": [ROW]}, {"data": "none"}, {"error": "busy"}])
def test_without_a_selector_the_list_must_be_where_it_was_on_the_first_page(
    second: dict[str, Any],
) -> None:
    answers = in_turn(Answer({"data": [ROW, {"id": 2}]}), Answer({**second, "hints": []}))

    assert failed(answers, data_selector=None).error
