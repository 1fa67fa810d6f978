import json
from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets_tests.support.paged_server import Answer, attempted, failed, in_turn, read

ROW = {"id": 1, "text": "Müller zahlt 5 €"}
UTF_8 = ["application/json", "text/html", "application/json; charset=utf-8"]
NOT_JSON = ["", " ", "<h1>Hello</h1>", '{"data": [', '{"data": []} {}', "{'data': []}", "\x00"]


@pytest.fixture(autouse=True)
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_MAX_ATTEMPTS", "1")


def complaint(body: Any, selector: str | None = "data", paginator: Any = "offset") -> str:
    """What the error says of a page with this body."""
    paginator = {"type": "offset", "limit": 2} if paginator == "offset" else paginator
    error = failed(in_turn(Answer(body)), data_selector=selector, paginator=paginator).error
    start, _, said = error.partition(": the API answered 200 with ")
    assert start.startswith("orders: GET http://127.0.0.1")
    return said.partition(": ")[0]


def test_rows_in_another_place_are_not_printed_but_the_place_to_name_is() -> None:
    body = {"items": [{"id": 1, "name": "Erika Mustermann"}], "next": None}
    error = failed(in_turn(Answer(body))).error
    assert "Mustermann" not in error
    assert error.endswith(
        "with no `data` in its body: the body has the keys `items`, `next`. Set `data_selector` of "
        "the entry to where its rows are."
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([ROW], "the body is a list."),
        (None, "the body is null."),
        ({}, "the body has no keys."),
        ({"message": "over the quota"}, "the keys `message`, and says: over the quota."),
        ({f"{number}": ROW for number in range(21)}, "`18`, `19`, ...."),
    ],
)
def test_a_body_without_rows_is_told_by_what_it_consists_of(body: Any, told: str) -> None:
    error = failed(in_turn(Answer(body))).error
    assert told in error
    assert str(ROW["text"]) not in error


def found(body: Any, selector: str | None, paginator: Any = "single_page", **headers: str) -> Any:
    """The rows of a single page with this body."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answers = in_turn(Answer(body, headers=headers))
    return read(answers, {"primary_key": None}, data_selector=selector, paginator=paginator).rows


@pytest.mark.parametrize(
    ("body", "said"),
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
def test_a_page_without_a_list_of_rows_where_they_belong_is_an_error(body: Any, said: str) -> None:
    assert complaint(json.dumps(body).encode()).startswith(said)


@pytest.mark.parametrize(
    ("fields", "said"),
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
def test_a_body_that_reports_a_failure_is_an_error_whatever_rows_it_has(
    fields: dict[str, Any], said: str
) -> None:
    assert complaint({"data": [], **fields}) == said
    assert complaint({"data": [ROW], **fields}) == said
    assert complaint({"data": [ROW], **fields}, selector=None) == said


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
    assert found({"data": [ROW], **fields}, "data") == [ROW]


@pytest.mark.parametrize("selector", ["items[*]", "$.items[*]", "$.items.[*]"])
def test_an_empty_list_under_a_wildcard_is_a_page_and_a_missing_one_is_not(selector: str) -> None:
    assert found({"items": []}, selector) == []
    assert found({"items": [ROW]}, selector) == [ROW]
    assert found({"items": [ROW, {"id": 2}]}, selector) == [ROW, {"id": 2}]
    assert complaint({"rows": []}, selector).startswith("no `")
    assert complaint({"items": None}, selector).endswith("being null and no list")
    assert complaint({"items": {}}, selector).endswith("being an object and no list")
    assert complaint({"items": ""}, selector).endswith("being a text and no list")


FILTERS = ["items[?(@.id==1)]", "$.items[?(@.id == 1)]", "items[?id==1]"]


@pytest.mark.parametrize("selector", FILTERS)
def test_a_filter_that_matches_no_row_of_a_list_finds_a_page_without_rows(selector: str) -> None:
    assert found({"items": [ROW, {"id": 2}]}, selector) == [ROW]
    assert found({"items": [{"id": 2}]}, selector) == found({"items": []}, selector) == []
    assert complaint({"rows": []}, selector, "single_page") == "no `items` in its body".replace(
        "items", selector.partition("[")[0]
    )
    assert complaint({"items": None}, selector, "single_page").endswith("being null and no list")


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


def test_a_wildcard_may_be_inside_the_rows_too() -> None:
    groups = {"groups": [{"rows": [ROW]}, {"rows": []}, {"rows": [{"id": 2}]}]}

    assert found(groups, "groups[*].rows[*]") == [ROW, {"id": 2}]
    assert found({"groups": []}, "groups[*].rows[*]") == []
    assert complaint({}, "groups[*].rows[*]", "single_page") == "no `groups` in its body"


@pytest.mark.parametrize("selector", ["$", "$[*]", None])
def test_the_body_itself_may_be_the_list_of_rows(selector: str | None) -> None:
    assert found([ROW, {"id": 2}], selector) == [ROW, {"id": 2}]
    assert found([], selector) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"id": 1}, "its body being an object and no list"),
        (b"null", "its body being null and no list"),
        (b'"none"', "its body being a text and no list"),
        (b"7", "its body being a number and no list"),
    ],
)
def test_without_a_selector_a_page_must_have_some_list(body: Any, said: str) -> None:
    assert complaint(body, selector=None).startswith(said)


def test_without_a_selector_the_list_is_found() -> None:
    body = {"links": ["next"], "items": [ROW], "total": 1}

    assert found(body, None) == [ROW]


@pytest.mark.parametrize("paginator", ["single_page", "auto", None])
def test_a_single_object_may_be_all_that_an_endpoint_without_paging_has(paginator: Any) -> None:
    assert found(ROW, None, paginator) == [ROW]
    assert found({"data": ROW}, "data", paginator) == [ROW]
    assert found(ROW, "$", paginator) == [ROW]


@pytest.mark.parametrize("paginator", ["single_page", "auto"])
def test_a_text_or_nothing_at_all_is_not_even_the_only_row(paginator: Any) -> None:
    assert complaint({"data": None}, "data", paginator) == "`data` being null and no list"
    assert complaint({"data": "x"}, "data", paginator) == "`data` being a text and no list"
    assert complaint({}, "data", paginator) == "no `data` in its body"


def test_the_selector_of_the_whole_body_takes_a_single_object_as_it_is() -> None:
    row = {"id": 1, "status": "failed", "error": "card refused"}

    assert found(row, "$") == [row]


@pytest.mark.parametrize("body", NOT_JSON)
def test_a_body_that_is_not_json_is_an_error(body: str) -> None:
    assert complaint(body.encode()).startswith("a body that is not JSON")


def test_a_body_that_is_nested_too_deeply_is_an_error() -> None:
    body = b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    assert complaint(body).startswith("a body that is nested too deeply to be read")


def encoded(encoding: str, row: dict[str, Any] = ROW) -> bytes:
    return json.dumps({"data": [row]}, ensure_ascii=False).encode(encoding)


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", "application/json"),
        ("utf-8", "application/json; charset=utf-8"),
        ("utf-8", 'application/json; charset="UTF-8"'),
        ("utf-8", "text/html"),
        ("utf-8", "text/plain"),
        ("utf-8", ""),
        ("utf-8-sig", "application/json"),
        ("utf-16", "application/json"),
        ("utf-16-le", "application/json"),
        ("utf-16-be", "application/json"),
        ("utf-32", "application/json"),
        ("cp1252", "application/json; charset=windows-1252"),
        ("cp1252", "text/html; Charset=cp1252"),
        ("utf-16", "application/json; charset=utf-16"),
    ],
)
def test_texts_arrive_as_they_were_sent(encoding: str, content_type: str) -> None:
    assert found(encoded(encoding), "data", Content_Type=content_type) == [ROW]


@pytest.mark.parametrize("content_type", UTF_8)
def test_bytes_that_are_not_utf_8_are_an_error_rather_than_guessed_at(content_type: str) -> None:
    answers = in_turn(Answer(encoded("cp1252"), headers={"Content-Type": content_type}))

    error = failed(answers, paginator="single_page").error

    assert "with a body that is not utf-8 at byte 30" in error


def test_a_declared_charset_that_does_not_exist_is_an_error() -> None:
    headers = {"Content-Type": "application/json; charset=utf-nine"}

    assert failed(in_turn(Answer(encoded("utf-8"), headers=headers))).error


@pytest.mark.parametrize("content_type", UTF_8)
def test_a_response_action_may_say_what_the_encoding_is(content_type: str) -> None:
    def set_encoding(response: Any, *_arguments: Any, **_options: Any) -> Any:
        response.encoding = "windows-1252"
        return response

    answers = in_turn(Answer(encoded("cp1252"), headers={"Content-Type": content_type}))
    attempt = attempted(answers, paginator="single_page", response_actions=[set_encoding])

    assert attempt.rows == [ROW]


def test_a_broken_page_behind_a_good_one_fails_the_read() -> None:
    answers = in_turn(Answer({"data": [ROW, {"id": 2}]}), Answer({"data": None}))

    assert "`data` being null" in failed(answers).error


@pytest.mark.parametrize("second", [{"data": None}, {}, {"data": "none"}, {"message": "busy"}])
def test_without_a_selector_the_list_must_be_where_it_was_on_the_first_page(
    second: dict[str, Any],
) -> None:
    answers = in_turn(Answer({"data": [ROW, {"id": 2}]}), Answer({**second, "hints": []}))

    assert failed(answers, data_selector=None).error


@pytest.mark.parametrize("selector", ["$..data", "'ns:data'"])
def test_a_selector_of_another_form_needs_a_list_too(selector: str) -> None:
    body = {"result": {"data": None}, "ns:data": None}

    assert complaint(body, selector).endswith("being null and no list")


def test_a_byte_order_mark_may_come_with_a_declared_charset() -> None:
    content_type = "application/json; charset=utf-8"

    assert found(encoded("utf-8-sig"), "data", Content_Type=content_type) == [ROW]
