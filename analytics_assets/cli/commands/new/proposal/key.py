"""The primary key of a resource, by the fields of its rows."""

from collections.abc import Collection, Mapping

from analytics_assets.cli.commands.new.proposal.names import singular_of
from analytics_assets.cli.commands.new.proposal.operation import Operation
from analytics_assets.cli.commands.new.proposal.resource import Guess
from analytics_assets.contract.openapi.references import Schema, as_list
from analytics_assets.extract.rows.response_body import plain_name

IDENTIFIERS = ("id", "uuid", "guid", "uid", "gid", "sid", "_id", "objectid", "key", "ref")
LESS_SURE = ("number", "code", "slug", "handle", "login", "username", "token", "email", "name")
MOST_DIMENSIONS = 4  # texts in the key of a report
SCALARS = {"string", "integer", "number"}


def key_of(
    operation: Operation, properties: Mapping[str, Schema], siblings: Collection[str]
) -> Guess:
    """Find the primary key of the rows of an operation.

    Args:
        operation: the operation.
        properties: the fields of a row.
        siblings: the names of the parameters by which the document's paths continue this one, such
            as `order_id` for `/orders/{order_id}`.

    Returns:
        The field; None if there is none.
    """
    fields = {name: plain_name(name) for name, part in properties.items() if is_scalar(part)}
    words = [part for part in operation.segments if "{" not in part]
    noun = singular_of(plain_name(words[-1].partition(".")[0])) if words else ""
    named = {plain_name(name) for name in siblings}
    for identifier in IDENTIFIERS[:7]:
        if found := _first(fields, identifier):
            return Guess(found)
    of_path = named - {"id"}
    for plain in (*sorted(of_path), f"{noun}id", f"{noun}uuid", f"{noun}key", f"{noun}sid"):
        if found := _first(fields, plain):
            return Guess(found, None if plain in of_path else "the field is named after the path")
    for plain in sorted(of_path):  # `/teams/{team_slug}` of rows with a `slug`
        if (found := _first(fields, plain.removeprefix(noun))) and plain != noun:
            return Guess(found)
    for identifier in (*IDENTIFIERS[7:], *LESS_SURE):
        if found := _first(fields, identifier):
            return Guess(found, "no field is called `id`; rows with the same key are one row")
    if by_time := _by_time(properties):
        key = by_time if len(by_time) > 1 else by_time[0]
        return Guess(key, f"the rows seem to be numbers by {' and '.join(by_time)}")
    others = [name for name, plain in fields.items() if plain.endswith(("id", "uuid", "guid"))]
    if len(others) == 1:
        return Guess(others[0], "the only field that ends with `id`")
    if not properties:
        return Guess("id", "the document does not describe the rows")
    return Guess(None, "no field identifies a row, so each load replaces the table")


def _by_time(properties: Mapping[str, Schema]) -> list[str]:
    """Return the time of rows that are numbers by time, and their texts; empty for other rows."""
    formats = {name: part.get("format") for name, part in properties.items()}
    times = [name for name in properties if formats[name] in ("date", "date-time")]
    numbers = [name for name in properties if _kinds(properties[name]) & {"integer", "number"}]
    texts = [
        name for name in properties if _kinds(properties[name]) == {"string"} and not formats[name]
    ]
    is_report = len(times) == 1 and numbers and len(texts) <= MOST_DIMENSIONS
    return [*times, *texts] if is_report else []


def _kinds(part: Schema) -> set[str]:
    return set(as_list(part.get("type"))) - {"null"}


def _first(fields: Mapping[str, str], plain: str) -> str | None:
    wanted = plain_name(plain) if plain != "_id" else plain
    if wanted == "_id":
        return "_id" if "_id" in fields else None
    return next((name for name, each in fields.items() if each == wanted), None)


def is_scalar(part: Schema) -> bool:
    """Return True for a field that holds a text or a number, and no time."""
    kinds = _kinds(part)
    return (
        kinds <= SCALARS
        and part.get("format") not in ("date", "date-time")
        and (bool(kinds) or not ({"properties", "items"} & part.keys()))
    )
