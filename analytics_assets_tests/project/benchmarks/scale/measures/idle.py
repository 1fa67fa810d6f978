"""Memory and CPU of `dagster dev` while nothing is to be done: its daemon, webserver, code."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.project.benchmarks.scale.measure import Measure
from analytics_assets_tests.project.benchmarks.scale.place import cpu_of_processes
from analytics_assets_tests.project.benchmarks.scale.project import PYTHON, Folder, Project

SIZES = (4, 500)
START = 180.0  # seconds that it may take to start
SETTLING = 20.0  # seconds in which each sensor has its first tick
IDLE = 45.0  # seconds that are measured
AS_MAKE_DEV = {"MALLOC_MMAP_THRESHOLD_": "1048576"}  # of the Makefile


def take(project: Project, size: int) -> Mapping[str, float]:
    """Start `dagster dev` as `make dev` does, and let it be."""
    with project.folder({"resources": size}) as folder, _dagster_dev(folder) as pid:
        time.sleep(min(SETTLING, IDLE))
        cpu, began = cpu_of_processes(pid), time.monotonic()
        time.sleep(IDLE)
        share = (cpu_of_processes(pid) - cpu) / (time.monotonic() - began)
        return {"CPU, % of a core": share * 100, "memory MB": _memory(pid) / 1e6}


@contextmanager
def _dagster_dev(folder: Folder) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    log = folder.path / "dagster_dev.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*PYTHON, "dagster", "dev", "--host", "127.0.0.1", "--port", str(port),
             "--log-level", "warning"],
            cwd=folder.path,
            env={**os.environ, **AS_MAKE_DEV, **folder.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait(f"http://127.0.0.1:{port}/server_info", process, log.read_text)
        yield process.pid
    finally:
        _stop(process)


def _wait(url: str, process: subprocess.Popen[bytes], log: object) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url):
                return
        except URLError:
            time.sleep(0.2)
    raise BenchmarkError(f"dagster dev does not answer: {log() if callable(log) else log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(started, 10)
    for each in alive:
        each.kill()


def _memory(pid: int) -> float:
    """Return the bytes of a process and its children, pages that they share counted once."""
    first = psutil.Process(pid)
    known = [each.memory_full_info() for each in (first, *first.children(recursive=True))]
    return float(sum(getattr(each, "pss", each.uss) for each in known))


MEASURES = [
    Measure(
        name="idle",
        title="Idle `dagster dev`",
        counted="resources",
        sizes=SIZES,
        take=take,
        further="each further resource",
    )
]
