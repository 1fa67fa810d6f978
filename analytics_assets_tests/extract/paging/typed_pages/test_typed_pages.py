"""Pages that are decoded straight into columns, and those that stay rows: with the same rows."""

import threading
from typing import Any

import psutil
import pytest

from analytics_assets.extract.http.connection import connect
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.extract.paging.typed_pages.typed_orders import (
    CONTRACT,
    IN_COLUMNS,
    ORDERS,
    PAGE,
    attempted,
    changed,
    entry,
    once,
    read,
)
from analytics_assets_tests.support.loading import table_values
from analytics_assets_tests.support.paged_server import (
    Answer,
    Request,
    drain,
    paged,
    rows,
    serving,
    source_of,
)

as_in_a_load = pytest.mark.usefixtures("in_a_load", "pages_at_once")


@as_in_a_load
def test_all_pages_become_columns(
    typed_pages: list[int],
) -> None:
    found = read(paged(ORDERS))

    assert found.rows == IN_COLUMNS
    assert typed_pages == [PAGE] * 19
    assert sorted(asked.number("offset") for asked in found.requests) == [*range(0, 95, PAGE), 95]


@as_in_a_load
def test_without_a_total_pages_are_read_up_to_the_empty_one(typed_pages: list[int]) -> None:
    assert read(paged(ORDERS, with_total=False)).rows == IN_COLUMNS
    assert sum(typed_pages) == 19 * PAGE


@as_in_a_load
def test_fields_unknown_to_the_contract_become_columns_once_their_type_is_learned(
    typed_pages: list[int],
) -> None:
    found = read(paged([{**each, "colour": "red"} for each in ORDERS]))

    assert [each["colour"] for each in found.rows] == ["red"] * 95
    assert typed_pages == [0, *[PAGE] * 19]
    assert len(found.requests) == 20


@as_in_a_load
@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_answer_that_is_retried_is_read_in_its_place(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
    later = Answer({"error": "later"}, status, {"Retry-After": "0"})

    assert read(once(paged(ORDERS), 40, later)).rows == IN_COLUMNS


@as_in_a_load
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
def test_an_answer_without_rows_fails_the_read_and_names_the_offset(
    other: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")

    found = attempted(changed(paged(ORDERS), lambda _offset, _body: other, {40}))

    assert found.error.startswith("orders: ")
    assert "offset=40" in found.error
    assert found.rows == []


@as_in_a_load
def test_a_total_that_changes_in_the_middle_leads_to_another_pass() -> None:
    begun: list[int] = []

    def growing(offset: int, body: Any) -> Any:
        begun.extend([1] if offset == 0 else [])
        return {**body, "total": 94} if offset < 40 and len(begun) == 1 else body

    assert read(changed(paged(ORDERS), growing)).rows == IN_COLUMNS
    assert len(begun) == 2


@as_in_a_load
def test_an_offset_that_is_ignored_in_the_middle_fails_the_read() -> None:
    def stuck(offset: int, body: Any) -> Any:
        return {**body, "data": ORDERS[40:45]} if offset > 40 else body

    assert "rows of the page before it" in attempted(changed(paged(ORDERS), stuck)).error


@as_in_a_load
@pytest.mark.parametrize("odd", [{}, {"tags": [[1], [2]]}, {"amount": 2**60 + 1}], ids=str)
def test_a_row_on_two_pages_fails_the_read_also_if_one_of_them_does_not_fit(
    odd: dict[str, Any],
) -> None:
    def shifted(offset: int, body: Any) -> Any:
        found = ORDERS[offset - 1 : offset + PAGE - 1]
        return {**body, "data": [*found[:-1], {**found[-1], **odd}]}

    assert "1 row was on two pages" in attempted(changed(paged(ORDERS), shifted, {40})).error


@as_in_a_load
def test_processing_steps_get_all_rows_one_by_one(typed_pages: list[int]) -> None:
    steps = [{"filter": lambda each: each["id"] % 2}]

    assert read(paged(ORDERS), entry(processing_steps=steps)).ids == list(range(1, 95, 2))
    assert typed_pages == []


@as_in_a_load
def test_outside_a_load_rows_come_one_by_one(
    typed_pages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with serving(paged(ORDERS)) as server:
        source = source_of(server, entry(), contract=CONTRACT)
        assert list(source.resources["orders"]) == ORDERS

    assert typed_pages == []


@as_in_a_load
def test_a_read_that_fails_leaves_no_connection_and_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNTIME__REQUEST_BACKOFF_FACTOR", "0")
    before = set(threading.enumerate())
    with serving(changed(paged(ORDERS), lambda *_: Answer({}, status=403), {40})) as server:
        port = int(server.base_url.rpartition(":")[2])
        connection = connect({"base_url": server.base_url}, "shop")
        source = source_of(server, entry(), contract=CONTRACT, connection=connection)
        assert "403" in drain(source.resources["orders"]).error
        connection.close()
        ours = {thread.name for thread in set(threading.enumerate()) - before}
        to_the_server = [
            each
            for each in psutil.Process().net_connections("tcp")
            if each.raddr and each.raddr.port == port and each.status == "ESTABLISHED"
        ]

    assert not [name for name in ours if "decode-pages" in name]
    assert to_the_server == []


@as_in_a_load
def test_an_api_that_redirects_is_read_in_columns(typed_pages: list[int]) -> None:
    pages = paged(ORDERS)

    def redirecting(asked: Request) -> Answer:
        if asked.path == "/moved":
            return pages(asked)
        query = f"offset={asked.number('offset')}&limit={PAGE}"
        return Answer({}, 302, {"Location": f"/moved?{query}"})

    assert read(redirecting).rows == IN_COLUMNS
    assert sum(typed_pages) == 95


@as_in_a_load
def test_an_api_behind_a_proxy_is_read_in_columns(
    typed_pages: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(paged(ORDERS)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.setenv("no_proxy", "")
        proxy.base_url = "http://shop.invalid"
        source = source_of(proxy, entry(), contract=CONTRACT)
        tables = list(source.resources["orders"])

    assert [number for table in tables for number in table["id"].to_pylist()] == list(range(95))
    assert sum(typed_pages) == 95


@as_in_a_load
def test_a_row_that_breaks_the_contract_is_rejected_and_the_others_are_loaded() -> None:
    def broken(offset: int, body: Any) -> Any:
        odd = {"id": 900 + offset, "amount": "much"}
        return {**body, "data": [*body["data"][:2], odd, *body["data"][3:]]}

    found = read(changed(paged(ORDERS), broken, {10, 50, 55}))

    assert found.rows == [each for each in IN_COLUMNS if each["id"] not in (12, 52, 57)]
    assert [each["offset"] for each in found.rejected] == [12, 52, 57]
    assert {each["reason"] for each in found.rejected} == {
        "`$.amount`: Expected `float | null`, got `str`"
    }


@as_in_a_load
def test_of_rows_that_share_their_key_the_last_one_is_loaded() -> None:
    found = read(paged([*ORDERS[:60], {**ORDERS[60], "id": 3, "text": "the last"}, *ORDERS[61:]]))

    assert len(found.rows) == 94
    assert [each["text"] for each in found.rows if each["id"] == 3] == ["the last"]


@as_in_a_load
def test_of_rows_that_share_their_key_the_last_one_that_fits_is_loaded() -> None:
    found = read(paged([*ORDERS[:60], {**ORDERS[60], "id": 3, "amount": "much"}, *ORDERS[61:]]))

    assert [each["text"] for each in found.rows if each["id"] == 3] == ["row 3"]
    assert len(found.rejected) == 1


@as_in_a_load
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "0001-01-01T00:00:00+01:00"),
        ("at", "9999-12-31T23:59:59-05:00"),
        ("amount", 2**53 + 1),
        ("text", "nul \0 within"),
    ],
)
def test_values_that_fit_by_type_only_are_rejected_as_on_other_pages(
    field: str, value: Any
) -> None:
    found = read(paged([*ORDERS[:47], {**ORDERS[47], field: value}, *ORDERS[48:]]))

    assert found.ids == [number for number in range(95) if number != 47]
    (rejected,) = found.rejected
    assert rejected["reason"].startswith(f"`$.{field}`")


@as_in_a_load
def test_integers_that_come_as_floats_keep_their_key() -> None:
    floats = [{**each, "id": float(each["id"])} for each in ORDERS]

    assert read(paged(floats)).ids == list(range(95))


@as_in_a_load
def test_rows_of_another_shape_do_not_stop_a_list_of_ids() -> None:
    found = read(paged(rows(*range(95))))

    assert found.ids == list(range(95))
    assert {each["amount"] for each in found.rows} == {None}


def loaded(warehouse: Warehouse, given: dict[str, Any]) -> list[dict[str, Any]]:
    """The table after a load of all orders."""
    pipeline = warehouse.pipeline("test")
    with serving(paged(ORDERS)) as server:
        source = source_of(server, given, contract=CONTRACT)
        pipeline.run(source, loader_file_format="parquet")
    return table_values(pipeline, "orders")


def test_pages_in_columns_are_loaded_as_they_are(
    warehouse: Warehouse, typed_pages: list[int]
) -> None:
    found = loaded(warehouse, entry())

    assert [
        {**each, "at": each["at"].astimezone(IN_COLUMNS[0]["at"].tzinfo)} for each in found
    ] == (IN_COLUMNS)
    assert len(typed_pages) > 10


def test_a_step_that_makes_keys_equal_still_leaves_one_row_for_each(warehouse: Warehouse) -> None:
    steps = [{"map": lambda each: {**each, "id": each["id"] // 2}}]

    found = loaded(warehouse, entry(processing_steps=steps))

    assert [each["id"] for each in found] == list(range(48))
