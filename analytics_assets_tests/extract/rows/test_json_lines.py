"""JSON lines: a row on each line of a body."""

from typing import Any

import pytest

from analytics_assets.config.errors import ConfigurationError
from analytics_assets_tests.support.paged_server import Answer, failed, in_turn, read

ONE, TWO = {"id": 1, "text": "Zürich\u2028\n"}, {"id": 2, "of": {"a": [None, 1.5]}}
LINES = b'{"id": 1, "text": "Z\xc3\xbcrich\xe2\x80\xa8\\n"}\n{"id": 2, "of": {"a": [null, 1.5]}}\n'
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
JSONL = {"body_format": "jsonl"}


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")


def rows_of(
    body: bytes, entry: dict[str, Any], headers: dict[str, str], selector: str | None = None
) -> list[Any]:
    """The rows of a single page with this body."""
    answers = in_turn(*[Answer(body, headers=headers)] * 2)
    return read(answers, entry, data_selector=selector, paginator="single_page").rows


@pytest.mark.parametrize("selector", [None, "$"])
@pytest.mark.parametrize(
    ("entry", "headers"),
    [
        (JSONL, PLAIN),
        (JSONL, {"Content-Type": "application/json"}),
        ({}, {"Content-Type": "application/x-ndjson"}),
        ({"body_format": None}, {"Content-Type": "Application/JSONL; charset=utf-8"}),
    ],
)
def test_each_line_is_a_row(
    entry: dict[str, Any], headers: dict[str, str], selector: str | None
) -> None:
    assert rows_of(LINES, entry, headers, selector) == [ONE, TWO]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"", []),
        (b"\n", []),
        (b'{"id": 1}', [{"id": 1}]),
        (b'\xef\xbb\xbf{"id": 1}\r\n\r\n  {"id": 2}\r\n', [{"id": 1}, {"id": 2}]),
    ],
)
def test_empty_lines_and_the_last_line_end_make_no_row(body: bytes, rows: list[Any]) -> None:
    assert rows_of(body, JSONL, PLAIN) == rows


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (LINES + b"terminated early\n", "a line that is no object, terminated early (line 3)"),
        (LINES + b'{"id": 3, "name": "Erika', "a line that is no object, but the beginning of one"),
        (b"[1, 2]\n", "a line that is no object, [1, 2] (line 1)"),
        (b'{"id": 1,}\n', "with a body that is not JSON"),
    ],
)
def test_a_line_that_is_no_object_fails_the_read_and_is_named(body: bytes, said: str) -> None:
    error = failed(
        in_turn(*[Answer(body, headers=PLAIN)] * 8), JSONL, data_selector=None, paginator=None
    ).error

    assert said in error
    assert "Erika" not in error


def test_an_export_that_ended_early_is_requested_again() -> None:
    early, whole = (Answer(body, headers=PLAIN) for body in (LINES[:-9], LINES))

    found = read(in_turn(early, whole, whole), JSONL, data_selector="$", paginator="single_page")

    assert found.rows == [ONE, TWO]


@pytest.mark.parametrize(
    ("entry", "endpoint", "said"),
    [
        (
            {"body_format": "ndjson"},
            {},
            "`body_format` cannot be 'ndjson': give 'json' or 'j",
        ),
        (JSONL, {"data_selector": "data"}, "`data_selector` cannot be 'data', as with `body_forma"),
    ],
)
def test_a_wrong_format_is_refused(
    entry: dict[str, Any], endpoint: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(in_turn(), entry, **endpoint)
    assert said in str(caught.value)
