"""Two workers: they keep one limit and share one token, and one takes over from a killed one."""

import threading
import time

import dagster as dg
import pytest
from cryptography.fernet import Fernet

from analytics_assets.orchestration.runs.pools import pools_of
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.workers.conftest import ROWS, Cluster
from analytics_assets_tests.e2e.workers.shop import TABLES
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.http.exchange import Answer, Request
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

SLOW = "orders_1"
PROCESSES = 2  # of a worker, which are killed with it
SECONDS = 0.2  # of an answer, so that the requests of several processes meet


def test_workers_keep_one_limit_and_share_one_token_and_one_takes_over_from_a_killed_one(
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
    cluster.worker("one", processes=PROCESSES)
    cluster.worker("two", processes=PROCESSES)
    cluster.wait_for("one", "two")
    run = cluster.run()

    assert cluster.ended(run).is_success, cluster.log(run)
    assert most == 2
    assert api.tokens.issued == 1
    assert {name for table in TABLES for name in cluster.workers_of(table)} == {"one", "two"}
    check_rows()
    since = cluster.logged()

    # the second page, as the first one is in the load's memory by then
    api.faults.add(Fault(path=f"/v1/{SLOW}", offset=100, times=None, delay=600))
    run = cluster.run()
    [killed] = wait_until(lambda: cluster.workers_of(SLOW, since), "the beginning of a load")
    api.faults.clear()

    cluster.kill(killed)

    ended = cluster.ended(run)
    assert ended.is_success, cluster.log(run)
    assert cluster.workers_of(SLOW, since) == ["one", "two"]
    check_rows()
    with dg.DagsterInstance.get() as instance:
        storage = instance.event_log_storage
        taken = [storage.get_concurrency_info(pool).claimed_slots for pool in pools_of(instance)]
        retries = instance.get_records_for_run(
            ended.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY
        ).records
    assert not any(taken)
    retried = [record.event_log_entry.step_key for record in retries]
    assert retried.count(f"shop__{SLOW}") == 1
    assert len(retried) <= PROCESSES


def check_rows() -> None:
    for table in TABLES:
        assert table_rows(Warehouse.from_settings("shop"), table) == api_rows(ROWS[table])
