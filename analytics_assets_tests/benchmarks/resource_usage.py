"""Runs a command and tells as JSON what it used: `python -m ... <command>`.

In a process of its own because Linux counts a parent's memory at the time of the start into the
peak of its child: this one is small.
"""

import json
import os
import subprocess
import sys
import time

from analytics_assets_tests.benchmarks.stages import STARTED

BYTES_PER_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def main() -> None:
    """Run the command line's command, its errors on the standard error of this one."""
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
    told = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * BYTES_PER_UNIT,
        "exit_code": process.returncode,
        "printed": printed,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
