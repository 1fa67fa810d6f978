"""Messages as people read them."""

import re
from typing import Any

from analytics_assets.orchestration.automation.alerts.delivery.message import Message, message_of
from analytics_assets.orchestration.automation.alerts.delivery.rendering import (
    as_html,
    as_markdown,
    as_text,
    fitting,
)
from analytics_assets.orchestration.automation.alerts.incident import (
    Incident,
    Kind,
    Problem,
    Severity,
)
from analytics_assets.orchestration.automation.alerts.ledger import Ended

RUN = "2f1c3a7e-0000-4000-8000-000000000000"
AT = 1764486000.0  # 2025-11-30 07:00 UTC
URL = "https://dagster.example.com"


def problem(name: str = "orders", cause: str = "the API answered 503", **fields: Any) -> Problem:
    defaults: dict[str, Any] = {"kind": Kind.LOAD, "severity": Severity.ERROR, "run_id": RUN}
    texts = {"asset": f"shop/{name}", "cause": cause, "remedy": "Wait."}
    return Problem(f"load:shop/{name}", at=AT, **{**defaults, **texts, **fields})


def message(*problems: Problem, over: int = 0) -> Message:
    ended = [Ended(Incident.of(problem(f"table{n}")), AT + 5400, RUN) for n in range(over)]
    return message_of([Incident.of(each) for each in problems], ended)


def test_a_message_in_plain_text() -> None:
    assert as_text(message(problem()), URL).splitlines() == [
        "ERROR: failed load: shop/orders",
        "the API answered 503",
        "Wait.",
        "since 2025-11-30 07:00 UTC",
        f"Run: {URL}/runs/{RUN}",
    ]


def test_without_the_address_of_the_ui_it_names_the_run() -> None:
    for render in (as_text, as_markdown, as_html):
        assert RUN in render(message(problem()), None)
        assert "/runs/" not in render(message(problem()), None)


def test_the_end_of_an_incident_says_how_long_it_lasted() -> None:
    text = as_text(message(over=1), URL)
    assert text.startswith("RECOVERED: failed load: shop/table0")
    assert "over since 2025-11-30 08:30 UTC, after 1 h 30 min" in text


def test_500_tables_with_one_cause_are_one_short_paragraph() -> None:
    many = [
        problem(f"t{n:03}", f"GET https://shop.example.com/t{n:03}: the API answered 503")
        for n in range(500)
    ]
    found = message(*many)
    assert found.title == "ERROR: 500 failed loads of shop"
    assert len(found.sections) == 1
    text = as_text(found, URL)
    assert text.splitlines()[0].endswith("shop/t009 and 490 more")
    assert len(text) < 600


def test_500_tables_with_causes_of_their_own_are_ten_paragraphs_and_a_number() -> None:
    many = [problem(f"t{n:03}", f"reason {n * 7}") for n in range(500)]
    text = as_text(message(*many), URL)
    assert text.count("failed load") == 10
    assert text.endswith("And 490 more: `analytics-assets alert` lists all that are open.")


def test_the_worst_is_first() -> None:
    warning = problem("a", "drift", kind=Kind.DRIFT, severity=Severity.WARNING)
    critical = problem("b", "down", severity=Severity.CRITICAL)
    found = message(warning, critical)
    assert found.level == "critical"
    assert [section.level for section in found.sections] == ["critical", "warning"]


def test_nothing_that_an_api_says_becomes_markup() -> None:
    cause = "answered 500: <img src=x> <!channel> @everyone [here](http://evil.example.com) **x**"
    for said in (problem(cause=cause), problem(remedy=cause)):
        for render in (as_text, as_markdown):
            body = render(message(said), URL)
            assert "<" not in body
            assert "@everyone" not in body
        assert "](http://evil" not in as_markdown(message(said), URL)
        body = as_html(message(said), URL)
        assert "&lt;img src=x&gt;" in body
        assert re.findall(r"<(\w+)", body).count("img") == 0


def test_a_message_fits_what_a_receiver_takes() -> None:
    many = message(*(problem(f"t{n}", f"reason {n} " * 20) for n in range(8)))
    for length in (3000, 1000, 500):
        body = fitting(many, length, lambda each: as_text(each, URL))
        assert len(body) <= length
        assert "ERROR: failed load: shop/t0" in body
    assert "And 7 more" in fitting(many, 500, lambda each: as_text(each, URL))
