"""Bodies of responses: decoded strictly, and outlined without their rows."""

import json
from typing import Any

import pytest
import requests
from requests.structures import CaseInsensitiveDict

from analytics_assets.extract.http.page import Page
from analytics_assets.extract.rows.response_body import decode, json_path, outline, values_at

ROW = {"id": 1, "text": "Müller zahlt 5 €"}
DECLARED_UTF_8 = ["application/json", "text/html", "application/json; charset=utf-8"]
NOT_JSON = ["", " ", "<h1>Hello</h1>", '{"data": [', '{"data": []} {}', "{'data': []}", "\x00"]


def answer(content: bytes, content_type: str | None = "application/json", **given: Any) -> Page:
    headers = {} if content_type is None else {"Content-Type": content_type}
    fields = {"status": 200, **given}
    return Page(
        requests.PreparedRequest(),
        "",
        headers=CaseInsensitiveDict(headers),
        content=content,
        **fields,
    )


def encoded(encoding: str) -> bytes:
    return json.dumps({"data": [ROW]}, ensure_ascii=False).encode(encoding)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([ROW], "the body is a list"),
        (None, "the body is null"),
        ({}, "the body has no keys"),
        ({"message": "over the quota"}, "the body has the keys `message`, and says: over the quot"),
        ({"items": [ROW], "next": None}, "the body has the keys `items`, `next`"),
        ({f"{number}": ROW for number in range(21)}, "`18`, `19`, ..."),
    ],
)
def test_an_outline_names_the_keys_of_a_body_and_none_of_its_rows(body: Any, expected: str) -> None:
    assert expected in outline(body)
    assert str(ROW["text"]) not in outline(body)


@pytest.mark.parametrize("body", NOT_JSON)
def test_a_body_that_is_not_json_is_refused(body: str) -> None:
    assert decode(answer(body.encode())) == (None, "a body that is not JSON")


def test_no_content_is_null() -> None:
    assert decode(answer(b"", status=204)) == (None, None)


def test_a_body_that_is_nested_too_deeply_is_refused() -> None:
    body = b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    assert decode(answer(body)) == (None, "a body that is nested too deeply to be read")


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", "application/json"),
        ("utf-8", "application/json; charset=utf-8"),
        ("utf-8", 'application/json; charset="UTF-8"'),
        ("utf-8", "text/html"),
        ("utf-8", "text/plain"),
        ("utf-8", ""),
        ("utf-8", None),
        ("utf-8-sig", "application/json"),
        ("utf-8-sig", "application/json; charset=utf-8"),
        ("utf-16", "application/json"),
        ("utf-16-le", "application/json"),
        ("utf-16-be", "application/json"),
        ("utf-32", "application/json"),
        ("cp1252", "application/json; charset=windows-1252"),
        ("cp1252", "text/html; Charset=cp1252"),
        ("utf-16", "application/json; charset=utf-16"),
    ],
)
def test_texts_are_decoded_as_they_were_encoded(encoding: str, content_type: str | None) -> None:
    assert decode(answer(encoded(encoding), content_type)) == ({"data": [ROW]}, None)


@pytest.mark.parametrize("content_type", DECLARED_UTF_8)
def test_bytes_that_are_not_utf_8_are_refused_and_their_encoding_is_not_guessed(
    content_type: str,
) -> None:
    body = encoded("cp1252")

    assert decode(answer(body, content_type)) == (None, "a body that is not utf-8 at byte 30")


def test_a_declared_charset_that_does_not_exist_is_refused() -> None:
    made = answer(encoded("cp1252"), "application/json; charset=utf-nine")

    assert decode(made) == (None, "a body that is not JSON")


@pytest.mark.parametrize("content_type", DECLARED_UTF_8)
def test_a_response_action_may_set_the_encoding(content_type: str) -> None:
    made = answer(encoded("cp1252"), content_type, encoding="windows-1252")

    assert decode(made) == ({"data": [ROW]}, None)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("id", [1]),
        ("$.id", [1]),
        ("meta.next-page", [2]),
        ("@odata", [3]),
        ("größe", [4]),
        ("'a b'", [5]),
        ("meta", [{"next-page": 2}]),
        ("list[*]", [6, 7]),
        ("meta.id", []),
        ("id.id", []),
        ("", []),
        (None, []),
    ],
)
def test_values_are_found_by_their_path(path: str | None, values: list[Any]) -> None:
    body = {"id": 1, "meta": {"next-page": 2}, "@odata": 3, "größe": 4, "a b": 5, "list": [6, 7]}

    assert values_at(path, body) == values
    assert values_at(path, [body]) == []


@pytest.mark.parametrize("name", ["id", "next-page", "@odata", "größe", "a b", "a.b", "1st"])
def test_a_path_is_quoted_where_a_name_needs_it(name: str) -> None:
    assert values_at(json_path(("meta", name)), {"meta": {name: 1}}) == [1]
