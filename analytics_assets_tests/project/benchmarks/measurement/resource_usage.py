"""Runs a command and prints its time and memory as JSON: `python -m ... <command>`.

This is a process of its own because Linux counts the memory of the parent, at the time of the
start, into the peak of its child, and this parent is small.
"""

import json
import os
import subprocess
import sys
import time

from analytics_assets_tests.project.benchmarks.loaders.stages import STARTED

BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def main() -> None:
    """Run the command; its standard error is that of this process."""
    environment = {**os.environ, STARTED: str(time.time())}
    start = time.perf_counter()
    process = subprocess.Popen(
        sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    printed = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    usage_of_command = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * BYTES_PER_UNIT,
        "exit_code": process.returncode,
        "printed": printed,
    }
    sys.stdout.write(json.dumps(usage_of_command))


if __name__ == "__main__":
    main()
