"""Values of the parameters and headers without which an operation answers nothing."""

from math import inf, nan
from typing import Any

import pytest

from analytics_assets_tests.cli.commands.new.documents import (
    NUMBER,
    ORDER,
    array,
    get,
    orders,
    proposed,
    query,
    values,
)

LIST = array(ORDER)


def header(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "schema": schema}


@pytest.mark.parametrize(("stated", "text"), [(2, "2"), (1.5, "1.5"), (True, "true"), ("v2", "v2")])
def test_a_number_or_a_flag_of_a_header_is_written_as_its_text(stated: Any, text: str) -> None:
    resource = orders(LIST, header("X-Version", {"type": "string", "default": stated}))

    assert values(resource.headers) == {"X-Version": text}


@pytest.mark.parametrize("default", [inf, -inf, nan])
def test_a_number_that_no_python_has_a_literal_of_is_no_value(default: float) -> None:
    paths = {
        "/orders": get(LIST),
        "/visits": get(LIST, query("level", {"type": "number", "default": default}, required=True)),
    }
    api = proposed(paths)

    assert [each.name for each in api.resources] == ["orders"]
    assert ("/visits", "it needs the parameter `level`") in [
        (each.path, each.reason) for each in api.skipped
    ]


def test_a_maximum_without_a_limit_is_the_most_rows_that_are_asked_for() -> None:
    limit = query("limit", {"type": "integer", "maximum": inf})
    resource = orders(LIST, limit, query("offset", NUMBER))

    assert values(resource.paginator) == {"type": "offset", "limit": 1000}
