"""The connections of the webserver to the history, after a restart of PostgreSQL."""

import time
from collections.abc import Sequence
from pathlib import Path

import psycopg2
import pytest
from dagster import DagsterInstance
from dagster_webserver.cli import (
    DEFAULT_DB_STATEMENT_TIMEOUT,
    DEFAULT_POOL_MAX_OVERFLOW,
    DEFAULT_POOL_RECYCLE,
    dagster_webserver,
)
from sqlalchemy.exc import DatabaseError

from analytics_assets_tests.project.deploy.files import DEPLOY, read
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.postgres import END_OTHER_SESSIONS
from deploy.serve.deployment import Deployment

RECYCLE = 1  # seconds for which a connection is used again


def test_connections_are_used_for_a_second_wherever_the_webserver_runs() -> None:
    [serve] = [each for each in Deployment(Path(), 0, 1)._programs() if each.name == "webserver"]
    assert recycle_of(serve.command[serve.command.index("dagster_webserver") :]) == RECYCLE
    assert recycle_of(read("compose.yaml")["services"]["webserver"]["command"]) == RECYCLE
    assert read("helm-values.yaml")["dagsterWebserver"]["dbPoolRecycle"] == RECYCLE


def recycle_of(command: Sequence[str]) -> int:
    words = [*command[1:]]
    context = dagster_webserver.make_context("webserver", words, resilient_parsing=True)
    return int(context.params["db_pool_recycle"])


@pytest.mark.parametrize(("recycle", "answers"), [(RECYCLE, True), (DEFAULT_POOL_RECYCLE, False)])
def test_the_history_answers_after_its_connections_have_ended(
    recycle: int, answers: bool, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it does so by Dagster's default, too, the option may go."""
    monkeypatch.setenv("DAGSTER_FILES", str(tmp_path))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres_url)
    with DagsterInstance.from_config(str(DEPLOY)) as instance:
        instance.optimize_for_webserver(
            DEFAULT_DB_STATEMENT_TIMEOUT, recycle, DEFAULT_POOL_MAX_OVERFLOW
        )
        assert not instance.get_runs()
        asked = time.monotonic()
        end_connections(postgres_url)
        wait_until(lambda: time.monotonic() > asked + RECYCLE, "the end of a connection's use")
        try:
            assert not instance.get_runs()
        except DatabaseError:
            assert not answers
        else:
            assert answers


def end_connections(url: str) -> None:
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute(END_OTHER_SESSIONS)
    connection.close()
