"""Hashes of rows that came as objects."""

from analytics_assets.extract.rows.hashing import json_hashes


def test_rows_differ_by_their_json() -> None:
    assert (
        json_hashes([{"a": 1}, {"a": 1}, {"a": "1"}, {"a": {1, 2}}])[0:2]
        == [json_hashes([{"a": 1}])[0]] * 2
    )
    assert len(set(json_hashes([{"a": 1}, {"a": "1"}, {"a": 1.5}]))) == 3
