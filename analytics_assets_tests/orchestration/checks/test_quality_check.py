"""The check `answer_quality`: its sentence by the metadata, and its way through a load."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from analytics_assets.cli.commands.report.collection import collect
from analytics_assets.config.api import Api
from analytics_assets.contract.resource import resource_of
from analytics_assets.orchestration.checks.quality_check import check_answer_quality
from analytics_assets.orchestration.definitions import build_definitions
from analytics_assets.orchestration.metadata.names import (
    ANSWERS,
    ANSWERS_OTHER_ROWS,
    ANSWERS_SAMPLED,
    ANSWERS_THRESHOLDED,
    ANSWERS_TRUNCATED,
)
from analytics_assets_tests.support.loading import api_with, check_of, load, metadata_of
from analytics_assets_tests.support.sandbox import Sandbox


def test_exact_answers_pass_with_what_was_looked_at() -> None:
    found = {ANSWERS: 3, ANSWERS_SAMPLED: 0, ANSWERS_OTHER_ROWS: 0}
    result = check_answer_quality(found)

    assert (result.passed, result.text) == (
        True,
        "None of 3 answers is sampled or with other rows.",
    )
    assert result.numbers == {ANSWERS_SAMPLED: 0, ANSWERS_OTHER_ROWS: 0}


@pytest.mark.parametrize(
    ("kind", "stated", "begin", "remedy"),
    [
        (ANSWERS_SAMPLED, 1, "1 of 31 answers is sampled: ", "Ask for fewer dimensions"),
        (ANSWERS_THRESHOLDED, 31, "31 of 31 answers are thresholded: ", "Leave out dimensions"),
        (ANSWERS_OTHER_ROWS, 2, "2 of 31 answers are with rare values", "shorter windows"),
        (ANSWERS_TRUNCATED, 2, "2 of 31 answers are truncated: ", "raise the limit of a request"),
    ],
)
def test_each_kind_warns_with_what_to_do(kind: str, stated: int, begin: str, remedy: str) -> None:
    result = check_answer_quality({ANSWERS: 31, kind: stated})

    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.text.startswith(begin)
    assert remedy in result.text


def test_an_asset_that_was_never_loaded_warns() -> None:
    assert check_answer_quality({}).text == "The asset was never loaded."


def test_a_load_of_an_entry_with_places_has_metadata_and_a_check_and_others_have_none(
    serve: Callable[[list[Any]], Sandbox], instance: dg.DagsterInstance
) -> None:
    serve([{"id": 1, "country": "DE"}, {"id": 2, "country": "(other)"}])
    plain = api_with("orders")
    quality = {"other_rows": {"column": "country", "value": "(other)"}}
    [entry] = plain.config["resources"]
    config = {**plain.config, "resources": [{**entry, "answer_quality": quality}]}

    api = Api(name="shop", config=config)
    result = load(instance, "orders", api=api)

    details = metadata_of(result, "orders", api)
    assert (details[ANSWERS], details[ANSWERS_OTHER_ROWS]) == (1, 1)
    check = check_of(result, "answer_quality")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata[ANSWERS_OTHER_ROWS].value == 1
    orders = resource_of(api, "orders")
    [table] = collect([orders], instance, build_definitions(api), datetime.now(UTC)).tables
    assert "answer_quality" in [each.name for each in table.failed_checks]
    others = load(instance, "orders", api=plain).get_asset_check_evaluations()
    assert "answer_quality" not in [each.check_name for each in others]
