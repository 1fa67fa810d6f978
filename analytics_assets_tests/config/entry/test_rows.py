"""`rows` of an entry is refused where it is wrong, with its place and the remedy."""

from typing import Any

import dlt
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.entry.rows import Entries, Origin, RowsConfig, Zip, rows_config
from analytics_assets.config.errors import ConfigurationError
from analytics_assets.config.resource import merged_entry


def shop(rows: Any, defaults: Any = None, paging: Any = None, **endpoint: Any) -> Api:
    entry = {
        "name": "orders",
        "primary_key": "id",
        "endpoint": {"path": "orders", "data_selector": "rows", **endpoint},
        **({} if rows is None else {"rows": rows}),
    }
    config = {
        "client": {"base_url": "https://api.example.com", "paginator": paging},
        "resource_defaults": {} if defaults is None else {"rows": defaults},
        "resources": [entry],
    }
    return Api(name="shop", config=config)


ZIP = {"names": "columns", "values": "$"}


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], "`rows` of resource `orders` is a list; give a dictionary."),
        ({"zips": []}, "`rows` of resource `orders`: unknown key 'zips'; did you mean `zip`?"),
        ({"fields": ["a"]}, "`fields` in `rows` of resource `orders` is a list"),
        ({"entries": {"keys": "a"}}, "unknown key 'keys'; did you mean `key`?"),
        ({"entries": {"value": "a"}}, "`key` cannot be None: give the name of the column"),
        ({"entries": {"key": []}}, "`key` cannot be []"),
        ({"entries": {"key": ["a", 1]}}, "`key` cannot be ['a', 1]"),
        ({"entries": {"key": "a", "value": " "}}, "`value` cannot be ' '"),
        ({"entries": {"key": ["a", "a"]}}, "two fields have the name `a`"),
        ({"entries": {"key": "a", "value": "a"}}, "two fields have the name `a`"),
        ({"entries": {"key": "a"}, "fields": {"a": 1}}, "two fields have the name `a`"),
        ({"zip": "columns"}, "`zip` in `rows` of resource `orders` cannot be 'columns'"),
        ({"zip": [{"names": "a"}]}, "has no `values`; add it."),
        ({"zip": [{"values": "a"}]}, "has no `names`; add it."),
        ({"zip": [{**ZIP, "type": "a"}]}, "unknown key 'type'; did you mean `types`?"),
        ({"zip": [{**ZIP, "names": ["a", 1]}]}, "`names` cannot be ['a', 1]"),
        ({"zip": [{**ZIP, "names": ["a", "a"]}]}, "two fields have the name `a`"),
        ({"zip": [{**ZIP, "types": 5}]}, "`types` cannot be 5"),
        ({"zip": [{**ZIP, "values": ["a"]}]}, "`values` cannot be ['a']"),
        ({"zip": [{**ZIP, "values": "a["}]}, "`values` cannot be 'a[', which is no JSONPath"),
        (
            {"zip": [{**ZIP, "names": ["a", "b"], "types": ["Date"]}]},
            "has 2 `names` and 1 `types`; give as many of one as of the other.",
        ),
        ({"fields": {"a": {"params": "b"}}}, "`a` cannot be {'params': 'b'}: give {\"param\":"),
        ({"fields": {"a": {"param": "b", "path": 1}}}, "or a constant."),
        ({"fields": {"a": {"param": ""}}}, "`param` cannot be ''"),
        ({"fields": {"a": {"param": "json."}}}, "`param` cannot be 'json.'"),
        ({"fields": {"a": {"path": 0}}}, "1 is the first, 2 the second, -1 the last."),
        ({"fields": {"a": {"path": True}}}, "`path` cannot be True"),
        ({"fields": {"a": {"body": "b["}}}, "'b[' is no JSONPath"),
        ({"fields": {"a": [1]}}, "a constant is a text, a number, True or False."),
        ({"fields": {"a": dlt.secrets.value}}, "`a` is a secret, which would be a column"),
        ({"fields": {"a": {"param": "headers.Authorization"}}}, "has the name of a secret"),
        ({"fields": {"a": {"param": "api_key"}}}, "has the name of a secret"),
        ({"fields": {"a": {"param": "json.auth.token"}}}, "has the name of a secret"),
        ({"fields": {"a": {"param": "data.token_auth"}}}, "has the name of a secret"),
    ],
)
def test_wrong_rows_are_refused_by_their_place(rows: Any, text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        shop(rows)

    assert "`rows` of resource `orders`" in str(refused.value)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "part"), [({"entries": {"key": "a"}}, "entries"), ({"zip": [ZIP]}, "zip")]
)
def test_the_place_of_what_becomes_rows_must_be_named(rows: Any, part: str) -> None:
    with pytest.raises(ConfigurationError, match=f"`{part}` needs the place of what becomes rows"):
        shop(rows, data_selector=None)


def test_arrays_are_selected_as_the_list_of_them() -> None:
    with pytest.raises(ConfigurationError, match=r"a page of one row .* Name the list of rows"):
        shop({"zip": [ZIP]}, data_selector="rows[*]")

    shop({"zip": [{**ZIP, "values": "values"}]}, data_selector="rows[*]")


def test_an_offset_is_refused_where_rows_are_made_of_keys() -> None:
    offset = {"type": "offset", "limit": 100}
    with pytest.raises(ConfigurationError, match="with `entries` no offset can be counted"):
        shop({"entries": {"key": "day"}}, paginator=offset)
    with pytest.raises(ConfigurationError, match="with `entries` no offset can be counted"):
        shop({"entries": {"key": "day"}}, paging=offset)

    shop({"zip": [ZIP]}, paginator=offset)


def test_parts_of_resource_defaults_hold_unless_an_entry_has_them() -> None:
    defaults = {"zip": ZIP, "fields": {"source": "a", "site": {"param": "site"}}}
    api = shop({"fields": {"source": "b"}}, defaults)

    assert rows_config("", api.resources["orders"].merged_entry) == RowsConfig(
        zips=(Zip("columns", "$"),),
        fields={"source": Origin("constant", "b"), "site": Origin("param", "site")},
    )
    assert rows_config("", shop({"zip": []}, {"zip": ZIP}).resources["orders"].merged_entry) is None
    assert rows_config("", shop(None).resources["orders"].merged_entry) is None


def test_a_key_of_one_name_is_like_a_list_of_it() -> None:
    config = rows_config(
        "", {"rows": {"entries": {"key": "day"}}, "endpoint": {"data_selector": "$"}}
    )

    assert config
    assert config.entries == Entries(("day",))


def test_rows_of_the_defaults_hold_for_an_entry_that_is_a_name() -> None:
    assert merged_entry({"rows": {"fields": {"a": 1}}}, {"name": "orders"})["rows"] == {
        "fields": {"a": 1}
    }
