"""Contracts with a column for each field within an object, as the policy asks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.contract.contract import Contract
from analytics_assets.contract.resource import resource_of
from analytics_assets_tests.extract.rows.reading import MERGED, load
from analytics_assets_tests.support.orders import document_of
from analytics_assets_tests.support.paged_server import orders, paged

TEXT = {"type": "string"}
HOME = {"type": "object", "properties": {"zipCode": TEXT, "lines": {"type": "array"}}}
USER = {
    "type": "object",
    "properties": {"eMail": TEXT, "home": HOME, "joined": {**TEXT, "format": "date"}},
    "required": ["eMail"],
}
PROPERTIES = {"id": {"type": "integer"}, "user": USER, "paid": {"type": "boolean"}}
ROWS = [
    {"id": 1, "user": {"eMail": "a", "home": {"zipCode": "01"}, "joined": "2026-01-31"}},
    {"id": 2, "user": {"eMail": "b", "home": {"zipCode": "02"}}, "paid": True},
]
Make = Callable[..., Contract]


@pytest.fixture
def contract(clean_place: Path) -> Make:
    """Make the contract of `orders` with columns of nested fields."""

    def make(properties: Any = PROPERTIES, rename: Any = None, **entry: Any) -> Contract:
        file = document_of(clean_place / "shop.json", properties, ["id"])
        policy: Any = {"nested": "columns", "rename": rename or {}, "date_column": None}
        config = {
            "client": {"base_url": "https://shop.example.com/v1"},
            "resources": [orders(entry)],
        }
        api = Api(name="shop", config=config, policies={"orders": policy}, openapi=file)
        return resource_of(api, "orders").contract

    return make


def names(contract: Contract) -> list[tuple[str, str]]:
    return [(column.name, column.data_type) for column in contract.columns]


def test_nested_fields_have_dlts_names_and_a_renamed_object_its_new_one(contract: Make) -> None:
    assert names(contract(rename={"user": "Buyer"})) == [
        ("id", "bigint"),
        ("buyer__e_mail", "text"),
        ("buyer__home__zip_code", "text"),
        ("buyer__home__lines", "json"),
        ("buyer__joined", "date"),
        ("paid", "bool"),
    ]
    hint = contract().hints()["user__e_mail"]
    assert hint == {
        "name": "user__e_mail",
        "data_type": "text",
        "nullable": True,
        "description": "The API's `user.eMail`.",
    }


@pytest.mark.parametrize(
    ("entry", "columns"),
    [
        ({"max_table_nesting": 0}, ["id", "user", "paid"]),
        ({"max_table_nesting": 1}, ["id", "user__e_mail", "user__home", "user__joined", "paid"]),
        ({"columns": {"user": {"data_type": "json"}}}, ["id", "user", "paid"]),
        (
            {"columns": {"user__home": {"data_type": "json"}}},
            ["id", "user__e_mail", "user__home", "user__joined", "paid"],
        ),
    ],
)
def test_an_object_stays_whole_below_the_nesting_of_dlt_and_by_a_hint(
    contract: Make, entry: Any, columns: list[str]
) -> None:
    assert [name for name, _ in names(contract(**entry))] == columns


def test_a_hint_by_the_name_of_its_column_overrides_the_document(contract: Make) -> None:
    found = contract(columns={"user__joined": {"data_type": "text", "nullable": False}})

    (joined,) = [column for column in found.columns if column.field == "user.joined"]
    assert (joined.data_type, joined.nullable, joined.may_be_null) == ("text", False, True)


def test_two_fields_of_one_column_are_refused_with_the_object_to_keep_whole(
    contract: Make,
) -> None:
    both = {**PROPERTIES, "user__eMail": TEXT}

    with pytest.raises(ConfigurationError) as refusal:
        contract(both)

    assert "its fields `user.eMail` and `user__eMail` would both become the column" in str(
        refusal.value
    )
    assert 'keep `user` whole by "columns": {"user": {"data_type": "json"}}' in str(refusal.value)
    with pytest.raises(ConfigurationError, match="keep `user` whole"):
        contract({**PROPERTIES, "user.eMail": TEXT})


def test_objects_of_too_many_columns_are_refused_with_the_depth_to_set(contract: Make) -> None:
    fields = {f"f{number}": TEXT for number in range(40)}
    wide = {name: {"type": "object", "properties": fields} for name in fields}
    properties = {"id": {"type": "integer"}, "user": {"type": "object", "properties": wide}}

    with pytest.raises(ConfigurationError) as refusal:
        contract(properties)

    assert str(refusal.value).startswith(
        "policy of `orders`: with `nested` the document describes more than 1000 columns; set "
        "`max_table_nesting` of the entry"
    )
    assert len(contract(properties, max_table_nesting=1).columns) == 41


@pytest.mark.parametrize("key", ["user.eMail", ["id", "user__e_mail"]])
def test_a_key_within_an_object_is_refused_with_the_remedy(contract: Make, key: Any) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        contract(primary_key=key)

    assert "its `primary_key` names `user" in str(refusal.value)
    assert 'Copy it to a field of the row by "processing_steps"' in str(refusal.value)


def test_an_object_can_be_renamed_and_a_field_in_it_cannot(contract: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"`rename` names the field `user\.eMail`"):
        contract(rename={"user.eMail": "mail"})


@pytest.mark.merge
@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("nesting", [{}, {"max_table_nesting": 1}, {"max_table_nesting": 0}])
def test_a_table_has_the_columns_that_dlt_infers(contract: Make, nesting: Any) -> None:
    long = {"f" * 40: {"type": "object", "properties": {"g" * 40: TEXT}}}
    user = {**USER, "properties": {**USER["properties"], **long}}  # type: ignore[dict-item]
    described = contract({**PROPERTIES, "user": user}, **nesting)
    assert described.has_schema
    rows = json.loads(json.dumps(ROWS))
    rows[0]["user"]["f" * 40] = {"g" * 40: "long"}
    rows[0]["user"]["home"]["lines"] = []  # a list stays JSON
    inferred = [{**row, "user": json.loads(json.dumps(row["user"]))} for row in rows]
    del inferred[0]["user"]["home"]["lines"]

    by_contract = load(paged(rows), orders({**MERGED, **nesting}), contract=described)
    alone = {"name": "alone", "table_name": "alone"}
    by_dlt = load(paged(inferred), orders({**MERGED, **nesting, **alone}))

    found = set(by_contract.default_schema.tables["orders"]["columns"])
    assert found - {"user__home__lines"} == set(by_dlt.default_schema.tables["alone"]["columns"])
