"""A worker that is killed in the middle of a load: another one loads, and no slot stays taken."""

import dagster as dg

from analytics_assets.orchestration.runs.pools import pools_of
from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.workers.conftest import ROWS, Cluster
from analytics_assets_tests.e2e.workers.shop import TABLES
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox

SLOW = "orders_1"


def test_a_load_whose_worker_is_killed_is_done_by_another_one_in_the_same_run(
    cluster: Cluster, api: Sandbox
) -> None:
    # the second page, as the first one is in the load's memory by then
    api.faults.add(Fault(path=f"/v1/{SLOW}", offset=100, times=None, delay=600))
    for name in ("one", "two"):
        cluster.worker(name)
    run = cluster.run()
    wait_until(lambda: cluster.workers_of(SLOW), "the beginning of a load")
    [killed] = cluster.workers_of(SLOW)
    api.faults.clear()

    cluster.kill(killed)

    ended = cluster.ended(run)
    assert ended.is_success, cluster.log(run)
    assert cluster.workers_of(SLOW) == ["one", "two"]
    for table in TABLES:
        assert table_rows(Warehouse.from_settings("shop"), table) == api_rows(ROWS[table])
    with dg.DagsterInstance.get() as instance:
        storage = instance.event_log_storage
        taken = [storage.get_concurrency_info(pool).claimed_slots for pool in pools_of(instance)]
        retries = instance.get_records_for_run(
            ended.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY
        ).records
    assert not any(taken)
    assert len(retries) == 1
