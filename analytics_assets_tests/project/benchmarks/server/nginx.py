"""The API that loaders read from: nginx, which is faster than any of them."""

import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analytics_assets_tests.project.benchmarks.errors import BenchmarkError
from analytics_assets_tests.support.deployment import free_port

FOLDERS = ("/usr/sbin", "/usr/local/sbin")  # not on the PATH of a user who is not root
ECHO_MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
TEMPLATE = Path(__file__).with_name("nginx.conf")
INSTALL = "apt-get install nginx-light libnginx-mod-http-echo"
LONGEST_START = 10.0  # seconds


def find_nginx() -> str | None:
    """Return the path of nginx, or None if it or its module `echo`, which waits, is missing."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *FOLDERS])
    return shutil.which("nginx", path=path) if ECHO_MODULE.exists() else None


def nginx_version() -> str:
    """Return the version of the installed nginx, such as `1.22.1`."""
    printed = subprocess.run([_nginx(), "-v"], capture_output=True, text=True, check=True).stderr
    return printed.strip().rpartition("/")[2]


@contextmanager
def serving(pages: Path) -> Iterator[str]:
    """Serve the datasets of a folder on a free port of this machine, until the block is left.

    `/<rows>/v1/<any resource>` responds at once, `/lat/<rows>/v1/<any resource>` after 50 ms, both
    by `offset`; `/oauth/token` returns a token, which nobody checks.

    Args:
        pages: the folder that `provide_pages` has filled.

    Yields:
        The URL of the server.

    Raises:
        BenchmarkError: nginx is not installed, or does not start.
    """
    command = _nginx()
    with tempfile.TemporaryDirectory(prefix="benchmark-nginx-") as place:
        folder, port = Path(place), free_port()
        (folder / "temporary").mkdir()
        (folder / "nginx.conf").write_text(_configuration(pages, port), encoding="utf-8")
        process = subprocess.Popen(
            [command, "-p", place, "-c", "nginx.conf", "-e", "error.log", "-g", "daemon off;"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the benchmark, which then stops nginx
        )
        try:
            _wait_until_it_answers(process, port, folder / "error.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _nginx() -> str:
    command = find_nginx()
    if command is None:
        raise BenchmarkError(
            f"The benchmark reads from nginx with the module `echo`: {INSTALL} (Debian, Ubuntu), "
            "and run it again."
        )
    return command


def _configuration(pages: Path, port: int) -> str:
    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    values = {
        "echo_module": ECHO_MODULE,
        # root's nginx would run its workers as a user who may not read the folder
        "user": "user root;" if os.geteuid() == 0 else "",
        "open_files": open_files,
        "cached_files": min(open_files // 2, 60000),
        "port": port,
        "pages": pages.resolve(),
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    printed = log.read_text(encoding="utf-8") if log.exists() else "it logged nothing"
    raise BenchmarkError(f"nginx does not answer on port {port}: {printed.strip()}")
