"""The machine and the versions that the figures belong to."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from analytics_assets_tests.project.benchmarks.server.nginx import nginx_version

PACKAGES = (
    "dlt",
    "duckdb",
    "pyarrow",
    "orjson",
    "msgspec",
    "pycurl",
    "dagster",
    "dagster-dlt",
    "aiohttp",
    "uvloop",
)
BUSY = 0.5  # cores that other work may take
CPU_INFO = Path("/proc/cpuinfo")


def machine() -> str:
    """Describe the machine: cores, their model, memory, system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 1e9
    return f"{cores} cores of {_cpu_model()}, {memory:.0f} GB of memory, {platform.system()}"


def versions() -> str:
    """Return the versions of all programs and packages involved."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {packages}, nginx {nginx_version()}"


def today() -> str:
    """Return the date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def how_busy() -> str:
    """Describe the load of the machine in the last minute."""
    load = os.getloadavg()[0]
    if load < BUSY:
        return f"The machine was idle when it began (load {load:.1f})."
    return (
        f"The machine was **busy with other work** when it began (load {load:.1f}): the figures "
        "are provisional."
    )


def _cpu_model() -> str:
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
