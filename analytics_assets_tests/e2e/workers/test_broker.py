"""Runs side by side over a broker that restarts twice: nothing is lost, and no secret is in it."""

import base64
import json
import os

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.workers.conftest import ROWS, Cluster
from analytics_assets_tests.e2e.workers.redis import PASSWORD
from analytics_assets_tests.e2e.workers.shop import QUEUE, TABLES, VISITS
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

SECRETS = ("CLIENT_SECRET", "DESTINATION__POSTGRES__CREDENTIALS", "DAGSTER_POSTGRES_URL")
SLOW = TABLES[-1]


def test_two_runs_lose_no_step_to_a_broker_that_restarts(cluster: Cluster, api: Sandbox) -> None:
    api.faults.add(Fault(path=f"/v1/{SLOW}", offset=100, delay=8))
    runs = [cluster.run("tables"), cluster.run("visits")]
    wait_until(lambda: len(cluster.messages("dagster")) == len(TABLES), "all steps in the queue")
    wait_until(lambda: len(cluster.messages(QUEUE)) == 1, "a step in the queue of its API")
    sent = "".join(text_of(each) for name in ("dagster", QUEUE) for each in cluster.messages(name))
    assert SLOW in sent
    assert [name for name in SECRETS if os.environ[name] in sent] == []
    assert PASSWORD not in sent

    cluster.redis.kill()  # with all that waits
    cluster.redis.start()
    cluster.worker("one")
    cluster.worker("two", queue=f"dagster,{QUEUE}")
    wait_until(lambda: cluster.workers_of(SLOW), "the beginning of a load")
    cluster.redis.kill()  # while a worker loads
    cluster.redis.start()

    for run in runs:
        assert cluster.ended(run).is_success, cluster.log(run)
    for api_name, tables in {"shop": TABLES, "web": [VISITS]}.items():
        warehouse = Warehouse.from_settings(api_name)
        for table in tables:
            assert table_rows(warehouse, table) == api_rows(ROWS[table])
    assert cluster.workers_of(VISITS) == ["two"]
    assert {worker for table in TABLES for worker in cluster.workers_of(table)} == {"one", "two"}


def text_of(message: str) -> str:
    """Return a message with its body decoded."""
    return message + base64.b64decode(json.loads(message)["body"]).decode()
