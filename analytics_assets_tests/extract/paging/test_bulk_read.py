"""Pages in the middle of a read: taken straight into columns, or left to dlt's client."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dlt
import psutil
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from analytics_assets.contract import Contract
from analytics_assets.contract.column import Column
from analytics_assets.extract.paging import bulk_read
from analytics_assets.extract.rows.json_columns import JsonTable
from analytics_assets.extract.rows.page_decoder import TypedPages
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import (
    Answer,
    Answers,
    Asked,
    PagedServer,
    orders,
    paged,
    row,
    rows,
    serving,
    source_of,
)

MERGED = {"write_disposition": "merge"}
TYPED = Contract(
    "orders",
    (
        Column("id", "id", "bigint", nullable=False),
        Column("text", "text", "text", nullable=True),
        Column("amount", "amount", "double", nullable=True),
        Column("at", "at", "timestamp", nullable=True),
    ),
    ("id",),
)
MANY = [
    row(
        number,
        amount=number / 2,
        at=f"2026-01-02T03:04:{number % 60:02}+01:00",
    )
    for number in range(95)
]
PAGE = 5
Table = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def from_few_pages_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_read, "FEWEST", 1)


@pytest.fixture(
    params=[
        ("one by Arrow", "duckdb"),
        ("16 by Arrow", "duckdb"),
        ("16 by Arrow", "postgres"),
        ("16 in Python", "postgres"),
    ],
    ids=", ".join,
    autouse=True,
)
def pages_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many pages are on their way at once, what decodes them, and where they are loaded."""
    pages, warehouse = request.param
    request.getfixturevalue(f"{warehouse}_warehouse")
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "1" if "one" in pages else "16")
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    if "Python" in pages:
        monkeypatch.setattr(JsonTable, "can_hold", lambda _contract: False)


@pytest.fixture
def typed_pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each of the pages had that were taken straight into columns."""
    taken: list[int] = []
    decode = TypedPages.decode

    def counted(self: TypedPages, pages: Sequence[bytes], rows_each: int) -> Any:
        found = decode(self, pages, rows_each)
        if found or len(pages) == 1:  # else they are decoded one by one
            taken.extend([rows_each if found else 0] * len(pages))
        return found

    monkeypatch.setattr(TypedPages, "decode", counted)
    return taken


def entry(**extra: Any) -> dict[str, Any]:
    return orders({**MERGED, **extra}, paginator={"type": "offset", "limit": PAGE})


def loaded(
    answers: Answers, contract: Contract = TYPED, given: Mapping[str, Any] | None = None
) -> tuple[Table, PagedServer, dlt.Pipeline]:
    """What is in the table after a load."""
    pipeline = Warehouse.from_settings().pipeline("test")
    with serving(answers) as server:
        source = source_of(server, given or entry(), contract=contract)
        pipeline.run(source, loader_file_format="parquet")
    return table(pipeline), server, pipeline


def table(pipeline: dlt.Pipeline, name: str = "orders", order: str = "id") -> Table:
    return table_values(pipeline, name, order) if name in pipeline.default_schema.tables else []


def changed(
    answers: Answers, change: Callable[[int, Any], Any], places: set[int] | None = None
) -> Answers:
    """An API of which some pages are different."""

    def answer(asked: Asked) -> Answer:
        usual, offset = answers(asked), asked.number("offset")
        if places is not None and offset not in places:
            return usual
        body = change(offset, usual.body)
        return body if isinstance(body, Answer) else Answer(body)

    return answer


def once(answers: Answers, offset: int, other: Answer) -> Answers:
    """An API that answers something else, once, at a place."""
    left = [other]

    def answer(asked: Asked) -> Answer:
        if asked.number("offset") == offset and left:
            return left.pop()
        return answers(asked)

    return answer


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Table:
    return [
        {
            "id": each["id"],
            "text": each["text"],
            "amount": each["amount"],
            "at": datetime.fromisoformat(each["at"]).astimezone(UTC),
        }
        for each in MANY
    ]


def in_utc(found: Table) -> Table:
    return [{**each, "at": each["at"] and each["at"].astimezone(UTC)} for each in found]


def test_all_pages_but_the_first_and_the_last_go_straight_into_columns(
    expected: Table, typed_pages: list[int]
) -> None:
    found, server, _ = loaded(paged(MANY))

    assert in_utc(found) == expected
    assert typed_pages == [PAGE] * 17
    assert sorted(asked.number("offset") for asked in server.asked) == [*range(0, 95, PAGE), 95]


def test_without_a_total_pages_are_read_up_to_the_empty_one(
    expected: Table, typed_pages: list[int]
) -> None:
    found, _, _ = loaded(paged(MANY, with_total=False))

    assert in_utc(found) == expected
    assert sum(typed_pages) >= 17 * PAGE


def test_a_row_that_breaks_the_contract_is_rejected_and_the_others_are_loaded(
    expected: Table,
) -> None:
    def broken(offset: int, body: Any) -> Any:
        return {
            **body,
            "data": [*body["data"][:2], {"id": 900 + offset, "amount": "much"}, *body["data"][3:]],
        }

    found, _, pipeline = loaded(changed(paged(MANY), broken, {10, 50, 55}))

    assert in_utc(found) == [each for each in expected if each["id"] not in (12, 52, 57)]
    rejected = table(pipeline, "rejected_rows", "offset")
    assert [each["offset"] for each in rejected] == [12, 52, 57]
    assert {each["reason"] for each in rejected} == {
        "`$.amount`: Expected `float | null`, got `str`"
    }


def test_fields_that_the_contract_does_not_know_are_loaded_as_dlt_would(
    typed_pages: list[int],
) -> None:
    more = [{**each, "colour": "red"} for each in MANY]

    found, server, _ = loaded(paged(more))

    assert [each["colour"] for each in found] == ["red"] * 95
    assert typed_pages == [0] * bulk_read.MOST_UNUSUAL
    # beside each page, those that were on their way when it was left to dlt's client
    assert len(server.asked) <= 20 + 16 + len(typed_pages)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_answer_that_is_retried_is_left_to_dlts_client(
    status: int, expected: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
    headers = {"Retry-After": "0"}
    answers = once(paged(MANY), 40, Answer({"error": "later"}, status, headers))

    assert in_utc(loaded(answers)[0]) == expected


@pytest.mark.parametrize(
    "other",
    [
        Answer({"error": "nothing for you"}),
        Answer({"data": None, "total": 95}),
        Answer(b"<html>Please sign in</html>"),
        Answer({}, status=403),
        Answer({}, status=404),
    ],
    ids=["error", "null", "page", "forbidden", "missing"],
)
def test_what_is_no_page_of_rows_fails_the_load_with_the_place(
    other: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
    answers = changed(paged(MANY), lambda _offset, _body: other, {40})

    with pytest.raises(PipelineStepFailed, match="offset=40") as failure:
        loaded(answers)
    assert "orders" in str(failure.value)


def test_a_total_that_changes_in_the_middle_leads_to_another_pass(expected: Table) -> None:
    begun: list[int] = []

    def growing(offset: int, body: Any) -> Any:
        begun.extend([1] if offset == 0 else [])
        return {**body, "total": 94} if offset < 40 and len(begun) == 1 else body

    found, _, _ = loaded(changed(paged(MANY), growing))

    assert in_utc(found) == expected
    assert len(begun) == 2


def test_a_server_that_ignores_the_offset_in_the_middle_is_found_out() -> None:
    def stuck(offset: int, body: Any) -> Any:
        return {**body, "data": MANY[40:45]} if offset > 40 else body

    with pytest.raises(PipelineStepFailed, match="rows of the page before it"):
        loaded(changed(paged(MANY), stuck))


def test_a_row_on_two_pages_is_not_taken_for_another() -> None:
    def shifted(offset: int, body: Any) -> Any:
        return {**body, "data": MANY[offset - 1 : offset + PAGE - 1]}

    with pytest.raises(PipelineStepFailed, match="were on two pages"):
        loaded(changed(paged(MANY), shifted, {40}))


def test_of_rows_that_share_their_key_the_last_one_is_loaded() -> None:
    twice = [*MANY[:60], {**MANY[60], "id": 3, "text": "the last"}, *MANY[61:]]

    found, _, _ = loaded(paged(twice))

    assert len(found) == 94
    assert [each["text"] for each in found if each["id"] == 3] == ["the last"]


def test_of_rows_that_share_their_key_the_last_one_that_fits_is_loaded() -> None:
    twice = [*MANY[:60], {**MANY[60], "id": 3, "amount": "much"}, *MANY[61:]]

    found, _, pipeline = loaded(paged(twice))

    assert [each["text"] for each in found if each["id"] == 3] == ["row 3"]
    assert len(table(pipeline, "rejected_rows", "offset")) == 1


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("at", "0001-01-01T00:00:00+01:00", "at"),
        ("at", "9999-12-31T23:59:59-05:00", "at"),
        ("amount", 2**53 + 1, "amount"),
        ("text", "nul \0 within", "text"),
    ],
)
def test_values_that_fit_by_type_only_are_rejected_as_on_other_pages(
    field: str, value: Any, reason: str
) -> None:
    odd = [*MANY[:47], {**MANY[47], field: value}, *MANY[48:]]

    found, _, pipeline = loaded(paged(odd))

    assert [each["id"] for each in found] == [number for number in range(95) if number != 47]
    (rejected,) = table(pipeline, "rejected_rows", "offset")
    assert rejected["reason"].startswith(f"`$.{reason}`")


def test_integers_that_come_as_floats_keep_their_key() -> None:
    floats = [{**each, "id": float(each["id"])} for each in MANY]

    assert [each["id"] for each in loaded(paged(floats))[0]] == list(range(95))


def test_steps_of_the_users_own_see_all_rows_one_by_one(typed_pages: list[int]) -> None:
    steps = [{"filter": lambda each: each["id"] % 2}]

    found, _, _ = loaded(paged(MANY), given=entry(processing_steps=steps))

    assert [each["id"] for each in found] == list(range(1, 95, 2))
    assert typed_pages == []


def test_rows_that_are_only_looked_at_come_one_by_one(typed_pages: list[int]) -> None:
    with serving(paged(MANY)) as server:
        source = source_of(server, entry(), contract=TYPED)
        assert list(source.resources["orders"]) == MANY

    assert typed_pages == []


def test_a_read_that_fails_leaves_no_connection_and_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
    before = set(threading.enumerate())
    pipeline = Warehouse.from_settings().pipeline("test")
    with serving(changed(paged(MANY), lambda *_: Answer({}, status=403), {40})) as server:
        port = int(server.base_url.rpartition(":")[2])
        with pytest.raises(PipelineStepFailed):
            pipeline.run(source_of(server, entry(), contract=TYPED), loader_file_format="parquet")
        ours = {thread.name for thread in set(threading.enumerate()) - before}
        to_the_server = [
            each
            for each in psutil.Process().net_connections("tcp")
            if each.raddr and each.raddr.port == port and each.status == "ESTABLISHED"
        ]

    assert not [name for name in ours if "decode-pages" in name or "prefetch" in name]
    assert len(to_the_server) <= 1  # dlt's own client keeps one


def test_an_api_that_redirects_is_left_to_dlts_client(
    expected: Table, typed_pages: list[int]
) -> None:
    pages = paged(MANY)

    def redirecting(asked: Asked) -> Answer:
        if asked.path == "/moved":
            return pages(asked)
        query = f"offset={asked.number('offset')}&limit={PAGE}"
        return Answer({}, 302, {"Location": f"/moved?{query}"})

    assert in_utc(loaded(redirecting)[0]) == expected
    assert typed_pages == []


def test_an_api_behind_a_proxy_is_left_to_dlts_client(
    expected: Table, typed_pages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Warehouse.from_settings().pipeline("test")
    with serving(paged(MANY)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.setenv("no_proxy", "")
        proxy.base_url = "http://shop.invalid"
        source = source_of(proxy, entry(), contract=TYPED)
        pipeline.run(source, loader_file_format="parquet")

    assert in_utc(table(pipeline)) == expected
    assert typed_pages == []


def test_a_step_that_makes_keys_equal_still_leaves_one_row_for_each() -> None:
    steps = [{"map": lambda each: {**each, "id": each["id"] // 2}}]

    found, _, _ = loaded(paged(MANY), given=entry(processing_steps=steps))

    assert [each["id"] for each in found] == list(range(48))


def test_rows_of_another_shape_do_not_stop_a_list_of_ids() -> None:
    found, _, _ = loaded(paged(rows(*range(95))))

    assert [each["id"] for each in found] == list(range(95))
    assert {each["amount"] for each in found} == {None}
