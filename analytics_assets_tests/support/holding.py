"""Processes of their own that hold something until they are told to end, or are killed."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def holding(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program that says `held` once it holds something, and ends when its input does.

    Args:
        program: Python statements; `hold()` in them waits for the end.
        *arguments: what it finds in `sys.argv`.
    """
    said = (
        "import sys\ndef hold():\n    print('held', flush=True)\n    sys.stdin.read()\n" + program
    )
    process = subprocess.Popen(
        [sys.executable, "-c", said, *arguments],
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
    """Let go of something as soon as somebody says that it waits."""

    def said(record: logging.LogRecord) -> bool:
        release()
        return True

    logger = logging.getLogger("analytics_assets.warehouse.lock_wait")
    logger.addFilter(said)
    try:
        yield
    finally:
        logger.removeFilter(said)
