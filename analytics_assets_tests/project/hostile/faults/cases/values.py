"""Faults of the rows: values that JSON or a warehouse does not have, and rows that are none."""

from collections.abc import Callable
from typing import Any

from analytics_assets_tests.project.hostile.faults.case import (
    EITHER,
    FAILED,
    LOADED,
    Case,
    Row,
    row,
)
from analytics_assets_tests.project.hostile.faults.visits import always
from analytics_assets_tests.support.http.broken_answers import text
from analytics_assets_tests.support.http.fault import Fault

NEW = 245  # the position of a row that the table does not have yet
MARK = "take me out"
GONE = {"gone": {"data_type": "bool", "hard_delete": True}}


def marked(field: str) -> Callable[[list[Row]], list[Any]]:
    """Mark a field of the new row, for a fault that replaces the mark in the answer."""
    return changed(**{field: MARK})


def changed(**fields: Any) -> Callable[[list[Row]], list[Any]]:
    """Change fields of the new row."""

    def change(rows: list[Row]) -> list[Any]:
        rows[NEW] = {**rows[NEW], **fields}
        return rows

    return change


def beside(field: str, kind: str) -> Callable[[list[Row]], list[Any]]:
    """Move a value of the new row to the column beside that of its field."""

    def change(rows: list[Row]) -> list[Any]:
        others = {name: rows[NEW][name] for name in rows[NEW] if name != field}
        rows[NEW] = {**others, f"{field}__v_{kind}": rows[NEW][field]}
        return rows

    return change


def without(field: str) -> Callable[[list[Row]], list[Any]]:
    """Remove a field of the new row."""

    def change(rows: list[Row]) -> list[Any]:
        del rows[NEW][field]
        return rows

    return change


def inserted(*others: Any, at: int = NEW) -> Callable[[list[Row]], list[Any]]:
    """Insert other rows among the API's own."""
    return lambda rows: [*rows[:at], *others, *rows[at:]]


def without_row(key: str) -> Callable[[list[Row]], list[Any]]:
    """Remove the rows of a key."""
    return lambda rows: [each for each in rows if each["id"] != key]


def literal(value: bytes) -> Fault:
    """Replace the mark and its quotation marks by these bytes."""
    return always(text({f'"{MARK}"'.encode(): value}), None)


def inside(value: bytes) -> Fault:
    """Replace the mark within its quotation marks by these bytes."""
    return always(text({MARK.encode(): value}), None)


def rejecting(
    name: str,
    fault: Fault | None,
    rows: Callable[[list[Row]], list[Any]],
    expected: str = LOADED,
) -> Case:
    """A case in which the new row is rejected."""
    return Case(name, fault, expected, rejected=(NEW,), rows=rows)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"leaf": 1}
    for level in range(levels):
        value = {f"level_{level}": value}
    return value


def wide(count: int) -> Callable[[list[Row]], list[Any]]:
    """Add many columns to twenty rows."""
    more = {f"measure_{number}": number for number in range(count)}
    return lambda rows: [*rows[:-20], *({**row, **more} for row in rows[-20:])]


def heavy(rows: list[Row]) -> list[Any]:
    """Make the last page 50 MB long."""
    return [*rows[:-50], *({**row, "note": "x" * 1_000_000} for row in rows[-50:])]


def restated_twice(rows: list[Row], first: int, second: int) -> list[Any]:
    """Put two versions of a row at two positions."""
    rows = list(rows)
    rows[first], rows[second] = row(5000, version=3), row(5000, version=4)
    return rows


JSON_COLUMN = {"payload": {"data_type": "json"}}

CASES = [
    rejecting("NaN", literal(b"NaN"), marked("bounce_rate")),
    rejecting("Infinity", literal(b"Infinity"), marked("bounce_rate")),
    rejecting("-Infinity", literal(b"-Infinity"), marked("bounce_rate")),
    rejecting("1e400", literal(b"1e400"), marked("bounce_rate")),
    rejecting(
        "more digits than a double holds", literal(b"12345678901234567.89"), marked("bounce_rate")
    ),
    Case(
        "a decimal number with more digits than a double",
        literal(b"12345678901234567.89"),
        rows=marked("price"),
        read_as=changed(price="12345678901234567.8900000000000000000"),
        columns={"price": {"data_type": "decimal", "precision": 38, "scale": 19}},
    ),
    Case(
        "a double with all its digits",
        literal(b"0.1000000000000000055511151231257827021181583404541015625"),
        rows=marked("bounce_rate"),
        read_as=changed(bounce_rate=0.1),
    ),
    rejecting("integer of 5,000 digits", literal(b"9" * 5000), marked("sessions")),
    Case(
        "number in a column of days", rows=changed(date=20260131), read_as=beside("date", "bigint")
    ),
    Case(
        "seconds in a column of times",
        rows=changed(updated_at=1_769_902_215.5),
        read_as=beside("updated_at", "double"),
    ),
    Case("last day of the calendar", rows=changed(date="9999-12-31")),
    Case(
        "field named like a variant of another",
        None,
        FAILED,
        says="has the name of the variant column in which dlt stores values of `note`",
        rows=changed(note__v_text="x"),
    ),
    rejecting("integer of 65 bits", None, changed(sessions=2**64), EITHER),
    rejecting("integer of 400 digits", None, changed(sessions=10**400), EITHER),
    Case("integer of 63 bits", rows=changed(sessions=2**63 - 1)),
    Case("integer beyond what a double holds", rows=changed(sessions=2**53 + 1)),
    Case("invalid UTF-8", inside(b"\xff\xfe"), FAILED, rows=marked("note")),
    Case("Latin-1 in place of UTF-8", inside(b"caf\xe9"), FAILED, rows=marked("note")),
    rejecting("NUL in text", None, changed(note="before\0after")),
    rejecting("lone surrogate", None, changed(note="\ud83d")),
    Case("surrogate pair", rows=changed(note="😀")),
    Case("byte order mark", always(text({b'{"data"': b'\xef\xbb\xbf{"data"'}), None)),
    Case("same key twice in a page", rows=lambda rows: restated_twice(rows, 241, 246)),
    Case(
        "same key twice across pages",
        rows=lambda rows: restated_twice(rows, 50, 246),
    ),
    Case("same row twice", rows=lambda rows: inserted(rows[NEW])(rows)),
    Case(
        "member name twice in a row",
        always(text({f'"{MARK}"'.encode(): b'"first", "note": "last"'}), None),
        rows=changed(note=MARK),
        read_as=changed(note="last"),
    ),
    rejecting("row that is a number", None, inserted(17)),
    rejecting("row that is text", None, inserted("a row")),
    rejecting("row that is null", None, inserted(None)),
    rejecting("row that is a list", None, inserted([1, 2])),
    Case(
        "four rows that are no objects",
        None,
        LOADED,
        rejected=(1, 2, 3, 4),
        rows=inserted(17, "a row", None, [], at=1),
    ),
    rejecting("row without primary key", None, without("id")),
    rejecting("primary key null", None, changed(id=None)),
    Case(
        "no row has the primary key",
        None,
        EITHER,
        rows=lambda rows: [{**row, "id": None} for row in rows],
        rejected=tuple(range(250)),
        first=True,
    ),
    Case(
        "50 levels inside a json field",
        rows=changed(payload=nested(50)),
        columns=JSON_COLUMN,
    ),
    Case(
        "100,000 levels",
        inside_levels := literal(b"[" * 100_000 + b"]" * 100_000),
        FAILED,
        rows=marked("note"),
    ),
    Case(
        "100,000 levels inside a json field",
        inside_levels,
        FAILED,
        rows=changed(payload={"deep": MARK}),
        columns=JSON_COLUMN,
    ),
    Case("3,000 columns", rows=wide(3_000), first=True, slow=True, duckdb_only=True),
    # 10,000 are loaded too, but DuckDB takes 16 GB and two minutes for that
    Case("2,000 more columns", rows=wide(2_000), slow=True, duckdb_only=True),
    Case("page of 50 MB", rows=heavy, slow=True),
    Case(
        "a delete that has the key alone",
        rows=inserted({"id": "v-0003", "note": "gone", "gone": True}),
        read_as=without_row("v-0003"),
        columns=GONE,
    ),
    Case(
        "a delete of a row that the table does not have",
        rows=inserted({"id": "v-7777", "note": "gone", "gone": True}),
        read_as=without_row("v-7777"),
        columns=GONE,
    ),
]
