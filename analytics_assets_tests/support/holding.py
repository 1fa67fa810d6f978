"""Processes that hold a lock or a file until they end."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def holding(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that prints `held` once it holds something, and ends when its input does.

    Args:
        program: Python statements; `hold()` in them waits for the end.
        *arguments: its `sys.argv`.
    """
    statements = (
        "import sys\ndef hold():\n    print('held', flush=True)\n    sys.stdin.read()\n" + program
    )
    process = subprocess.Popen(
        [sys.executable, "-c", statements, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.communicate()


@contextmanager
def when_waited_for(release: Callable[[], object]) -> Iterator[None]:
    """Call `release` as soon as a load logs that it waits for a lock."""

    def logged(record: logging.LogRecord) -> bool:
        release()
        return True

    logger = logging.getLogger("analytics_assets.warehouse.locks.lock_wait")
    logger.addFilter(logged)
    try:
        yield
    finally:
        logger.removeFilter(logged)
