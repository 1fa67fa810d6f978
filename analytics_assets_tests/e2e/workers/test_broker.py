"""Runs from the queue, side by side, over a broker that restarts twice: nothing is lost.

No secret is in the messages of the broker.
"""

import base64
import json
import os
import threading
from collections.abc import Sequence
from typing import Any

import dagster as dg

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.workers import shop
from analytics_assets_tests.e2e.workers.conftest import ROWS, SETTINGS, Cluster
from analytics_assets_tests.e2e.workers.redis import PASSWORD
from analytics_assets_tests.e2e.workers.shop import QUEUE, TABLES, VISITS
from analytics_assets_tests.support.deployment import PATIENCE, Deployment, wait_until
from analytics_assets_tests.support.http.exchange import Exchange
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

SECRETS = ("CLIENT_SECRET", "DESTINATION__POSTGRES__CREDENTIALS", "DAGSTER_POSTGRES_URL")
SLOW = TABLES[-1]


def test_queued_runs_lose_no_step_to_a_broker_that_restarts(cluster: Cluster, api: Sandbox) -> None:
    have_begun = threading.Event()

    def answer(exchange: Exchange) -> None:
        have_begun.wait(PATIENCE)
        exchange.answer(exchange.proper())

    api.faults.add(Fault(path=f"/v1/{SLOW}", offset=100, delay=8))
    for table in TABLES:
        api.faults.add(Fault(path=f"/v1/{table}", times=None, does=answer))
    with Deployment(cluster.home, shop.__name__, SETTINGS) as dagster:

        def launch(*tables: str, priority: int = 0) -> str:
            tags = {"api": tables[0].partition("/")[0], "dagster/priority": str(priority)}
            return dagster.launch(tables, "__ASSET_JOB", tags)

        dagster.start("webserver")
        later = launch(f"shop/{SLOW}", priority=-1)
        first = launch(*[f"shop/{table}" for table in TABLES])
        beside = launch(f"web/{VISITS}")
        dagster.start("daemon")
        wait_until(lambda: len(cluster.messages("dagster")) == len(TABLES), "steps in the queue")
        wait_until(lambda: cluster.messages(QUEUE), "a step in the queue of its API")
        check_messages([*cluster.messages("dagster"), *cluster.messages(QUEUE)])

        cluster.redis.kill()  # with all that waits
        cluster.redis.start()
        cluster.worker("one")
        cluster.worker("two", queue=f"dagster,{QUEUE}")
        wait_until(lambda: loading(cluster) == {"one", "two"}, "a load of each worker")
        have_begun.set()
        wait_until(lambda: cluster.workers_of(SLOW), "the beginning of a load")
        cluster.redis.kill()  # while a worker loads
        cluster.redis.start()

        with dg.DagsterInstance.get() as instance:

            def of(run: str) -> Any:
                done = dg.RunsFilter(run_ids=[run], statuses=[dg.DagsterRunStatus.SUCCESS])
                wait_until(lambda: instance.get_runs(done), f"the success of {run}")
                return instance.get_run_stats(run)

            # one run of an API at a time, that of the higher priority first; another API beside it
            assert of(first).end_time <= of(later).start_time
            assert of(beside).start_time < of(first).end_time
    for api_name, tables in {"shop": TABLES, "web": [VISITS]}.items():
        warehouse = Warehouse.from_settings(api_name)
        for table in tables:
            assert table_rows(warehouse, table) == api_rows(ROWS[table])
    assert cluster.workers_of(VISITS) == ["two"]


def loading(cluster: Cluster) -> set[str]:
    """Return the workers that have begun to load a table of the shop."""
    return {worker for table in TABLES for worker in cluster.workers_of(table)}


def check_messages(messages: Sequence[str]) -> None:
    """Look for secrets in messages, whose bodies are encoded."""
    sent = "".join(
        message + base64.b64decode(json.loads(message)["body"]).decode() for message in messages
    )
    assert SLOW in sent
    assert [name for name in SECRETS if os.environ[name] in sent] == []
    assert PASSWORD not in sent
