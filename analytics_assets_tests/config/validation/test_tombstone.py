"""The policy `tombstone`: refused where it cannot delete a row, or is misspelt."""

from typing import Any

import dlt
import pytest

from analytics_assets.config.api import Api
from analytics_assets.config.errors import ConfigurationError

MERGED = {"name": "orders", "primary_key": "id", "write_disposition": "merge"}


def api_of(entry: Any, tombstone: Any) -> Api:
    config = {"client": {"base_url": "https://api.example.com"}, "resources": [entry]}
    return Api(name="shop", config=config, policies={"orders": {"tombstone": tombstone}})


DELETE = {"field": "deleted_at", "rows": "delete"}
KEEP = {"field": "deleted_at", "rows": "keep"}


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [
        ({"write_disposition": "append", "primary_key": "id"}, 'set "write_disposition": "merge"'),
        ({"write_disposition": "replace", "primary_key": "id"}, 'or "rows": "keep"'),
        (
            {
                "write_disposition": {"disposition": "merge", "strategy": "scd2"},
                "primary_key": "id",
            },
            "as the merge strategy `scd2` deletes no row of the table by its key",
        ),
        ({"write_disposition": "merge", "merge_key": "day"}, 'add "primary_key"'),
    ],
)
def test_tombstones_delete_rows_of_a_merge_by_key_alone_and_are_kept_elsewhere(
    entry: dict[str, Any], remedy: str
) -> None:
    orders = {"name": "orders", **entry}
    with pytest.raises(ConfigurationError, match="policy of `orders`: `tombstone` cannot be") as no:
        api_of(orders, DELETE)
    assert remedy in str(no.value)
    assert api_of(orders, KEEP).resources["orders"].policy.tombstone == KEEP


def test_tombstones_exclude_a_mark_of_the_entry_and_a_resource_function() -> None:
    with pytest.raises(ConfigurationError, match="beside the hint `hard_delete`"):
        api_of({**MERGED, "columns": {"x": {"hard_delete": True}}}, KEEP)
    function = dlt.resource([], name="orders", primary_key="id", write_disposition="merge")
    with pytest.raises(ConfigurationError, match="as the resource is a function of dlt"):
        api_of(function, DELETE)


@pytest.mark.parametrize(
    ("tombstone", "text"),
    [
        ({"field": "deleted_at"}, "policy of `orders`: `tombstone` has no `rows`; add it."),
        ({**DELETE, "row": 1}, "policy of `orders`: `tombstone`: unknown key 'row'; did you mean"),
        ({**DELETE, "rows": "hard"}, "`tombstone.rows` cannot be 'hard'"),
        ({**DELETE, "field": 7}, "`tombstone.field` cannot be 7: give a text, in quotes."),
        ("deleted_at", "`tombstone` cannot be 'deleted_at': give a dictionary."),
    ],
)
def test_a_wrong_tombstone_is_refused(tombstone: Any, text: str) -> None:
    with pytest.raises(ConfigurationError) as no:
        api_of(MERGED, tombstone)
    assert text in str(no.value)
