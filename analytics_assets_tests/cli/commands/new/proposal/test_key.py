"""The primary key of a resource."""

from typing import Any

import pytest

from analytics_assets_tests.cli.commands.new.documents import (
    NUMBER,
    TEXT,
    TIME,
    array,
    body,
    get,
    in_path,
    proposed,
)

OBJECT = {"type": "object"}


@pytest.mark.parametrize(
    ("path", "fields", "key", "is_sure"),
    [
        ("/orders", {"name": TEXT, "id": NUMBER}, "id", True),
        ("/orders", {"uuid": TEXT, "number": NUMBER}, "uuid", True),
        ("/calls", {"sid": TEXT}, "sid", True),
        ("/orders", {"orderId": NUMBER, "userId": NUMBER}, "orderId", False),
        ("/orders", {"_id": TEXT}, "_id", True),
        ("/tags", {"name": TEXT}, "name", False),
        ("/orders", {"id": OBJECT, "code": TEXT}, "code", False),
        ("/stats", {"total": NUMBER, "at": TIME, "page": TEXT}, ["at", "page"], False),
        ("/stats", {"total": NUMBER, "first": TIME, "last": TIME}, None, False),
    ],
)
def test_the_key_is_found_by_the_names_of_fields(
    path: str, fields: dict[str, Any], key: Any, is_sure: bool
) -> None:
    [resource] = proposed({path: get(array(fields))}).resources

    assert resource.primary_key.value == key
    assert (resource.primary_key.check is None) is is_sure


@pytest.mark.parametrize(
    ("param", "fields", "key"),
    [("team_slug", {"slug": TEXT, "name": TEXT}, "slug"), ("code", {"code": TEXT}, "code")],
)
def test_the_parameter_of_a_single_object_names_the_key(
    param: str, fields: dict[str, Any], key: str
) -> None:
    one = get(body(**fields), in_path(param))
    [resource] = proposed({"/teams": get(array(fields)), f"/teams/{{{param}}}": one}).resources

    assert (resource.primary_key.value, resource.primary_key.check) == (key, None)


def test_a_list_that_goes_on_by_a_parameter_names_no_key() -> None:
    fields = {"field": TEXT, "collection": TEXT}
    paths = {
        "/fields": get(array(fields)),
        "/fields/{collection}": get(array(fields), in_path("collection")),
    }

    assert proposed(paths, only=["/fields"]).resources[0].primary_key.value is None
