"""Limits and the token of an API hold for the processes of all workers."""

import threading
import time

import pytest
from cryptography.fernet import Fernet

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.workers.conftest import ROWS, Cluster
from analytics_assets_tests.e2e.workers.shop import TABLES
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

SECONDS = 0.2  # of an answer, so that the requests of several processes meet


def test_workers_keep_one_limit_and_share_one_token(
    cluster: Cluster, api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READING__MAX_IN_FLIGHT", "2")
    monkeypatch.setenv("READING__ADAPTIVE", "false")
    monkeypatch.setenv("SHARED_STORE__ENCRYPTION_KEY", Fernet.generate_key().decode())
    now, most, lock = 0, 0, threading.Lock()
    answers = api._server.answers

    def answer(asked: Request) -> Answer:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(SECONDS)
        try:
            return answers(asked)
        finally:
            with lock:
                now -= 1

    api._server.answers = answer
    cluster.worker("one", processes=2)
    cluster.worker("two", processes=2)
    cluster.wait_for("one", "two")
    run = cluster.run()

    assert cluster.ended(run).is_success, cluster.log(run)
    assert most == 2
    assert api.tokens.issued == 1
    assert {name for table in TABLES for name in cluster.workers_of(table)} == {"one", "two"}
    for table in TABLES:
        assert table_rows(Warehouse.from_settings("shop"), table) == api_rows(ROWS[table])
