import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from analytics_assets.sandbox import Sandbox, embedded_sandbox
from analytics_assets_tests.sandbox.client import access_token, collect, get_page


def test_stopping_frees_the_port_and_leaves_no_thread() -> None:
    threads = set(threading.enumerate())
    sandbox = Sandbox()
    sandbox.start()
    port = int(sandbox.base_url.rpartition(":")[2])
    with requests.Session() as kept_alive:
        assert kept_alive.get(sandbox.base_url, timeout=60).ok
        sandbox.stop()

        assert set(threading.enumerate()) == threads
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)
        with Sandbox(port=port) as successor:
            assert successor.base_url.endswith(f":{port}")
            assert requests.get(successor.base_url, timeout=60).ok


def test_a_stopped_server_can_be_stopped_again_and_started_again() -> None:
    sandbox = Sandbox()
    with sandbox:
        token = access_token(sandbox)
    sandbox.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.base_url
    with sandbox:
        assert get_page(sandbox, "page_views", token=token).ok


def test_a_running_server_cannot_be_started_again(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="running already"):
        sandbox.start()
    assert requests.get(sandbox.base_url, timeout=60).ok


def test_a_taken_port_is_an_error_and_leaves_the_other_server_alone(sandbox: Sandbox) -> None:
    port = int(sandbox.base_url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        Sandbox(port=port).start()
    assert requests.get(sandbox.base_url, timeout=60).ok


def test_it_can_be_started_used_and_stopped_from_any_thread() -> None:
    sandbox = Sandbox(today=date(2025, 7, 10))
    with ThreadPoolExecutor(1) as starter, ThreadPoolExecutor(8) as users:
        starter.submit(sandbox.start).result()
        answers = [users.submit(collect, sandbox, "traffic_sources") for _ in range(16)]
        assert {len(answer.result()) for answer in answers} == {8 * 15}
        users.submit(sandbox.stop).result()


def test_the_default_clock_is_the_utc_day() -> None:
    with Sandbox() as sandbox:
        before = datetime.now(UTC).date()
        newest = get_page(sandbox, "page_views", sort="-date", limit=1).json()["data"][0]["date"]
        after = datetime.now(UTC).date()

    assert f"{before - timedelta(days=1)}" <= newest <= f"{after - timedelta(days=1)}"


def test_a_page_comes_without_waiting_for_delayed_acknowledgements(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {access_token(sandbox)}"
        url = f"{sandbox.base_url}/v1/traffic_sources"
        quick = requests_sent = 0
        # A delayed acknowledgement takes 40 ms, and would be met in nearly every request.
        while quick < 25:
            assert requests_sent < 1000
            started = time.perf_counter()
            assert session.get(url, timeout=60).ok
            quick += time.perf_counter() - started < 0.03
            requests_sent += 1


def test_there_is_one_embedded_server_whose_clock_can_be_moved() -> None:
    with ThreadPoolExecutor(8) as pool:
        servers = {
            id(server): server for server in pool.map(lambda _: embedded_sandbox(), range(8))
        }
    (server,) = servers.values()

    assert embedded_sandbox(date(2025, 7, 4)) is server
    assert get_page(server, "page_views").json()["total"] == 18
    assert embedded_sandbox().today == date(2025, 7, 4)
    server.today = None


FORKING = """
import os, sys, requests
from datetime import date
from analytics_assets.sandbox import embedded_sandbox
parent = embedded_sandbox(date(2025, 7, 4))
url = parent.base_url
child = os.fork()
if child == 0:
    own = embedded_sandbox(date(2025, 7, 5))
    assert own is not parent and own.base_url != url
    assert requests.get(own.base_url, timeout=60).ok
    own.stop()
    parent.stop()
    sys.exit(0)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert embedded_sandbox() is parent and parent.base_url == url
assert requests.get(url, timeout=60).ok
print("both served")
"""


def test_a_forked_child_has_a_server_of_its_own_and_leaves_the_parents_alone() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=600, check=False
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "both served\n", "")


HOLDING = """
import os, sys
from analytics_assets.sandbox import embedded_sandbox
server = embedded_sandbox()
port = int(server.base_url.rpartition(":")[2])
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.close(writer)
    os.read(reader, 1)
    os._exit(0)
server.stop()
import socket
try:
    socket.create_connection(("127.0.0.1", port), timeout=5)
except ConnectionRefusedError:
    print("refused")
os.close(writer)
os.waitpid(child, 0)
"""


def test_a_forked_child_does_not_hold_the_parents_port() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", HOLDING], capture_output=True, text=True, timeout=600, check=False
    )

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "refused\n", "")


def test_the_end_of_the_process_ends_the_embedded_server_quietly() -> None:
    program = "from analytics_assets.sandbox import embedded_sandbox as e; print(e().base_url)"
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False
    )

    assert (finished.returncode, finished.stderr) == (0, "")
    with pytest.raises(requests.ConnectionError):
        requests.get(finished.stdout.strip(), timeout=60)
