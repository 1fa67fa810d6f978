"""What the figures were taken on and with: they mean nothing without it."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from analytics_assets_tests.benchmarks.nginx import nginx_version

PACKAGES = ("dlt", "duckdb", "pyarrow", "orjson", "msgspec", "dagster", "dagster-dlt", "aiohttp")
CPU_INFO = Path("/proc/cpuinfo")


def machine() -> str:
    """Describe the machine: cores, their model, memory, system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 1e9
    return f"{cores} cores of {_cpu_model()}, {memory:.0f} GB of memory, {platform.system()}"


def versions() -> str:
    """Name the versions of what takes part."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {packages}, nginx {nginx_version()}"


def today() -> str:
    """Return the date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def how_busy() -> str:
    """Say how much other work the machine has, as the system tells it for the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _cpu_model() -> str:
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
