"""The end of a run and of a worker: what is terminated stops, and what is begun is finished."""

from analytics_assets.warehouse.warehouse import Warehouse
from analytics_assets_tests.e2e.workers.conftest import ROWS, Cluster
from analytics_assets_tests.e2e.workers.shop import QUEUE, VISITS
from analytics_assets_tests.support.deployment import wait_until
from analytics_assets_tests.support.http.fault import Fault
from analytics_assets_tests.support.loading import api_rows, table_rows
from analytics_assets_tests.support.sandbox import Sandbox


def test_a_terminated_run_stops_its_load_and_a_worker_that_ends_finishes_the_next_one(
    cluster: Cluster, api: Sandbox
) -> None:
    api.faults.add(Fault(path=f"/v1/{VISITS}", offset=100, delay=600))
    cluster.worker("one", queue=QUEUE)
    run = cluster.run("visits")
    wait_until(lambda: cluster.workers_of(VISITS), "the beginning of a load")

    cluster.terminate(run)

    assert cluster.ended(run).status.value == "CANCELED", cluster.log(run)
    api.faults.clear()
    api.faults.add(Fault(path=f"/v1/{VISITS}", offset=100, delay=5))
    run = cluster.run("visits")  # by the same process, which is free
    wait_until(lambda: cluster.log("one").count("reading from") == 2, "the next load")

    assert cluster.stop("one") == 0, cluster.log("one")

    cluster.worker("two", queue=QUEUE)  # for the checks
    assert cluster.ended(run).is_success, cluster.log(run)
    assert table_rows(Warehouse.from_settings("web"), VISITS) == api_rows(ROWS[VISITS])
    assert cluster.workers_of(VISITS) == ["one"]
